"""What becomes of a difference between two readings of its day: only what the newest one still shows can be repaired."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from core import clock, db, ids
from core.actors import Actor
from services.kinds.statement import jobs, reconciling, repairing
from services.kinds.statement.errors import DifferenceGone
from services.kinds.statement.models import Reconciliation
from services.offices.utilities.day_file import write
from tests.payments.conftest import YUNCHUAN
from tests.services.conftest import WATER, Hall
from tests.services.test_reconciling import differences, paid_day

Move = Callable[[dt.timedelta], None]
DAY = dt.timedelta(days=1)


def read_day(hall: Hall, day: dt.date, sent: Callable[[str], str] = lambda text: text) -> None:
    """Reconcile the day by the company's file, or by another one."""
    hall.line.spoil = sent
    reconciling.reconcile(hall.staff(), YUNCHUAN, "water", day)


def late(text: str) -> str:
    """A whole file of the same day, written before the company had entered anything."""
    return write(WATER, dt.date.fromisoformat(text.splitlines()[0].split("|")[2]), [])


def missing(hall: Hall, at: Move) -> tuple[Actor, Any, dt.date]:
    """A payment that the company's first file of its day lacks, though the company has it."""
    wang, (paid,), day = paid_day(hall, at, 1)
    read_day(hall, day, late)
    return wang, paid, day


def propose(hall: Hall, remedy: str = "give_back") -> Actor:
    """Somebody proposes to repair the only difference."""
    clerk = hall.staff()
    hall.town.do(repairing.propose, clerk, differences(hall)[0].id, remedy=remedy, reason="水务未收到")
    return clerk


def test_what_the_companys_corrected_file_shows_no_more_cannot_be_repaired(hall: Hall, at: Move) -> None:
    wang, paid, day = missing(hall, at)
    read_day(hall, day)
    (found,) = differences(hall)
    assert (found.kind, found.state) == ("missing", "gone")
    with pytest.raises(DifferenceGone):
        propose(hall)
    assert hall.seen(wang, paid.id).state == "paid"


def test_a_proposal_about_what_is_gone_is_none(hall: Hall, at: Move) -> None:
    wang, paid, day = missing(hall, at)
    propose(hall)
    read_day(hall, day)
    (found,) = differences(hall)
    assert (found.state, found.proposed_by, found.proposed_at, found.remedy, found.reason) == ("gone", None, None, None, "")
    with pytest.raises(DifferenceGone):
        repairing.approve(hall.staff(), found.id)
    assert hall.seen(wang, paid.id).state == "paid"
    assert hall.town.balance(wang) == 90_000 - paid.amount_fen


def test_a_difference_that_no_reading_brought_up_to_date_cannot_be_repaired(hall: Hall, at: Move) -> None:
    wang, paid, day = missing(hall, at)
    propose(hall)
    with db.transaction() as session:
        values = {"state": "equal", "file_hash": b"x", "equal": 1, "ours_fen": 1, "theirs_fen": 1, "differences": 0, "at": clock.now()}
        session.add(Reconciliation(id=ids.new_id(), city_id=YUNCHUAN, item="water", day=day, **values))
        session.flush()
    with pytest.raises(DifferenceGone):
        repairing.approve(hall.staff(), differences(hall)[0].id)
    assert hall.seen(wang, paid.id).state == "paid"


def test_the_night_reads_a_different_day_again_though_only_their_file_changed(hall: Hall, at: Move) -> None:
    _, _, day = paid_day(hall, at, 1)
    hall.line.spoil = late
    jobs.reconcile_days()
    hall.line.spoil = lambda text: text
    jobs.reconcile_days()
    read = hall.town.rows("SELECT state FROM reconciliation WHERE item = 'water' AND day = %s ORDER BY id", day)
    assert read == [("different",), ("equal",)]
    assert [each.state for each in differences(hall)] == ["gone"]


