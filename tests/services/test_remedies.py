"""What the company has otherwise than we told it, or beyond what we posted: nobody is paid twice, no resident's money waits for ever."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from core import clock, ids
from core.actors import Actor
from core.gateway import GatewayUnavailable
from payments import bill_paying, ledger
from services.gateways.utilities import Paid
from services.kinds.statement import repairing
from services.kinds.statement.errors import PaymentAtAgency, RemedyUnfit, SamePerson, StepForbidden
from services.offices.utilities.day_file import write
from tests.payments.conftest import YUNCHUAN
from tests.services.conftest import WATER, Hall, open_payments, waiting_fen
from tests.services.test_reconciling import differences, paid_day
from tests.services.test_repairing import missing, propose, read_day

Move = Callable[[dt.timedelta], None]
DAY = dt.timedelta(days=1)
OTHER_BILL, OTHER_AMOUNT = "bill = bill || 'X'", "amount_fen = amount_fen + 100"
AS_TOLD = {OTHER_BILL: "bill = left(bill, -1)", OTHER_AMOUNT: "amount_fen = amount_fen - 100"}


def at_company(hall: Hall, change: str) -> None:
    """Somebody at the company changes its only payment."""
    with hall.office.pool.connection() as connection:
        connection.execute(f"UPDATE utility_payment SET {change}".encode())


def mismatched(hall: Hall, at: Move, change: str = OTHER_BILL) -> tuple[Actor, Any, dt.date]:
    """A payment whose answer was lost and which the company has in its books otherwise than it was told, as its day's reading finds it."""
    wang = hall.town.holder(50_000)
    hall.line.fault = "answer_lost"
    waiting = hall.pay(wang, hall.bill(wang, hall.bound(wang)))
    hall.line.fault, day = "", clock.today()
    at_company(hall, change)
    at(DAY)
    read_day(hall, day)
    (found,) = differences(hall)
    assert (found.kind, found.number, hall.seen(wang, waiting.id).reason) == ("extra", ids.show("bill_payment", waiting.id), "mismatch")
    return wang, waiting, day


def company_fen(hall: Hall) -> int:
    """What the company has had of the city."""
    query = "SELECT balance FROM account JOIN merchant ON merchant.account_id = account.id WHERE merchant.id = %s"
    return int(hall.town.rows(query, bill_paying.payee_id(WATER))[0][0])


def repair(hall: Hall, remedy: str) -> None:
    """One proposes, another approves."""
    propose(hall, remedy)
    (waiting,) = (each for each in differences(hall) if each.state == "proposed")
    repairing.approve(hall.staff(), waiting.id)


def test_what_waits_for_certainty_is_neither_paid_out_of_the_citys_money_nor_noted_away(hall: Hall, at: Move) -> None:
    mismatched(hall, at)
    for remedy in ("adjust", "note", "give_back"):
        with pytest.raises(RemedyUnfit):
            propose(hall, remedy)
    assert waiting_fen(hall) > 0


@pytest.mark.parametrize("change", [OTHER_BILL, OTHER_AMOUNT])
def test_a_mismatched_payment_is_accepted_as_the_company_has_it(hall: Hall, at: Move, change: str) -> None:
    wang, waiting, day = mismatched(hall, at, change)
    number = hall.office.payment(WATER, ids.show("bill_payment", waiting.id))["company_number"]
    repair(hall, "accept")
    done = hall.seen(wang, waiting.id)
    assert (done.state, done.company_number, done.receipt_number is not None) == ("paid", number, True)
    assert hall.town.rows("SELECT day FROM bill_order") == [(day,)]
    assert (company_fen(hall), waiting_fen(hall), open_payments(hall)) == (waiting.amount_fen, 0, 0)
    assert hall.town.balance(wang) == 50_000 - waiting.amount_fen
    read_day(hall, day)
    assert {each.kind: each.state for each in differences(hall)} == {"extra": "repaired", "differ": "open"}
    at_company(hall, AS_TOLD[change])
    read_day(hall, day)
    assert {each.kind: each.state for each in differences(hall)} == {"extra": "repaired", "differ": "gone"}
    assert company_fen(hall) == waiting.amount_fen
    assert hall.town.balanced()


def test_a_mismatched_payment_is_voided_once_the_company_has_withdrawn_it_and_not_before(hall: Hall, at: Move) -> None:
    wang, waiting, day = mismatched(hall, at)
    propose(hall, "void")
    (found,) = differences(hall)
    with pytest.raises(PaymentAtAgency):
        repairing.approve(hall.staff(), found.id)
    assert hall.seen(wang, waiting.id).state == "processing"
    assert [each.state for each in differences(hall)] == ["proposed"]
    at_company(hall, "state = 'withdrawn'")
    repairing.approve(hall.staff(), found.id)
    assert hall.seen(wang, waiting.id).state == "failed"
    assert (hall.town.balance(wang), waiting_fen(hall), open_payments(hall)) == (50_000, 0, 0)
    read_day(hall, day)
    assert [each.state for each in differences(hall)] == ["repaired"]
    assert hall.town.balanced()


