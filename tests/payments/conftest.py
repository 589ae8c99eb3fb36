"""The payments floor over a database of its own: 王晓明 with a card and a wallet, the bun shop, and a payment provider that obeys."""

from __future__ import annotations

import base64
import datetime as dt
import hmac
import itertools
import json
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from werkzeug.test import TestResponse

import auth
import cards
import payments
from cards.codes import pay_keys, reading
from cards.codes.pay_code import PayKey
from cards.lifecycle import held
from config.settings import Settings
from core import clock, crypto, db, files, ids
from core.actors import Actor, ActorKind
from core.errors import Unauthenticated, Unavailable
from core.files.routes import routes as file_routes
from core.idempotency import Once
from core.limits import Quotas
from core.ports import Call
from core.web import Edge
from payments import charging, topping_up
from payments.providers import (
    CallbackRefused,
    Notice,
    NoticeKind,
    Order,
    OrderState,
    OrderView,
    ProviderRefused,
    Refund,
    RefundState,
    RefundView,
)
from tests.cards.conftest import before_the_change

YUNCHUAN, LINHU = 990100, 990200
CITIES = Path(__file__).parents[2] / "config" / "cities"
KEEPER = payments.Keeper("云川银行", "Bank of Yunchuan")
KEY = b"the provider's key"
_people = itertools.count(1)


@dataclass
class Provider:
    """A payment provider in this process: it keeps orders, can be away, lose its answers or refuse."""

    name: str = "yunpay"
    orders: dict[str, OrderView] = field(default_factory=dict)
    refunds: dict[str, RefundView] = field(default_factory=dict)
    away: bool = False
    loses_answers: bool = False
    refuses: bool = False
    asked: int = 0

    def create_order(self, order: Order) -> OrderView:
        self._reachable()
        if self.refuses:
            raise ProviderRefused(reason="merchant_limit")
        url = f"https://pay.example/{order.number}"
        made = OrderView(
            number=order.number, provider_number="P" + order.number, amount_fen=order.amount_fen, state=OrderState.WAITING, pay_url=url
        )
        made = self.orders.setdefault(order.number, made)
        if self.loses_answers:
            raise Unavailable()
        return made

    def query(self, number: str) -> OrderView | None:
        self._reachable()
        self.asked += 1
        return self.orders.get(number)

    def close(self, number: str) -> OrderView | None:
        self._reachable()
        if number in self.orders and self.orders[number].state is OrderState.WAITING:
            self.set(number, state=OrderState.CLOSED)
        return self.orders.get(number)

    def set(self, number: str, **changes: Any) -> None:
        """What happens at the provider's side."""
        old = self.orders[number]
        values = {name: getattr(old, name) for name in OrderView.__slots__}
        self.orders[number] = OrderView(**{**values, **changes})

    def paid(self, number: str, **changes: Any) -> None:
        """The resident approves."""
        self.set(number, state=OrderState.PAID, paid_at=clock.now(), **changes)

    def notice(self, number: str, **changes: Any) -> tuple[dict[str, str], bytes]:
        """The headers and body of a notice about an order."""
        seen = self.orders.get(number)
        body = {"id": "n1", "kind": "order", "number": number, "amount_fen": seen.amount_fen if seen else 1, "state": "paid", **changes}
        raw = json.dumps(body).encode()
        return {"X-Signature": hmac.digest(KEY, raw, "sha256").hex()}, raw

    def verify_callback(self, headers: Mapping[str, str], raw_body: bytes) -> Notice:
        if not hmac.compare_digest(headers.get("x-signature", ""), hmac.digest(KEY, raw_body, "sha256").hex()):
            raise CallbackRefused(reason="signature")
        said = json.loads(raw_body)
        return Notice(
            id=said["id"],
            kind=NoticeKind(said["kind"]),
            number=said["number"],
            provider_number="P",
            amount_fen=said["amount_fen"],
            state=said["state"],
        )

    def refund(self, refund: Refund) -> RefundView:
        self._reachable()
        state = RefundState.REFUSED if self.refuses else RefundState.DONE
        seen = RefundView(number=refund.number, state=state, amount_fen=refund.amount_fen)
        seen = self.refunds.setdefault(refund.number, seen)
        return replace(seen, state=RefundState.UNKNOWN) if self.loses_answers else seen

    def query_refund(self, number: str) -> RefundView | None:
        self._reachable()
        self.asked += 1
        return self.refunds.get(number)

    def day_file(self, day: dt.date) -> str | None:
        return None

    def _reachable(self) -> None:
        assert not db.in_transaction(), "nobody calls outside inside a transaction"
        if self.away:
            raise Unavailable()


@dataclass
class Door:
    """Stands in for the sign-in: a bearer token is the name under which a test let somebody in."""

    guests: dict[str, Actor] = field(default_factory=dict)

    def authenticate(self, call: Call) -> Actor:
        guest = self.guests.get(call.headers["Authorization"].removeprefix("Bearer "))
        if guest is None:
            raise Unauthenticated()
        return guest


