"""One contract for every way to a utility company: over signed HTTP, and to the office in this process."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

from core.gateway import GatewayUnavailable, Limits
from core.gateway.transport import Incoming, MaybeDone, Outgoing, Patience
from outside import faults
from services.gateways.utilities import (
    Accepted,
    HttpUtility,
    OfficeUtility,
    OrderToPay,
    PaymentState,
    Refusal,
    Unknown,
    UtilityCompany,
)
from services.kinds.statement import day_files
from services.offices.utilities import Office
from services.tariffs import Use, lines_of
from tests.outside.conftest import ACCOUNT, WATER, Outside, free_port

DAY = dt.date(2026, 11, 21)
QUICK = Limits(connect=1, read=1, total=2, attempts=2)


@pytest.fixture(params=["http", "in_process"])
def company(request: pytest.FixtureRequest, outside: Outside) -> UtilityCompany:
    if request.param == "http":
        return HttpUtility(outside.gateway("water", limits=QUICK), "/water/990100-water")
    return OfficeUtility(Office(outside.world.pool, outside.world.companies, outside.now), "990100-water")


@pytest.fixture
def remote(outside: Outside) -> HttpUtility:
    return HttpUtility(outside.gateway("water", limits=QUICK), "/water/990100-water")


def struck(outside: Outside) -> int:
    """How often the one fault that is on has struck."""
    (fault,) = json.loads(outside.get("/faults.json").data)["faults"]
    return int(fault["hits"])


def order_for(company: UtilityCompany, number: str = "bill_payment_1", *, place: int = 0) -> OrderToPay:
    bill = company.bills(ACCOUNT.account)[place]
    return OrderToPay(number=number, account=ACCOUNT.account, bill=bill.number, amount_fen=bill.amount_fen, day=DAY)


def test_a_name_and_its_account_match_and_little_is_told(company: UtilityCompany) -> None:
    owner = company.check_owner(ACCOUNT.account, "王晓明")
    assert owner is not None
    assert (owner.masked_owner, owner.persons) == ("王*明", 3)
    assert "302" not in owner.masked_address


def test_another_name_and_no_account_are_told_alike(company: UtilityCompany) -> None:
    assert company.check_owner(ACCOUNT.account, "李秀英") is None
    assert company.check_owner("1019999999", "王晓明") is None
    assert company.bills("1019999999") == []


def test_bills_are_newest_first_and_their_lines_are_the_tariffs(company: UtilityCompany) -> None:
    bills = company.bills(ACCOUNT.account)
    assert [bill.period for bill in bills] == sorted((bill.period for bill in bills), reverse=True)
    assert [bill.state for bill in bills[:3]] == ["due", "due", "paid"]
    for bill in bills:
        use = Use(bill.since, bill.until, bill.quantity, bill.used_before, bill.persons)
        ours = [(line.tier, line.quantity, line.amount_fen) for line in lines_of(use, WATER.tariff)]
        assert [(line.tier, line.quantity, line.amount_fen) for line in bill.lines] == ours
        assert bill.closing - bill.opening == bill.quantity == 20
        assert bill.amount_fen == sum(line.amount_fen for line in bill.lines)


def test_a_payment_is_taken_once_however_often_it_is_told(company: UtilityCompany) -> None:
    order = order_for(company)
    first = company.pay(order)
    assert isinstance(first, Accepted)
    assert company.pay(replace(order, day=DAY + dt.timedelta(days=1))) == first, "a repetition on another day is the same payment"
    assert company.payment(order.number) == first.paid
    assert company.bills(ACCOUNT.account)[0].state == "paid"
    assert len(day_files.read(company.day_file(DAY), company="990100-water", day=DAY)) == 1


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda order: replace(order, amount_fen=order.amount_fen + 1), "amount_differs"),
        (lambda order: replace(order, bill="1010000011209901"), "bill_unknown"),
        (lambda order: replace(order, account="1019999999"), "account_unknown"),
    ],
)
def test_what_does_not_fit_is_refused(company: UtilityCompany, change: Callable[[OrderToPay], OrderToPay], code: str) -> None:
    assert company.pay(change(order_for(company))) == Refusal(code)
    assert company.payment("bill_payment_1") is None


def test_a_bill_is_paid_by_one_number_only(company: UtilityCompany) -> None:
    order = order_for(company)
    company.pay(order)
    assert company.pay(replace(order, number="bill_payment_2")) == Refusal("bill_paid")
    other = order_for(company, place=1)
    assert company.pay(other) == Unknown("payment_differs"), "there is a payment under this number, so the money is not given back"


def test_a_withdrawn_number_is_never_accepted(company: UtilityCompany) -> None:
    order = order_for(company)
    assert company.withdraw(order.number).state is PaymentState.WITHDRAWN
    assert company.pay(order) == Refusal("payment_withdrawn")
    assert isinstance(company.pay(replace(order, number="bill_payment_2")), Accepted)


def test_an_accepted_number_cannot_be_withdrawn(company: UtilityCompany) -> None:
    order = order_for(company)
    accepted = company.pay(order)
    assert isinstance(accepted, Accepted)
    assert company.withdraw(order.number) == accepted.paid


def test_the_day_file_is_whole(company: UtilityCompany) -> None:
    accepted = company.pay(order_for(company))
    assert isinstance(accepted, Accepted)
    assert day_files.read(company.day_file(DAY - dt.timedelta(days=1)), company="990100-water", day=DAY - dt.timedelta(days=1)) == []
    entry = day_files.read(company.day_file(DAY), company="990100-water", day=DAY)[0]
    assert (entry.number, entry.company_number) == (accepted.paid.number, accepted.paid.company_number)


def test_a_lost_answer_is_unknown_and_found_out_by_asking(outside: Outside, remote: HttpUtility) -> None:
    order = order_for(remote)
    outside.fault("water", "answer_lost")
    assert isinstance(remote.pay(order), Unknown)
    with outside.app.app_context():
        faults.switch_off("water")
    found = remote.payment(order.number)
    assert found is not None
    assert found.state is PaymentState.ACCEPTED


def test_the_answer_to_a_payment_alone_is_lost_and_every_other_arrives(outside: Outside, remote: HttpUtility) -> None:
    outside.fault("water", "payment_answer_lost")
    assert remote.check_owner(ACCOUNT.account, "王晓明") is not None
    order = order_for(remote)
    assert remote.pay(order) == Unknown("status_504")
    found = remote.payment(order.number)
    assert found is not None
    assert found.state is PaymentState.ACCEPTED
    assert struck(outside) == QUICK.attempts, "a call is tried more than once, and each answer is lost"


def test_a_payment_that_is_not_taken_has_no_answer_to_lose(outside: Outside, remote: HttpUtility) -> None:
    outside.fault("water", "payment_answer_lost")
    assert remote.pay(replace(order_for(remote), bill="1010000011209901")) == Refusal("bill_unknown")
    assert struck(outside) == 0


def test_an_answer_that_is_lost_once_comes_with_the_next_attempt(outside: Outside, remote: HttpUtility) -> None:
    order = order_for(remote)
    outside.fault("water", "payment_answer_lost", times=1)
    assert isinstance(remote.pay(order), Accepted)


@pytest.mark.parametrize("fault", ["down", "errors", "bad_signature"])
def test_a_sick_company_is_never_believed(outside: Outside, remote: HttpUtility, fault: str) -> None:
    order = order_for(remote)
    outside.fault("water", fault)
    assert isinstance(remote.pay(order), Unknown)
    with pytest.raises(Exception, match="gateway_"):
        remote.payment(order.number)


def test_nobody_at_the_other_end_is_a_plain_answer(outside: Outside) -> None:
    gone = outside.gateway("water", limits=QUICK)
    gone.base_url = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(GatewayUnavailable):
        HttpUtility(gone, "/water/990100-water").pay(OrderToPay(number="n", account="1", bill="b", amount_fen=1, day=DAY))


@dataclass
class Answering:
    """A company's door with one answer for each attempt; None is an answer that was lost."""

    answers: list[tuple[int, str] | None]
    heard: list[str] = field(default_factory=list)

    def send(self, request: Outgoing, patience: Patience) -> Incoming:
        self.heard.append(request.method)
        answer = self.answers.pop(0)
        if answer is None:
            raise MaybeDone("ReadTimeoutError")
        return Incoming(answer[0], {"content-type": "application/json"}, json.dumps({"code": answer[1]}).encode())


