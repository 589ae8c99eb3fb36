"""Taking a terminal's batch over: each trade is proved as the gate proved it, decided once, and paid in the same commit."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any
from uuid import UUID

from sqlalchemy import select, text

import auth
import cards
import citycode
from citycode import Verified, signatures
from citycode.journal import batch_to_sign
from core import audit, clock, crypto, ids
from core.actors import Actor, system
from core.db import session
from core.vocabulary import AuditEvent
from payments import ledger
from payments.ledger import Posted, Transfer
from payments.offline.accounts import open_risk_account
from payments.offline.errors import BatchOutOfOrder, BatchSignatureWrong, SerialReused
from payments.offline.models import OfflineTrade
from payments.offline.rules import Result, Taken, Why, in_time, verdict


@dataclass(frozen=True, slots=True)
class Trade:
    """A trade as the terminal tells it."""

    serial: int
    code: str
    amount_fen: int
    occurred_at: dt.datetime

    @property
    def told(self) -> tuple[int, str, int, int]:
        """The trade as the terminal signed it."""
        return self.serial, self.code, self.amount_fen, int(self.occurred_at.timestamp())

    @property
    def content_hash(self) -> bytes:
        return hashlib.sha256(repr(self.told).encode()).digest()


def take(actor: Actor, trades: Sequence[Trade], signature: str) -> list[OfflineTrade]:
    """Take a signed batch in the current transaction; a trade that came before gets its first answer. The order is the batch's."""
    _prove(actor, trades, signature)
    known = _known(actor.id, trades)
    fresh = [trade for trade in trades if trade.serial not in known]
    made = _decide(actor, fresh)
    session().add_all(made.values())
    session().flush()
    _freeze_doubled(actor.city_id, made.values())
    if fresh:
        detail = {"trades": len(fresh), "amount_fen": sum(trade.amount_fen for trade in fresh)}
        audit.record(actor, AuditEvent.OFFLINE_TAKEN, city_id=actor.city_id, subject=ids.show("terminal", actor.id), detail=detail)
    return [known.get(trade.serial) or made[trade.serial] for trade in trades]


def _prove(actor: Actor, trades: Sequence[Trade], signature: str) -> None:
    rising = all(first.serial < second.serial for first, second in pairwise(trades))
    if not rising or any(trade.occurred_at.microsecond for trade in trades):
        raise BatchOutOfOrder()
    raw = base64.urlsafe_b64decode(signature + "==")
    signed = batch_to_sign(ids.show("terminal", actor.id), [trade.told for trade in trades])
    try:
        signatures.check_form(raw)
    except citycode.Refused as fault:
        raise BatchSignatureWrong() from fault
    if not signatures.verify(auth.terminal_key(actor.id), raw, signed):
        raise BatchSignatureWrong()


def _known(terminal_id: UUID, trades: Sequence[Trade]) -> dict[int, OfflineTrade]:
    """What was taken over before, by serial number; a number that came with another trade is refused."""
    # One upload of a terminal at a time: the second finds what the first has written.
    session().execute(text("SELECT pg_advisory_xact_lock(hashtextextended('offline|' || :t, 0))"), {"t": str(terminal_id)})
    told = {trade.serial: trade for trade in trades}
    rows = session().scalars(select(OfflineTrade).where(OfflineTrade.terminal_id == terminal_id, OfflineTrade.serial.in_(told)))
    known = {row.serial: row for row in rows}
    for serial, row in known.items():
        if row.content_hash != told[serial].content_hash:
            raise SerialReused(serial=serial)
    return known


def _decide(actor: Actor, trades: Sequence[Trade]) -> dict[int, OfflineTrade]:
    """The rows of new trades with their results, paid as far as the wallets go."""
    trust = cards.every_key_ever(actor.city_id)
    read = {trade.serial: _read(trade, trust) for trade in trades}
    shown = {serial: found for serial, found in read.items() if isinstance(found, Verified)}
    holders = cards.holders({found.id for found in shown.values()})
    seen = _seen({veiled(found.id) for found in shown.values()})
    rows = {}
    for trade in trades:
        found = read[trade.serial]
        row = rows[trade.serial] = _row(actor, trade, found, holders)
        if isinstance(found, Verified) and row.result != Result.REFUSED:
            row.result, row.reason = _verdict(actor, trade, found, holders[found.id], seen)
            if row.result != Result.REFUSED:
                seen.setdefault(veiled(found.id), actor.id)
    _pay(actor, rows.values(), {serial: holders.get(found.id) for serial, found in shown.items()})
    return rows


def _read(trade: Trade, trust: citycode.TrustList) -> Verified | str:
    """What the code proves at the trade's own time, or why it is refused."""
    if (late := in_time(trade.occurred_at, clock.now())) is not None:
        return str(late)
    try:
        return citycode.verify(trade.code, trust, now=int(trade.occurred_at.timestamp()))
    except citycode.Refused as refusal:
        return str(refusal.reason)


