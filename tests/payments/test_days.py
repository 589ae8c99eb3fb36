"""A payment counts in the limits of one day, and what comes to nothing gives its room back on that day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from core import clock, db, ids
from core.actors import Actor
from payments import bill_paying
from payments.bill_paying import Payee
from tests.payments.meanwhile import meanwhile

pytestmark = pytest.mark.subset

Town = Any
Later = Callable[[dt.timedelta], None]
DAY = dt.timedelta(days=1)
WATER = Payee(bill_paying.payee_id("water"), "云川水务", "Yunchuan Water")


def counted(town: Town, who: Actor) -> tuple[Any, ...]:
    row: tuple[Any, ...] = town.rows("SELECT spent_on, spent_day_fen, spent_day_count FROM wallet WHERE resident_id = %s", who.id)[0]
    return row


def reserved(town: Town, who: Actor, amount_fen: int) -> Any:
    return town.do(bill_paying.reserve, who, ids.new_id(), payee=WATER, amount_fen=amount_fen, purpose="water")


def test_midnight_between_two_statements_of_a_reservation_does_not_part_its_count_from_its_day(town: Town, at: Later) -> None:
    crossed, nth = True, 0
    while crossed:
        nth += 1
        wang = town.holder(50_000)
        with meanwhile(nth, lambda: at(DAY)) as came:
            over = reserved(town, wang, 4_000)
        crossed = bool(came)
        at(clock.offset() * -1 + DAY)
        reserved(town, wang, 1_000)
        town.do(bill_paying.void, over.id)
        if crossed:
            assert counted(town, wang) == (clock.today(), 1_000, 1), f"midnight after statement {nth}"
        at(clock.offset() * -1)
    assert nth > 5


def test_a_count_that_stands_on_another_day_than_its_charge_does_not_hold_up_the_reversal(town: Town) -> None:
    wang = town.holder(50_000)
    done = town.charge(wang, 1_000)
    # What the second version of charge_post left of a charge that waited across midnight, after another one of 100 fen.
    db.connection().execute(
        "UPDATE wallet SET spent_day_fen = 100, spent_day_count = 0, spent_month_fen = 100 WHERE resident_id = %s", (wang.id,)
    )
    said = town.call(town.till, "POST", f"/api/charges/{ids.show('charge', done.id)}/reversal", json={"reason": "打错金额"})
    assert (said.status_code, said.json["state"]) == (201, "reversed")
    assert counted(town, wang) == (clock.today(), 0, 0)
    assert town.balance(wang) == 50_000
