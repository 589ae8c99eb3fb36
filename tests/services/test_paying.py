"""Paying a bill: told once, posted once, never shown as paid before it is; whatever goes wrong on the way."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable

import pytest

from core import db, ids
from payments import bill_paying, receipts
from payments.charge_errors import AboveYourLimits
from payments.errors import StepForbidden
from payments.ledger import InsufficientFunds
from services.gateways.utilities import Accepted, OrderToPay, Told
from services.kinds.statement import jobs, paying, rules
from services.kinds.statement.errors import BillChanged, BillSettled
from tests.payments.conftest import YUNCHUAN
from tests.services.conftest import WATER, Hall, open_payments, waiting_fen

pytestmark = pytest.mark.subset

HOUR = dt.timedelta(hours=1)
Move = Callable[[dt.timedelta], None]


def test_a_bill_is_paid_with_a_receipt_and_the_company_has_it(hall: Hall) -> None:
    wang = hall.town.holder(50_000)
    bill = hall.bill(wang, hall.bound(wang))
    paid = hall.pay(wang, bill)
    assert paid.state == "paid"
    assert paid.receipt_number is not None
    assert hall.town.balance(wang) == 50_000 - bill.amount_fen
    assert hall.office.payment(WATER, ids.show("bill_payment", paid.id))["amount_fen"] == bill.amount_fen
    assert waiting_fen(hall) == 0
    assert hall.town.balanced()
    with db.transaction():
        newest = receipts.receipts_of(wang, cursor=None, limit=1).items[0]
    assert (newest.kind, newest.number, newest.change_fen) == ("bill", paid.receipt_number, -bill.amount_fen)


def test_the_same_id_again_changes_nothing(hall: Hall) -> None:
    wang = hall.town.holder(50_000)
    bill = hall.bill(wang, hall.bound(wang))
    first = hall.pay(wang, bill)
    assert hall.pay(wang, bill, first.id) == first
    assert hall.town.balance(wang) == 50_000 - bill.amount_fen
    assert len(hall.line.told) == 1


def test_a_bill_is_paid_once_whoever_bound_the_account(hall: Hall) -> None:
    wang, li = hall.town.holder(50_000), hall.town.holder(50_000)
    account = hall.customer()
    his, hers = (hall.bill(who, hall.bound(who, account=account)) for who in (wang, li))
    hall.pay(wang, his)
    with pytest.raises(BillSettled):
        hall.pay(li, hers)
    assert hall.town.balance(li) == 50_000


def test_two_of_a_household_at_the_same_moment_pay_once(hall: Hall) -> None:
    wang, li = hall.town.holder(50_000), hall.town.holder(50_000)
    account = hall.customer()
    bills = [(who, hall.bill(who, hall.bound(who, account=account))) for who in (wang, li)]
    ends: list[str] = []

    def run(place: int) -> None:
        with hall.town.app.app_context():
            try:
                ends.append(hall.pay(*bills[place]).state)
            except BillSettled:
                ends.append("settled")
            finally:
                db.drop_connection()

    threads = [threading.Thread(target=run, args=(place,)) for place in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(ends) == ["paid", "settled"]
    assert hall.town.balance(wang) + hall.town.balance(li) == 100_000 - bills[0][1].amount_fen


def test_the_amount_is_the_companys(hall: Hall) -> None:
    wang = hall.town.holder(50_000)
    bill = hall.bill(wang, hall.bound(wang))
    with pytest.raises(BillChanged):
        hall.pay(wang, bill, amount_fen=bill.amount_fen - 1)
    assert hall.town.balance(wang) == 50_000
    assert not hall.line.told


def test_a_bill_that_changed_at_the_company_is_given_back(hall: Hall) -> None:
    wang = hall.town.holder(50_000)
    bill = hall.bill(wang, hall.bound(wang))
    with hall.office.pool.connection() as connection:
        connection.execute("UPDATE utility_reading SET value = value * 2")
    failed = hall.pay(wang, bill)
    assert (failed.state, failed.reason, failed.receipt_number) == ("failed", "amount_differs", None)
    assert hall.town.balance(wang) == 50_000
    assert waiting_fen(hall) == 0
    assert hall.town.rows("SELECT spent_day_fen, spent_month_fen FROM wallet WHERE resident_id = %s", wang.id) == [(0, 0)]


def test_without_money_or_above_a_limit_nothing_is_told(hall: Hall) -> None:
    poor, rich = hall.town.holder(100), hall.town.holder(400_000)
    with pytest.raises(InsufficientFunds):
        hall.pay(poor, hall.bill(poor, hall.bound(poor)))
    dear = hall.bound(rich, account=hall.customer(use=2_000))
    with pytest.raises(AboveYourLimits) as refused:
        hall.pay(rich, hall.bill(rich, dear))
    assert refused.value.facts == {"single_fen": 50_000, "left_today_fen": 200_000, "left_month_fen": 2_000_000, "left_count": 100}
    assert not hall.line.told
    assert hall.town.balance(rich) == 400_000


def test_the_company_is_down_for_an_hour_and_nothing_is_lost_doubled_or_shown_as_paid(hall: Hall, at: Move) -> None:
    wang = hall.town.holder(50_000)
    bill = hall.bill(wang, hall.bound(wang))
    hall.line.fault = "down"
    waiting = hall.pay(wang, bill)
    for _ in range(60):
        at(dt.timedelta(minutes=1))
        jobs.ask_about_payments()
        assert hall.seen(wang, waiting.id).state == "processing"
        assert hall.town.balance(wang) == 50_000 - bill.amount_fen
        assert waiting_fen(hall) == bill.amount_fen
    hall.line.fault = ""
    at(rules.LONGEST_PAUSE)
    jobs.ask_about_payments()
    assert hall.seen(wang, waiting.id).state == "paid"
    assert hall.town.balance(wang) == 50_000 - bill.amount_fen
    assert len(hall.line.told) == 1
    assert (open_payments(hall), waiting_fen(hall)) == (0, 0)
    assert hall.town.balanced()


def test_a_lost_answer_is_found_out_by_asking(hall: Hall, at: Move) -> None:
    wang = hall.town.holder(50_000)
    bill = hall.bill(wang, hall.bound(wang))
    hall.line.fault = "answer_lost"
    waiting = hall.pay(wang, bill)
    assert (waiting.state, waiting.receipt_number) == ("processing", None)
    hall.line.fault = ""
    at(rules.FIRST_PAUSE)
    jobs.ask_about_payments()
    assert hall.seen(wang, waiting.id).state == "paid"
    assert len(hall.line.told) == 1, "it was asked, not told again"


def test_what_the_company_never_hears_of_for_a_day_is_withdrawn_and_given_back(hall: Hall, at: Move) -> None:
    wang = hall.town.holder(50_000)
    bill = hall.bill(wang, hall.bound(wang))
    hall.line.fault = "down"
    waiting = hall.pay(wang, bill)
    at(rules.PATIENCE + HOUR)
    hall.line.fault = ""
    jobs.ask_about_payments()
    assert hall.seen(wang, waiting.id).state == "failed"
    assert hall.town.balance(wang) == 50_000
    late = OrderToPay(
        number=ids.show("bill_payment", waiting.id),
        account=bill.number[:10],
        bill=bill.number,
        amount_fen=bill.amount_fen,
        day=dt.date.today(),
    )
    assert not isinstance(hall.line.pay(late), Accepted), "an order that arrives later is refused"
    assert hall.pay(wang, hall.bill(wang, bill.binding_id)).state == "paid", "and the bill can be paid anew"


class Killed(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("place", ["before_telling", "after_telling", "while_posting"])
def test_a_process_that_dies_in_the_middle_leaves_one_payment(hall: Hall, at: Move, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    wang = hall.town.holder(50_000)
    bill, payment = hall.bill(wang, hall.bound(wang)), ids.new_id()

    def die(*_: object, **__: object) -> Told:
        raise Killed

    with monkeypatch.context() as patch:
        target = {"before_telling": (hall.line, "pay"), "after_telling": (paying, "settle"), "while_posting": (bill_paying, "next_number")}
        patch.setattr(*target[place], die)
        with pytest.raises(Killed):
            hall.pay(wang, bill, payment)
    assert hall.seen(wang, payment).state == "processing"
    at(rules.FIRST_PAUSE)
    jobs.ask_about_payments()
    assert hall.seen(wang, payment).state == "paid"
    assert hall.town.balance(wang) == 50_000 - bill.amount_fen
    assert hall.town.rows("SELECT count(*) FROM transfer WHERE kind = 'bill'") == [(1,)]
    with hall.office.pool.connection() as connection:
        assert connection.execute("SELECT count(*) AS n FROM utility_payment").fetchone() == {"n": 1}
    assert (open_payments(hall), waiting_fen(hall)) == (0, 0)


def test_the_steps_of_the_money_are_taken_once_and_in_order(hall: Hall) -> None:
    wang = hall.town.holder(50_000)
    paid = hall.pay(wang, hall.bill(wang, hall.bound(wang)))
    with pytest.raises(StepForbidden):
        hall.town.do(bill_paying.void, paid.id)
    assert hall.town.do(bill_paying.post, paid.id).receipt_number == paid.receipt_number
    before = hall.town.balance(wang)
    hall.town.do(paying.given_back, paid.id)
    hall.town.do(bill_paying.give_back, paid.id)
    assert hall.town.balance(wang) == before + paid.amount_fen
    with pytest.raises(StepForbidden):
        hall.town.do(bill_paying.post, paid.id)
    assert hall.town.rows("SELECT city_id FROM account WHERE balance < 0 AND kind = 'merchant'") == []
    assert YUNCHUAN
