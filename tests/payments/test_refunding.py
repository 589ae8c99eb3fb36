"""Undoing a charge: once whole on its day, or in parts, never more than was paid."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import threading
from collections.abc import Callable
from typing import Any

import pytest

import payments
from core import clock, db, ids
from core.actors import Actor, ActorKind
from core.errors import NotFound
from payments import charges, refunding
from payments.errors import ChargeUndone, MerchantShort, RefundTooMuch, ReversalTooLate

pytestmark = pytest.mark.subset

Town = Any
Later = Callable[[dt.timedelta], None]


def undo(town: Town, charge_id: Any, *, by: Actor | None = None) -> refunding.Undone:
    done: refunding.Undone = town.do(refunding.reverse, by or town.till, charge_id, reason="打错金额")
    return done


def give_back(town: Town, charge_id: Any, amount_fen: int, *, by: Actor | None = None) -> refunding.Undone:
    done: refunding.Undone = town.do(refunding.refund, by or town.till, charge_id, amount_fen=amount_fen, reason="退货")
    return done


def supervisor(city_id: int = 990100) -> Actor:
    """孙丽."""
    return Actor(kind=ActorKind.STAFF, id=ids.new_id(), city_id=city_id, scopes=frozenset({"payments:charge:refund"}))


def test_a_reversal_gives_everything_back_with_the_room_in_the_limits(town: Town) -> None:
    wang = town.holder(50_000)
    town.charge(wang, 2_000)
    done = town.charge(wang, 1_230)
    undone = undo(town, done.id)
    assert (undone.kind, undone.amount_fen, undone.left_fen, undone.state) == ("reversal", 1_230, 0, "reversed")
    assert town.balance(wang) == 48_000
    view = town.do(payments.wallet_of, wang)
    assert (view.spent_today_fen, view.spent_this_month_fen) == (2_000, 2_000)
    assert town.rows("SELECT spent_day_count FROM wallet") == [(1,)]
    assert town.rows("SELECT reverses FROM transfer WHERE kind = 'reversal'") == town.rows(
        "SELECT transfer_id FROM charge WHERE id = %s", done.id
    )
    assert town.balanced()


def test_a_charge_is_reversed_once(town: Town) -> None:
    done = town.charge(town.holder(50_000), 1_230)
    undo(town, done.id)
    with pytest.raises(ChargeUndone):
        undo(town, done.id)
    with pytest.raises(ChargeUndone):
        give_back(town, done.id, 1)


def test_a_reversal_is_for_the_day_of_the_charge(town: Town, at: Later) -> None:
    wang = town.holder(50_000)
    done = town.charge(wang, 1_230)
    at(dt.timedelta(days=1))
    with pytest.raises(ReversalTooLate):
        undo(town, done.id)
    assert give_back(town, done.id, 1_230).state == "refunded"


def test_a_reversal_is_for_the_terminal_that_charged(town: Town) -> None:
    done = town.charge(town.holder(50_000), 1_230)
    for other in (
        dataclasses.replace(town.till, id=ids.new_id()),
        dataclasses.replace(town.till, merchant_id=ids.new_id()),
        dataclasses.replace(town.till, city_id=990200),
    ):
        with pytest.raises(NotFound):
            undo(town, done.id, by=other)


def test_refunds_come_in_parts_and_never_above_the_amount(town: Town) -> None:
    wang = town.holder(50_000)
    done = town.charge(wang, 1_230)
    first = give_back(town, done.id, 230)
    assert (first.kind, first.left_fen, first.state) == ("refund", 1_000, "partly_refunded")
    with pytest.raises(RefundTooMuch) as refused:
        give_back(town, done.id, 1_001)
    assert refused.value.facts == {"left_fen": 1_000}
    with pytest.raises(ChargeUndone):
        undo(town, done.id)
    assert give_back(town, done.id, 1_000).state == "refunded"
    with pytest.raises(RefundTooMuch):
        give_back(town, done.id, 1)
    assert town.balance(wang) == 50_000
    assert town.balanced()


def test_a_refund_leaves_the_limits_of_the_day_as_they_are(town: Town) -> None:
    wang = town.holder(50_000)
    give_back(town, town.charge(wang, 1_230).id, 1_230)
    assert town.do(payments.wallet_of, wang).spent_today_fen == 1_230


def test_another_terminal_of_the_merchant_and_a_supervisor_may_refund(town: Town) -> None:
    done = town.charge(town.holder(50_000), 1_230)
    give_back(town, done.id, 100, by=dataclasses.replace(town.till, id=ids.new_id()))
    give_back(town, done.id, 100, by=supervisor())
    for other in (dataclasses.replace(town.till, merchant_id=ids.new_id()), supervisor(990200)):
        with pytest.raises(NotFound):
            give_back(town, done.id, 100, by=other)


def test_a_merchant_without_money_cannot_refund_beyond_its_credit_line(town: Town) -> None:
    wang = town.holder(50_000)
    done = town.charge(wang, 3_000)
    shop = town.rows("SELECT account_id FROM merchant")[0][0]
    away = ids.new_id()

    def settle() -> None:
        payments.ledger.open_account(away, city_id=990100, kind="bank")
        payments.ledger.post(
            [
                payments.ledger.Transfer(
                    id=ids.new_id(), city_id=990100, kind="settlement", debit=shop, credit=away, amount_fen=3_000, occurred_at=clock.now()
                )
            ]
        )

    town.do(settle)
    with pytest.raises(MerchantShort):
        give_back(town, done.id, 1_001)
    assert give_back(town, done.id, 1_000).left_fen == 2_000
    assert town.do(payments.ledger.balance, shop) == -1_000


def test_many_refunds_at_once_never_give_back_more_than_was_paid(town: Town) -> None:
    wang = town.holder(50_000)
    done = town.charge(wang, 1_000)
    given: list[int] = []

    def try_it() -> None:
        with town.app.app_context(), contextlib.suppress(RefundTooMuch):
            given.append(give_back(town, done.id, 300).amount_fen)

    threads = [threading.Thread(target=try_it) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sum(given) == 900
    assert town.balance(wang) == 49_900
    assert town.balanced()


def test_the_database_itself_keeps_refunds_below_the_amount(town: Town) -> None:
    done = town.charge(town.holder(50_000), 1_000)
    with pytest.raises(Exception, match="ck_charge_refunded"):
        db.connection().execute("UPDATE charge SET refunded_fen = 1001 WHERE id = %s", (done.id,))


def test_undoing_leaves_receipt_audit_line_and_fact(town: Town) -> None:
    done = town.charge(town.holder(50_000), 1_230)
    undone = undo(town, done.id)
    subject = ids.show("charge", done.id)
    assert town.rows("SELECT detail->>'reason' FROM audit WHERE event = 'payments:charge:reverse' AND subject = %s", subject) == [
        ("打错金额",)
    ]
    assert town.rows("SELECT payload->>'receipt_number' FROM outbox WHERE event = 'payments:charge:reverse'") == [(undone.receipt_number,)]
    assert int(undone.receipt_number) % 97 == 1


def test_a_charge_shows_what_was_given_back_to_those_it_concerns(town: Town) -> None:
    wang = town.holder(50_000)
    done = town.charge(wang, 1_230)
    give_back(town, done.id, 230)
    for reader in (wang, town.till, supervisor()):
        view = town.do(charges.charge_of, reader, done.id)
        assert (view.state, view.refunded_fen, [r["amount_fen"] for r in view.refunds]) == ("partly_refunded", 230, [230])
        assert view.merchant == {"zh": "云川包子铺", "en": "Yunchuan Bun Shop"}
    for stranger in (town.holder(), dataclasses.replace(town.till, merchant_id=ids.new_id()), supervisor(990200)):
        with pytest.raises(NotFound):
            town.do(charges.charge_of, stranger, done.id)
