"""The company's day against ours: equal, missing, extra, differ; every mutation is seen, and repair takes two people and new entries."""

from __future__ import annotations

import datetime as dt
import hashlib
import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from core import clock, db, ids
from payments import bill_paying, ledger
from services.kinds.statement import jobs, reconciling, repairing
from services.kinds.statement.day_files import Entry, FileDamaged, compare, read
from services.kinds.statement.errors import DayNotOver, RemedyUnfit, SamePerson, StepForbidden
from services.offices.utilities.day_file import write
from tests.payments.conftest import YUNCHUAN
from tests.services.conftest import WATER, Hall

DAY = dt.date(2026, 11, 21)
Move = Callable[[dt.timedelta], None]


def rows(count: int = 20) -> list[dict[str, Any]]:
    """A day of payments as the company's books hold them."""
    return [
        {
            "serial": nth,
            "number": f"bill_payment_{nth:04d}",
            "account": f"1{nth:09d}",
            "bill": f"1{nth:09d}202610",
            "amount_fen": 3_000 + 17 * nth,
            "day": DAY,
        }
        for nth in range(1, count + 1)
    ]


def ours_of(made: list[dict[str, Any]]) -> dict[str, Entry]:
    return {entry.number: entry for entry in read(write(WATER, DAY, made), company=WATER, day=DAY)}


def flagged(text: str, ours: dict[str, Entry]) -> bool:
    try:
        return bool(compare(ours, read(text, company=WATER, day=DAY))[1])
    except FileDamaged:
        return True


def test_the_same_day_on_both_sides_is_equal() -> None:
    made = rows()
    assert compare(ours_of(made), read(write(WATER, DAY, made), company=WATER, day=DAY)) == (20, [])


def test_an_empty_day_is_equal() -> None:
    assert compare({}, read(write(WATER, DAY, []), company=WATER, day=DAY)) == (0, [])


def honest_changes(chance: random.Random) -> list[dict[str, Any]]:
    """A file whose totals are right and whose content is not: what a faulty company would send."""
    made = rows()
    nth, other = chance.sample(range(len(made)), 2)
    change = chance.randrange(8)
    if change == 0:
        del made[nth]
    elif change == 1:
        made.append({**made[nth], "serial": 900})
    elif change == 2:
        made[nth]["amount_fen"], made[other]["amount_fen"] = made[other]["amount_fen"], made[nth]["amount_fen"]
    elif change == 3:
        made[nth]["amount_fen"] += chance.choice((-1, 1))
    elif change == 4:
        made[nth]["day"] = DAY + dt.timedelta(days=chance.choice((-1, 1, 365)))
    elif change == 5:
        made[nth]["account"], made[other]["account"] = made[other]["account"], made[nth]["account"]
    elif change == 6:
        made.append({**made[nth], "number": "bill_payment_9999", "serial": 901})
    else:
        made[nth]["bill"] = made[other]["bill"]
    return made


def torn(text: str, chance: random.Random) -> str:
    """A file that was damaged on its way: a byte, a line, a cut."""
    lines, place = text.splitlines(keepends=True), chance.randrange(len(text))
    kind = chance.randrange(6)
    if kind == 0:
        return text[:place] + chr((ord(text[place]) + chance.randrange(1, 90)) % 128) + text[place + 1 :]
    if kind == 1:
        return text[:place]
    if kind == 2:
        return text[:place] + text[place + 1 :]
    if kind == 3:
        del lines[chance.randrange(len(lines))]
        return "".join(lines)
    if kind == 4:
        nth = chance.randrange(len(lines) - 1)
        lines[nth], lines[nth + 1] = lines[nth + 1], lines[nth]
        return "".join(lines)
    lines.insert(chance.randrange(len(lines)), chance.choice(lines))
    return "".join(lines)


