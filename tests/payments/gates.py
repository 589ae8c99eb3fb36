"""Gates, phones and uploads for the tests of offline trading: real codes, real gates, the real operation at the centre."""

from __future__ import annotations

import base64
import datetime as dt
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric import ec

import auth
import cards
import citycode
from cards.authorisations import issuing, listing, trusting
from cards.lifecycle import held
from citycode import signatures
from citycode.gate import Gate, Trade
from citycode.hotlist import EMPTY, Hotlist
from citycode.journal import sign_batch
from command.story import proving
from core import clock, ids
from core.actors import Actor, ActorKind
from payments.offline import taking
from tests.payments.conftest import YUNCHUAN, Town


@dataclass
class Phone:
    """A phone with a batch; ``code(nth)`` shows one of its authorisations now."""

    keys: list[ec.EllipticCurvePrivateKey]
    authorisations: list[bytes]

    def code(self, nth: int = 0) -> str:
        return citycode.make(self.authorisations[nth], self.keys[nth], now=clock.timestamp())


@dataclass
class Post:
    """A gate at its place: its terminal, its own key, its lists of when it was last online, and what it has not uploaded."""

    town: Town
    actor: Actor
    key: ec.EllipticCurvePrivateKey
    waiting: list[Trade] = field(default_factory=list)
    hotlist: Hotlist = EMPTY
    gate: Gate | None = None

    def sync(self) -> None:
        """Fetch what is new, as an online terminal does every few seconds."""
        found = self.town.do(listing.changes, self.actor.city_id, self.hotlist.version)
        before = EMPTY if found.full else self.hotlist
        made_at = int(found.made_at.timestamp())
        self.hotlist = before.after(version=found.version, made_at=made_at, added=found.added, removed=found.removed)
        trust = self.town.do(trusting.every_key_ever, self.actor.city_id)
        if self.gate is None:
            self.gate = Gate(trust, self.hotlist, keep=self.waiting.append)
        self.gate.trust, self.gate.hotlist = trust, self.hotlist

    def scan(self, code: str, amount_fen: int) -> str | None:
        """Accept a code, or say why not."""
        assert self.gate is not None
        try:
            self.gate.offer(code, amount_fen, now=int(clock.timestamp()))
        except citycode.Refused as refusal:
            return str(refusal.reason)
        return None

    def upload(self, *, keep: bool = False) -> list[tuple[str, str | None]]:
        """Hand over what is waiting; what became of each."""
        trades = self.waiting[:100]
        results = self.send(trades)
        if not keep:
            del self.waiting[: len(trades)]
        return results

    def send(self, trades: list[Trade], *, key: ec.EllipticCurvePrivateKey | None = None) -> list[tuple[str, str | None]]:
        if not trades:
            return []
        signature = sign_batch(ids.show("terminal", self.actor.id), trades, lambda message: signatures.sign(key or self.key, message))
        told = [taking.Trade(t.serial, t.code, t.amount_fen, dt.datetime.fromtimestamp(t.occurred_at, dt.UTC)) for t in trades]
        text = base64.urlsafe_b64encode(signature).decode().rstrip("=")

        def take() -> list[tuple[str, str | None]]:
            return [(str(row.result), row.reason and str(row.reason)) for row in taking.take(self.actor, told, text)]

        found: list[tuple[str, str | None]] = self.town.do(take)
        return found


def post(town: Town, *, city_id: int = YUNCHUAN, merchant: bool = True) -> Post:
    """A new gate, enrolled with a key of its own, online for a moment."""
    key = ec.generate_private_key(ec.SECP256R1())
    account = town.till.account_id if merchant else None
    merchant_id = town.merchant_id if merchant else None
    wanted = auth.TerminalDescription(name="闸机", functions=("offline:accept",), merchant_id=merchant_id, account_id=account)
    terminal_id: UUID = town.do(lambda: auth.admit_terminal(city_id, wanted, proving.public_jwk(key)))
    scopes = frozenset({"offline:accept"})
    actor = Actor(kind=ActorKind.TERMINAL, id=terminal_id, city_id=city_id, scopes=scopes, merchant_id=merchant_id, account_id=account)
    made = Post(town, actor, key)
    made.sync()
    return made


def phone(town: Town, holder: Actor, *, count: int = 3, limit_fen: int = 1_000) -> Phone:
    """The holder's phone after fetching a batch."""
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(count)]
    halves = [citycode.x_and_parity(key.public_key()) for key in keys]
    points = [base64.urlsafe_b64encode(bytes([2 + odd]) + x).decode() for x, odd in halves]
    card_id = card_of(town, holder)
    given: Any = town.do(lambda: issuing.give(holder, held(holder, card_id), keys=points, limit_fen=limit_fen, shows_concession=False))
    return Phone(keys, [base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)) for text in given.authorisations])


def card_of(town: Town, holder: Actor) -> UUID:
    """The holder's card."""
    found: UUID = town.do(cards.cards_of, holder)[0].id
    return found


def risk_fen(town: Town) -> int:
    """What the risk account has paid and not got back."""
    rows = town.rows("SELECT coalesce(sum(amount_fen), 0)::bigint FROM offline_trade WHERE result = 'risk' AND repaid_by IS NULL")
    return int(rows[0][0])