@pytest.mark.parametrize(
    ("answers", "told"),
    [
        ([(409, "bill_paid")], Refusal("bill_paid")),
        ([(404, "bill_unknown")], Refusal("bill_unknown")),
        ([(409, "request_in_progress")], Unknown("request_in_progress")),
        ([(409, "payment_differs")], Unknown("payment_differs")),
        ([(404, "refused")], Unknown("refused")),
        ([(401, "signature_missing")], Unknown("signature_missing")),
        ([None, (409, "bill_paid")], Unknown("bill_paid")),
        ([None, (409, "request_in_progress")], Unknown("request_in_progress")),
    ],
)
def test_only_a_refusal_of_the_payment_itself_is_final(outside: Outside, answers: list[tuple[int, str] | None], told: object) -> None:
    door, attempts = Answering(list(answers)), len(answers)
    gateway = replace(outside.gateway("water", limits=QUICK), transport=door, peer_keys=None, sleep=lambda _seconds: None)
    order = OrderToPay(number="n", account="1", bill="b", amount_fen=1, day=DAY)
    assert HttpUtility(gateway, "/water/990100-water").pay(order) == told
    assert len(door.heard) == attempts


def test_an_order_that_overtakes_its_first_attempt_is_the_same_payment(outside: Outside) -> None:
    office = Office(outside.world.pool, outside.world.companies, outside.now)
    order = order_for(OfficeUtility(office, "990100-water"))
    first: list[object] = []

    def now() -> dt.datetime:
        if not first:
            # The office has not found the number yet, and asks what day it is to look at the bill.
            first.append(None)
            first.append(OfficeUtility(office, "990100-water").pay(order))
        return outside.now()

    second = OfficeUtility(replace(office, now=now), "990100-water").pay(order)
    assert isinstance(second, Accepted)
    assert first[1] == second