def test_what_the_company_has_forgotten_is_withdrawn_there_before_it_is_voided(hall: Hall, at: Move) -> None:
    wang, waiting, _ = mismatched(hall, at)
    propose(hall, "void")
    number = ids.show("bill_payment", waiting.id)
    with hall.office.pool.connection() as connection:
        connection.execute("DELETE FROM utility_payment")
    repairing.approve(hall.staff(), differences(hall)[0].id)
    assert hall.office.payment(WATER, number)["state"] == "withdrawn"
    assert hall.town.balance(wang) == 50_000


def test_what_was_voided_and_stands_in_the_file_again_is_a_difference_again(hall: Hall, at: Move) -> None:
    _, _, day = mismatched(hall, at)
    whole = hall.line.office.day_file(day)
    propose(hall, "void")
    at_company(hall, "state = 'withdrawn'")
    repairing.approve(hall.staff(), differences(hall)[0].id)
    read_day(hall, day, lambda text: whole)
    (found,) = differences(hall)
    assert (found.state, found.remedy, found.proposed_by, found.approved_by) == ("open", None, None, None)
    propose(hall, "adjust")


def test_while_the_company_is_away_nothing_is_given_back(hall: Hall, at: Move) -> None:
    wang, paid, _ = missing(hall, at)
    propose(hall)
    hall.line.fault = "down"
    with pytest.raises(GatewayUnavailable):
        repairing.approve(hall.staff(), differences(hall)[0].id)
    assert hall.seen(wang, paid.id).state == "paid"


def test_what_the_company_has_though_its_file_lacks_it_is_not_given_back(hall: Hall, at: Move) -> None:
    wang, paid, _ = missing(hall, at)
    propose(hall)
    with pytest.raises(PaymentAtAgency):
        repairing.approve(hall.staff(), differences(hall)[0].id)
    assert hall.seen(wang, paid.id).state == "paid"
    assert hall.town.balance(wang) == 90_000 - paid.amount_fen


def test_a_proposal_that_was_exchanged_while_the_company_was_asked_is_not_carried_out(
    hall: Hall, at: Move, monkeypatch: pytest.MonkeyPatch
) -> None:
    wang, paid, _ = missing(hall, at)
    propose(hall)
    (found,) = differences(hall)

    def meanwhile(line: Any, number: str) -> Paid | None:
        hall.town.do(repairing.refuse, hall.staff(), found.id, reason="再查")
        propose(hall, "note")
        return None

    monkeypatch.setattr(type(hall.line), "payment", meanwhile)
    with hall.office.pool.connection() as connection:
        connection.execute("DELETE FROM utility_payment")
    with pytest.raises(StepForbidden):
        repairing.approve(hall.staff(), found.id)
    assert hall.seen(wang, paid.id).state == "paid"
    assert [(each.state, each.remedy) for each in differences(hall)] == [("proposed", "note")]


def test_an_adjustment_that_was_proposed_before_it_was_refused_is_not_approved(hall: Hall, at: Move) -> None:
    mismatched(hall, at)
    proposal = "UPDATE difference SET state = 'proposed', remedy = 'adjust', proposed_by = %s, proposed_at = now() RETURNING id"
    identity: UUID = hall.town.rows(proposal, ids.new_id())[0][0]
    with pytest.raises(RemedyUnfit):
        repairing.approve(hall.staff(), identity)
    assert company_fen(hall) == 0


def test_a_payment_that_stands_in_another_days_file_or_twice_is_not_paid_again(hall: Hall, at: Move) -> None:
    _, (paid,), day = paid_day(hall, at, 1)
    at(DAY)
    with hall.office.pool.connection() as connection:
        (row,) = connection.execute("SELECT * FROM utility_payment").fetchall()
    read_day(hall, day + DAY, lambda text: write(WATER, day + DAY, [row]))
    read_day(hall, day, lambda text: write(WATER, day, [row, {**row, "serial": row["serial"] + 1}]))
    assert [(each.kind, "#" in each.number) for each in differences(hall)] == [("extra", False), ("extra", True)]
    for found in differences(hall):
        for remedy in ("adjust", "accept", "void"):
            with pytest.raises(RemedyUnfit):
                hall.town.do(repairing.propose, hall.staff(), found.id, remedy=remedy, reason="x")
        hall.town.do(repairing.propose, hall.staff(), found.id, remedy="note", reason="水务重复记账，已更正")
        repairing.approve(hall.staff(), found.id)
    assert company_fen(hall) == paid.amount_fen