def test_a_day_whose_difference_waits_for_people_is_read_again_for_a_month_and_no_other(hall: Hall, at: Move) -> None:
    _, _, day = missing(hall, at)
    at(DAY * 29)
    assert day in reconciling.days_to_read(YUNCHUAN, "water")
    assert day not in reconciling.days_to_read(YUNCHUAN, "power")
    at(DAY * 2)
    assert day not in reconciling.days_to_read(YUNCHUAN, "water")
    at(-DAY * 2)
    jobs.reconcile_days()
    assert [each.state for each in differences(hall)] == ["open"]
    hall.line.spoil = lambda text: text
    jobs.reconcile_days()
    assert [each.state for each in differences(hall)] == ["gone"]
    assert len(reconciling.days_to_read(YUNCHUAN, "water")) == reconciling.LOOK_BACK_DAYS


def test_what_is_shown_again_is_open_again(hall: Hall, at: Move) -> None:
    _, _, day = missing(hall, at)
    read_day(hall, day)
    read_day(hall, day, late)
    assert [each.state for each in differences(hall)] == ["open"]
    propose(hall)


def test_a_proposal_stands_while_each_new_reading_shows_the_same(hall: Hall, at: Move) -> None:
    _, _, day = missing(hall, at)
    clerk = propose(hall, "note")
    read_day(hall, day, late)
    (found,) = differences(hall)
    assert (found.state, found.proposed_by) == ("proposed", clerk.id)
    assert found.reconciliation_id == hall.town.rows("SELECT id FROM reconciliation ORDER BY id DESC LIMIT 1")[0][0]
    repairing.approve(hall.staff(), found.id)
    read_day(hall, day, late)
    assert [each.state for each in differences(hall)] == ["repaired"]


def test_a_proposal_about_other_amounts_is_none(hall: Hall, at: Move) -> None:
    _, (paid,), day = paid_day(hall, at, 1)
    for more in (100, 200):
        with hall.office.pool.connection() as connection:
            values = (paid.amount_fen + more, ids.show("bill_payment", paid.id))
            connection.execute("UPDATE utility_payment SET amount_fen = %s WHERE number = %s", values)
        read_day(hall, day)
        (found,) = differences(hall)
        assert (found.kind, found.state, found.theirs_fen - found.ours_fen, found.remedy) == ("differ", "open", more, None)
        propose(hall, "adjust")


def test_a_file_that_is_not_whole_closes_nothing_and_is_itself_gone_with_the_next_whole_one(hall: Hall, at: Move) -> None:
    _, _, day = missing(hall, at)
    read_day(hall, day, lambda text: text[:-10])
    assert {each.kind: each.state for each in differences(hall)} == {"missing": "open", "damaged": "open"}
    read_day(hall, day, late)
    assert {each.kind: each.state for each in differences(hall)} == {"missing": "open", "damaged": "gone"}


def test_an_older_file_that_is_written_down_later_changes_nothing(hall: Hall, at: Move) -> None:
    _, _, day = paid_day(hall, at, 1)

    def slow(text: str) -> str:
        read_day(hall, day)
        return late(text)

    read_day(hall, day, slow)
    assert hall.town.rows("SELECT state FROM reconciliation ORDER BY id") == [("different",), ("equal",)]
    assert differences(hall) == []


def test_staff_can_list_what_is_gone(hall: Hall, at: Move) -> None:
    _, _, day = missing(hall, at)
    read_day(hall, day)
    shown = {state: hall.town.call(hall.staff(), "GET", f"/api/differences?state={state}").json for state in ("open", "gone")}
    assert {state: len((answer or {})["items"]) for state, answer in shown.items()} == {"open": 0, "gone": 1}
    found = differences(hall)[0]
    path = f"/api/differences/{ids.show('difference', found.id)}/proposal"
    refused = hall.town.call(hall.staff(), "POST", path, json={"remedy": "note", "reason": "x"})
    assert (refused.status_code, (refused.json or {})["code"]) == (409, "difference_gone")