def test_every_one_of_3000_mutated_files_is_flagged() -> None:
    chance, ours, whole = random.Random(20261121), ours_of(rows()), write(WATER, DAY, rows())
    missed = []
    for nth in range(3_000):
        text = write(WATER, DAY, honest_changes(chance)) if nth % 2 else torn(whole, chance)
        assert text != whole
        if not flagged(text, ours):
            missed.append(text)
    assert missed == []


def test_totals_that_do_not_fit_are_seen_even_under_a_right_hash() -> None:
    lines = write(WATER, DAY, rows()).splitlines(keepends=True)[:-1]
    digest = hashlib.sha256("".join(lines).encode()).hexdigest()
    for totals in ("19|63570", "20|63571", "0|0"):
        with pytest.raises(FileDamaged):
            read("".join(lines) + f"T|{totals}|{digest}\n", company=WATER, day=DAY)


def test_a_file_of_another_day_or_company_is_not_ours() -> None:
    for company, day in (("990100-gas", DAY), (WATER, DAY + dt.timedelta(days=1))):
        with pytest.raises(FileDamaged):
            read(write(company, day, []), company=WATER, day=DAY)


def test_each_kind_of_difference_is_named() -> None:
    made = rows(3)
    ours = ours_of(made)
    theirs = read(write(WATER, DAY, [*made[1:], {**made[0], "number": "bill_payment_8888"}]), company=WATER, day=DAY)
    theirs[0] = replace(theirs[0], amount_fen=1)
    equal, found = compare(ours, theirs)
    assert equal == 1
    assert sorted((each.kind, each.number[-4:]) for each in found) == [("differ", "0002"), ("extra", "8888"), ("missing", "0001")]


# With the books.


def paid_day(hall: Hall, at: Move, count: int = 2) -> tuple[Any, list[Any], dt.date]:
    """Some bills paid on a day that is over."""
    wang = hall.town.holder(90_000)
    paid = [hall.pay(wang, hall.bill(wang, hall.bound(wang))) for _ in range(count)]
    day = clock.today()
    at(dt.timedelta(days=1))
    return wang, paid, day


def differences(hall: Hall) -> list[Any]:
    with db.transaction() as session:
        found = list(session.scalars(repairing.differences(hall.staff(), state=None)))
        session.expunge_all()
    return found


def test_the_night_reconciles_the_day_before_by_itself(hall: Hall, at: Move) -> None:
    paid_day(hall, at)
    jobs.reconcile_days()
    assert hall.town.rows("SELECT state, equal, differences FROM reconciliation WHERE item = 'water' AND equal > 0") == [("equal", 2, 0)]
    before = hall.town.rows("SELECT count(*) FROM reconciliation")
    jobs.reconcile_days()
    assert hall.town.rows("SELECT count(*) FROM reconciliation") == before, "a day that was read whole is not read again"


def test_a_day_to_which_a_payment_came_after_it_was_read_is_read_again(hall: Hall, at: Move) -> None:
    _, _, day = paid_day(hall, at)
    jobs.reconcile_days()
    at(-dt.timedelta(days=1))
    wang = hall.town.holder(90_000)
    hall.pay(wang, hall.bill(wang, hall.bound(wang)))
    at(dt.timedelta(days=1))
    jobs.reconcile_days()
    read = hall.town.rows("SELECT state, equal FROM reconciliation WHERE item = 'water' AND day = %s ORDER BY id", day)
    assert read == [("equal", 2), ("equal", 3)]


def test_a_payment_still_open_at_midnight_is_found_out_first(hall: Hall, at: Move) -> None:
    wang = hall.town.holder(90_000)
    hall.line.fault = "answer_lost"
    open_one = hall.pay(wang, hall.bill(wang, hall.bound(wang)))
    hall.line.fault = ""
    day = clock.today()
    at(dt.timedelta(days=1))
    reconciling.reconcile(hall.staff(), YUNCHUAN, "water", day)
    assert hall.seen(wang, open_one.id).state == "paid"
    assert differences(hall) == []