def test_a_second_entry_of_what_waits_is_the_companys_to_correct_and_the_first_is_accepted(hall: Hall, at: Move) -> None:
    wang, waiting, day = mismatched(hall, at)
    with hall.office.pool.connection() as connection:
        (row,) = connection.execute("SELECT * FROM utility_payment").fetchall()
    read_day(hall, day, lambda text: write(WATER, day, [row, {**row, "serial": row["serial"] + 1}]))
    first, second = sorted(differences(hall), key=lambda each: len(each.number))
    for remedy in ("accept", "void", "adjust"):
        with pytest.raises(RemedyUnfit):
            hall.town.do(repairing.propose, hall.staff(), second.id, remedy=remedy, reason="x")
    hall.town.do(repairing.propose, hall.staff(), second.id, remedy="note", reason="水务重复记账，已更正")
    hall.town.do(repairing.propose, hall.staff(), first.id, remedy="accept", reason="水务已入账")
    repairing.approve(hall.staff(), first.id)
    assert hall.seen(wang, waiting.id).state == "paid"


def test_a_number_that_is_none_of_ours_can_be_adjusted_and_not_accepted(hall: Hall, at: Move) -> None:
    _, _, day = paid_day(hall, at, 1)
    with hall.office.pool.connection() as connection:
        connection.execute("UPDATE utility_payment SET number = 'of_another_app', bill = bill || 'X'")
    read_day(hall, day)
    found = next(each for each in differences(hall) if each.kind == "extra")
    for remedy in ("accept", "void"):
        with pytest.raises(RemedyUnfit):
            hall.town.do(repairing.propose, hall.staff(), found.id, remedy=remedy, reason="x")
    hall.town.do(repairing.propose, hall.staff(), found.id, remedy="adjust", reason="双方核定")
    repairing.approve(hall.staff(), found.id)
    assert hall.town.do(ledger.balance, bill_paying.difference_account(YUNCHUAN)) == -found.theirs_fen


def test_a_payment_to_another_agency_is_not_accepted_for_this_one(hall: Hall, at: Move) -> None:
    wang = hall.town.holder(90_000)
    hall.pay(wang, hall.bill(wang, hall.bound(wang)))
    hall.lines["power"].fault = "answer_lost"
    power = hall.pay(wang, hall.bill(wang, hall.bound(wang, "power")))
    day = clock.today()
    at(DAY)
    at_company(hall, f"number = '{ids.show('bill_payment', power.id)}Z' WHERE company <> '{WATER}'")
    with hall.office.pool.connection() as connection:
        row = connection.execute("SELECT * FROM utility_payment WHERE company = %s", (WATER,)).fetchone()
    assert row is not None
    read_day(hall, day, lambda text: write(WATER, day, [row, {**row, "number": ids.show("bill_payment", power.id)}]))
    for remedy in ("accept", "void", "adjust"):
        with pytest.raises(RemedyUnfit):
            propose(hall, remedy)


def test_a_proposal_is_taken_back_or_refused_and_another_one_made(hall: Hall, at: Move) -> None:
    mismatched(hall, at)
    (found,) = differences(hall)
    with pytest.raises(StepForbidden):
        hall.town.do(repairing.refuse, hall.staff(), found.id, reason="x")
    clerk = propose(hall, "void")
    for who in (clerk, hall.staff()):
        hall.town.do(repairing.refuse, who, found.id, reason="选错方式")
        (now,) = differences(hall)
        assert (now.state, now.remedy, now.reason, now.proposed_by, now.proposed_at) == ("open", None, "", None, None)
        propose(hall, "accept")
    with pytest.raises(SamePerson):
        repairing.approve(Actor(kind=clerk.kind, id=differences(hall)[0].proposed_by, city_id=YUNCHUAN), found.id)
    repairing.approve(hall.staff(), found.id)
    with pytest.raises(StepForbidden):
        hall.town.do(repairing.refuse, hall.staff(), found.id, reason="x")
    noted = hall.town.rows("SELECT detail->>'remedy', detail->>'reason' FROM audit WHERE event = 'services:difference:refuse' ORDER BY id")
    assert noted == [("void", "选错方式"), ("accept", "选错方式")]


def test_all_of_it_over_http(hall: Hall, at: Move) -> None:
    wang, waiting, _ = mismatched(hall, at)
    clerk, supervisor = hall.staff(), hall.staff()
    path = f"/api/differences/{ids.show('difference', differences(hall)[0].id)}"

    def post(who: Actor, step: str, **body: str) -> tuple[int, str]:
        answer = hall.town.call(who, "POST", f"{path}/{step}", **({"json": body} if body else {}))
        told = answer.json or {}
        return answer.status_code, told.get("code") or told["state"]

    assert post(clerk, "proposal", remedy="adjust", reason="x") == (409, "remedy_unfit")
    assert post(clerk, "proposal", remedy="void", reason="x") == (200, "proposed")
    assert post(supervisor, "approval") == (409, "payment_at_agency")
    assert post(supervisor, "refusal", reason="水务已入账") == (200, "open")
    assert post(clerk, "proposal", remedy="accept", reason="水务已入账") == (200, "proposed")
    assert post(clerk, "approval") == (409, "second_person_needed")
    assert post(supervisor, "approval") == (200, "repaired")
    assert hall.seen(wang, waiting.id).state == "paid"
    (shown,) = (hall.town.call(clerk, "GET", "/api/differences").json or {})["items"]
    assert (shown["remedy"], shown["company_number"]) == ("accept", hall.seen(wang, waiting.id).company_number)