def veiled(authorisation_id: bytes) -> bytes:
    """What stands in the table for an id: a copy of the table does not tell which scanned code it was."""
    return crypto.keyring().mac("offline-trade", authorisation_id)


def _seen(authorisations: set[bytes]) -> dict[bytes, UUID]:
    """At which terminal each was accepted first."""
    rows = select(OfflineTrade.authorisation, OfflineTrade.terminal_id).where(
        OfflineTrade.authorisation.in_(authorisations), OfflineTrade.result != Result.REFUSED
    )
    first: dict[bytes, UUID] = {}
    for authorisation, terminal_id in session().execute(rows.order_by(OfflineTrade.id)):
        if authorisation is not None:
            first.setdefault(bytes(authorisation), terminal_id)
    return first


def _row(actor: Actor, trade: Trade, found: Verified | str, holders: Mapping[bytes, cards.Holder]) -> OfflineTrade:
    holder = holders.get(found.id) if isinstance(found, Verified) else None
    ours = holder if holder is not None and holder.city_id == actor.city_id else None
    reason = found if isinstance(found, str) else None if ours else Why.UNKNOWN_AUTHORISATION
    return OfflineTrade(
        terminal_id=actor.id,
        serial=trade.serial,
        id=ids.new_id(),
        city_id=actor.city_id,
        resident_id=ours.resident_id if ours else None,
        card_id=ours.card_id if ours else None,
        merchant_id=actor.merchant_id,
        authorisation=veiled(found.id) if isinstance(found, Verified) else None,
        content_hash=trade.content_hash,
        amount_fen=trade.amount_fen,
        result=Result.REFUSED if reason else Result.NOTED,
        reason=reason,
        occurred_at=trade.occurred_at,
        recorded_at=clock.now(),
    )


def _verdict(actor: Actor, trade: Trade, found: Verified, holder: cards.Holder, seen: Mapping[bytes, UUID]) -> tuple[Result, Why | None]:
    at = seen.get(veiled(found.id))
    return verdict(
        Taken(
            amount_fen=trade.amount_fen,
            limit_fen=found.limit_fen,
            occurred_at=trade.occurred_at,
            has_merchant=actor.account_id is not None,
            has_wallet=holder.wallet_account_id is not None,
            listed_at=holder.listed_at,
            lost_at=holder.lost_since(trade.occurred_at),
            before=None if at is None else "here" if at == actor.id else "elsewhere",
        )
    )


def _pay(actor: Actor, rows: Any, holders: Mapping[int, cards.Holder | None]) -> None:
    """Pay the merchant from the wallets, and from the risk account what they do not hold."""
    asked = [row for row in rows if row.result in (Result.PAID, Result.RISK)]
    if not asked:
        return
    assert actor.account_id is not None  # the verdict has refused amounts without a merchant
    risk = open_risk_account(actor.city_id)
    sources = [risk if row.result == Result.RISK else _wallet(holders[row.serial]) for row in asked]
    posted = ledger.post([_transfer(row, source, actor.account_id) for row, source in zip(asked, sources, strict=True)])
    short = []
    for row, outcome in zip(asked, posted, strict=True):
        row.transfer_id = outcome.id
        if not isinstance(outcome, Posted):
            row.result, row.reason, row.transfer_id = Result.RISK, Why.INSUFFICIENT, None
            short.append(row)
        elif row.result == Result.PAID:
            row.receipt_number = session().scalar(text("SELECT receipt_number(:city, :on)"), {"city": row.city_id, "on": clock.today()})
    covered = ledger.post([_transfer(row, risk, actor.account_id) for row in short])
    for row, outcome in zip(short, covered, strict=True):
        if not isinstance(outcome, Posted):
            raise RuntimeError(f"the risk account could not pay: {outcome}")
        row.transfer_id = outcome.id


def _wallet(holder: cards.Holder | None) -> UUID:
    assert holder is not None  # what is paid by a wallet has a holder with one
    assert holder.wallet_account_id is not None
    return holder.wallet_account_id


def _transfer(row: OfflineTrade, source: UUID, merchant: UUID) -> Transfer:
    return Transfer(
        id=ids.new_id(),
        city_id=row.city_id,
        kind="charge",
        debit=source,
        credit=merchant,
        amount_fen=row.amount_fen,
        reference=row.id,
        occurred_at=row.occurred_at,
    )


def _freeze_doubled(city_id: int, rows: Any) -> None:
    """Stop the cards whose authorisations were shown twice, at the centre at once and at gates through the hotlist."""
    actor = system("payments.offline", city_id)
    for card_id in sorted({row.card_id for row in rows if row.reason == Why.DOUBLE_SPENT}):
        subject = ids.show("card", card_id)
        resident = next(row.resident_id for row in rows if row.card_id == card_id)
        audit.record(actor, AuditEvent.OFFLINE_DOUBLE, city_id=city_id, subject=subject, resident_id=resident)
        cards.stop(actor, card_id, reason="offline_double_spend")
