"""A till with phones that come to it, over the accounts of a test's city."""

from __future__ import annotations

import itertools
import random
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from core import clock, ids
from core.poster import Ask, GroupPoster
from payments.charging import Order, Settled, keys_of, post_charges
from payments.ledger import OutcomeUnknown, PostingFull
from tests.ledger.conftest import CITY, City

_handles = itertools.count(random.randrange(10**6))
steps = itertools.count(10**6)


def replace(order: Order, **given: Any) -> Order:
    """The order with some fields changed."""
    return order._replace(**given)


@dataclass(frozen=True)
class Phone:
    """A phone with a card: its handle, and what lies behind."""

    handle: int
    card: UUID
    resident: UUID
    wallet: UUID
    account: UUID


@dataclass
class Till:
    """A terminal of the city's merchant, and the phones that come to it."""

    city: City
    id: UUID
    merchant: UUID

    def phone(self, balance_fen: int = 10_000, **wallet: Any) -> Phone:
        """A phone whose wallet holds money."""
        made = Phone(next(_handles), ids.new_id(), ids.new_id(), ids.new_id(), ids.new_id())
        rows = {
            "single_limit_fen": 5_000,
            "daily_limit_fen": 8_000,
            "monthly_limit_fen": 9_000,
            "state": "open",
            "mode": "platform",
            **wallet,
        }
        with self.city.as_app() as app:
            app.execute("SELECT ledger_open(%s, %s, 'wallet', %s)", (made.account, CITY, made.resident))
        with self.city.as_superuser() as superuser:
            superuser.execute(
                "INSERT INTO card (id, city_id, resident_id, product, issuer, number, form, state, expires_on, masked_name,"
                " wallet_account_id, issued_at, version) VALUES"
                " (%s, %s, %s, 'resident', 'city', %s, 'virtual', 'active', '2099-01-01', '王*明', %s, city_now(), 1)",
                (made.card, CITY, made.resident, f"{made.handle:016d}", made.account),
            )
            superuser.execute(
                "INSERT INTO pay_handle (handle, city_id, device_id, card_id, resident_id, generation, given_at)"
                " VALUES (%s, %s, gen_random_uuid(), %s, %s, 1, city_now())",
                (made.handle, CITY, made.card, made.resident),
            )
            superuser.execute(
                "INSERT INTO wallet (id, city_id, resident_id, account_id, single_limit_fen, daily_limit_fen, monthly_limit_fen,"
                " state, mode) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
                (made.wallet, CITY, made.resident, made.account, *rows.values()),
            )
        if balance_fen:
            self.city.give(balance_fen, made.account)
        return made

    def order(self, phone: Phone, amount_fen: int = 1_230, **given: Any) -> Order:
        """A charge of a fresh code of the phone."""
        charge_id = ids.new_id()
        base = Order(
            principal=self.id, key=str(charge_id), body_hash=bytes(32), request_id=None, charge_id=charge_id,
            subject=ids.show("charge", charge_id), city_id=CITY,
            terminal_id=self.id, merchant_id=self.city.merchant, account_id=self.merchant, amount_fen=amount_fen, occurred_at=clock.now(),
            handle=phone.handle, generation=1, step=next(steps), tap=0,
        )  # fmt: skip
        return base._replace(**given)

    def post(self, *orders: Order) -> list[tuple[str, dict[str, Any], bool]]:
        """Hand orders to the function in one call; 'again' shows as such."""
        with self.city.as_app() as app:
            answers = post_charges(app, [Ask(order, frozenset()) for order in orders])
        return [("again", {}, False) if isinstance(one, frozenset) else one for one in answers]

    def code(self, order: Order) -> str:
        """What one order is answered with."""
        return self.post(order)[0][0]

    def presented(self, phone: Phone, *, terminal: UUID | None = None, seconds: float = 120, step: int | None = None) -> UUID:
        """A presentation of a fresh code at a terminal."""
        presentation = ids.new_id()
        self.run(
            "INSERT INTO presented VALUES (%s, %s, 0, %s, %s, %s, city_now(), city_now() + make_interval(secs => %s))",
            phone.handle, step or next(steps), presentation, terminal or self.id, phone.card, seconds,
        )  # fmt: skip
        return presentation

    def poster(self, name: str) -> GroupPoster[Order, Settled]:
        """A poster of charges like a process's own."""
        return GroupPoster(name, post_charges, keys_of, connect=self.city.as_app, full=PostingFull, unknown=OutcomeUnknown)

    def run(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """A statement past every guard, to set the scene or look at it."""
        with self.city.as_superuser() as superuser:
            done = superuser.execute(statement, values)
            return done.fetchall() if done.description else []

    def balance(self, phone: Phone) -> int:
        """What the phone's wallet holds."""
        return self.city.balance(phone.account)


def by_presentation(order: Order, presentation: UUID) -> Order:
    """The same charge by a presentation instead of a code."""
    return replace(order, handle=None, generation=None, step=None, tap=None, presentation_id=presentation)