def test_a_day_that_has_not_ended_is_not_reconciled(hall: Hall) -> None:
    with pytest.raises(DayNotOver):
        reconciling.reconcile(hall.staff(), YUNCHUAN, "water", clock.today())


def test_a_damaged_file_is_a_difference_and_is_read_again(hall: Hall, at: Move) -> None:
    _, _, day = paid_day(hall, at)
    hall.line.spoil = lambda text: text[:-10]
    reconciling.reconcile_unread(YUNCHUAN, "water", day)
    assert [each.kind for each in differences(hall)] == ["damaged"]
    hall.line.spoil = lambda text: text
    reconciling.reconcile_unread(YUNCHUAN, "water", day)
    assert hall.town.rows("SELECT state FROM reconciliation ORDER BY id") == [("damaged",), ("equal",)]


def test_what_the_company_lacks_is_given_back_by_two_people_and_a_new_entry(hall: Hall, at: Move) -> None:
    wang, paid, day = paid_day(hall, at)
    with hall.office.pool.connection() as connection:
        connection.execute("DELETE FROM utility_payment WHERE number = %s", (ids.show("bill_payment", paid[0].id),))
    reconciling.reconcile(hall.staff(), YUNCHUAN, "water", day)
    found = differences(hall)[0]
    assert (found.kind, found.ours_fen, found.theirs_fen) == ("missing", paid[0].amount_fen, None)
    clerk, supervisor, before = hall.staff(), hall.staff(), hall.town.balance(wang)
    hall.town.do(repairing.propose, clerk, found.id, remedy="give_back", reason="水务未收到")
    assert hall.town.balance(wang) == before
    with pytest.raises(SamePerson):
        repairing.approve(clerk, found.id)
    entries = hall.town.rows("SELECT count(*) FROM transfer")[0][0]
    repairing.approve(supervisor, found.id)
    assert hall.town.balance(wang) == before + paid[0].amount_fen
    assert hall.seen(wang, paid[0].id).state == "refunded"
    assert hall.town.rows("SELECT count(*) FROM transfer")[0][0] == entries + 1
    with pytest.raises(StepForbidden):
        repairing.approve(hall.staff(), found.id)
    assert hall.town.balanced()


def test_what_the_company_has_beyond_ours_is_adjusted_by_two_people(hall: Hall, at: Move) -> None:
    _, paid, day = paid_day(hall, at)
    with hall.office.pool.connection() as connection:
        connection.execute(
            "UPDATE utility_payment SET amount_fen = amount_fen + 100 WHERE number = %s", (ids.show("bill_payment", paid[0].id),)
        )
    reconciling.reconcile(hall.staff(), YUNCHUAN, "water", day)
    found = differences(hall)[0]
    assert (found.kind, found.theirs_fen - found.ours_fen) == ("differ", 100)
    with pytest.raises(RemedyUnfit):
        hall.town.do(repairing.propose, hall.staff(), found.id, remedy="give_back", reason="x")
    hall.town.do(repairing.propose, hall.staff(), found.id, remedy="adjust", reason="水务多记 1 元，双方核定")
    repairing.approve(hall.staff(), found.id)

    assert hall.town.do(ledger.balance, bill_paying.difference_account(YUNCHUAN)) == -100
    assert hall.town.balanced()


def test_the_database_itself_wants_two_people(hall: Hall, at: Move) -> None:
    _, _, day = paid_day(hall, at, 1)
    hall.line.spoil = lambda text: ""
    reconciling.reconcile(hall.staff(), YUNCHUAN, "water", day)
    found, one = differences(hall)[0], ids.new_id()
    with pytest.raises(Exception, match="ck_difference_two_people"):
        hall.town.rows(
            "UPDATE difference SET state = 'repaired', remedy = 'note', proposed_by = %s, approved_by = %s WHERE id = %s RETURNING 1",
            one, one, found.id,
        )  # fmt: skip