@dataclass
class Town:
    """The floor and its cast."""

    app: Flask
    provider: Provider
    merchant_id: UUID
    till: Actor
    door: Door
    _keys: dict[UUID, PayKey] = field(default_factory=dict)
    _taps: dict[UUID, int] = field(default_factory=dict)

    def resident(self, *, city_id: int = YUNCHUAN, strength: int = 2) -> Actor:
        """王晓明: admitted, L4, signed in just now on a phone of his."""
        nth = next(_people)
        person = auth.Newcomer(phone=f"199{nth:08d}", name="王晓明", citizen_number=_citizen_number(nth), identity_level=4)
        with db.transaction():
            auth.admit_many(city_id, [person])
        return Actor(
            kind=ActorKind.RESIDENT,
            id=person.id,
            city_id=city_id,
            identity_level=4,
            strength=strength,
            device_id=ids.new_id(),
            signed_in_at=clock.now(),
        )

    def holder(self, balance_fen: int = 0, *, city_id: int = YUNCHUAN) -> Actor:
        """A resident with a card, a wallet, a phone that makes codes, and money."""
        actor = self.resident(city_id=city_id)
        with db.transaction():
            card = cards.issue_card(actor, "resident")
        with db.transaction():
            given = pay_keys.give(actor, held(actor, card.id))
        self._keys[actor.id] = PayKey(given.prefix, given.handle, _bytes(given.device_secret), _bytes(given.permutation_key))
        if balance_fen:
            with db.transaction():
                payments.credit_opening_top_ups(actor, city_id=city_id, amounts={actor.id: balance_fen})
        return actor

    def charge(self, holder: Actor, amount_fen: int, *, till: Actor | None = None) -> charging.Charged:
        """A charge at the till with the holder's next code."""
        tap = self._taps.get(holder.id, -1) + 1
        self._taps[holder.id] = tap
        code = self._keys[holder.id].make(clock.timestamp(), tap % 4)
        at = till or self.till
        return charging.charge(at, once=Once(at.id, str(ids.new_id()), b"body" * 8), amount_fen=amount_fen, code=code)

    def top_up(self, holder: Actor, amount_fen: int = 10_000, *, top_up_id: UUID | None = None) -> topping_up.TopUpView:
        """A top-up ordered through the provider."""
        return topping_up.top_up(holder, amount_fen=amount_fen, provider="yunpay", top_up_id=top_up_id or ids.new_id())

    def order_of(self, view: topping_up.TopUpView) -> str:
        """Our number of its order at the provider."""
        return ids.show("top_up", view.id)

    def seen(self, holder: Actor, view: topping_up.TopUpView) -> topping_up.TopUpView:
        """The top-up as it stands now."""
        return self.do(topping_up.own, holder, view.id)

    def balance(self, holder: Actor) -> int:
        """What the wallet holds."""
        return int(self.do(payments.wallet_of, holder).balance_fen)

    def do(self, step: Callable[..., Any], *args: Any, **options: Any) -> Any:
        """One step in a transaction of its own."""
        with db.transaction():
            return step(*args, **options)

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """What the application's role reads."""
        return db.connection().execute(query, values).fetchall()

    def call(self, actor: Actor | None, method: str, path: str, *, key: str | None = None, **given: Any) -> TestResponse:
        """A request of an actor over HTTP, with an idempotency key of its own unless one is given."""
        headers = {"Idempotency-Key": key or str(ids.new_id()), **given.pop("headers", {})}
        if actor is not None:
            self.door.guests[str(actor.id)] = actor
            headers["Authorization"] = f"Bearer {actor.id}"
        return self.app.test_client().open(path, method=method, headers=headers, **given)

    def balanced(self) -> bool:
        """Whether the books balance."""
        return bool(self.do(payments.ledger.trial_balance).balanced)


def _citizen_number(nth: int) -> str:
    digits = f"99010119900101{nth:03d}"
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return digits + "10X98765432"[sum(int(d) * w for d, w in zip(digits, weights, strict=True)) % 11]


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def till_of(merchant: payments.Merchant, city_id: int = YUNCHUAN) -> Actor:
    """A terminal of a merchant that may charge, reverse and refund."""
    scopes = frozenset({"charge:create", "charge:reverse", "charge:refund"})
    return Actor(
        kind=ActorKind.TERMINAL, id=ids.new_id(), city_id=city_id, scopes=scopes, merchant_id=merchant.id, account_id=merchant.account_id
    )


@pytest.fixture
def town(settings: Settings) -> Iterator[Town]:
    """The payments floor, wired as app.py wires it but for the provider."""
    app, provider, door = Flask("payments-test"), Provider(), Door()
    db.init(app, settings.database_url)
    crypto.install(settings.root_key)
    cards.configure(prefixes={YUNCHUAN: "81", LINHU: "82"}, after_issue=(payments.open_wallet_for,))
    payments.configure(providers={"yunpay": provider}, keepers={YUNCHUAN: KEEPER})
    files.install(settings.data_dir / "files")
    Edge(app, authenticator=door, quotas=Quotas("")).serve([payments.routes, file_routes])
    reading.forget()
    db.drop_connection()
    with app.app_context():
        with db.transaction():
            for name, city_id in (("yunchuan", YUNCHUAN), ("linhu", LINHU)):
                cards.apply_products(city_id, tomllib.loads((CITIES / name / "products.toml").read_text())["product"])
            shop = payments.open_merchant(city_id=YUNCHUAN, zh="云川包子铺", en="Yunchuan Bun Shop", refund_credit_fen=1_000)
            till, merchant_id = till_of(shop), shop.id
        yield Town(app, provider, merchant_id, till, door)
        db.db.engine.dispose()
    db.drop_connection()
    reading.forget()


@pytest.fixture
def at() -> Iterator[Callable[[dt.timedelta], None]]:
    """Move the city's time, in this process; ids made from it move along. It begins well before the hour at which authorisations change."""
    clock.learn(before_the_change())
    yield lambda by: clock.learn(clock.offset() + by)
    clock.learn(dt.timedelta())
