"""The city's own calendar: seeded once, corrected by the operator, and missed when next year's is not there."""

import datetime as dt

import pytest
from flask import Flask
from sqlalchemy import text

from core import workdays
from core.actors import system
from core.db import session
from core.workdays import Day

CITY = 990199
OPERATOR = system("calendar", CITY)

pytestmark = [pytest.mark.subset, pytest.mark.usefixtures("rollback")]


@pytest.fixture(autouse=True)
def seeded(rollback: Flask) -> None:
    workdays.add_hours(CITY, [(weekday, dt.time(9), dt.time(17)) for weekday in range(5)])
    workdays.add_days(CITY, workdays.published([2026]))


def test_the_table_decides() -> None:
    assert workdays.is_working_day(CITY, dt.date(2026, 2, 14))
    assert not workdays.is_working_day(CITY, dt.date(2026, 2, 18))
    assert workdays.add_working_days(CITY, dt.date(2026, 2, 13), 6) == dt.date(2026, 2, 28)


def test_seeding_again_leaves_the_operators_correction() -> None:
    flood = dt.date(2026, 7, 8)
    workdays.change_day(OPERATOR, city_id=CITY, day=Day(flood, False, "防汛停工"))
    workdays.change_day(OPERATOR, city_id=CITY, day=Day(dt.date(2026, 2, 14), False, "本市另行安排"))
    workdays.add_days(CITY, [*workdays.published([2026]), Day(flood, True, "again")])
    workdays.add_hours(CITY, [(6, dt.time(1), dt.time(2))])
    calendar = workdays.calendar(CITY)
    assert not calendar.is_working_day(flood)
    assert not calendar.is_working_day(dt.date(2026, 2, 14))
    assert set(calendar.week) == {0, 1, 2, 3, 4}


def test_a_correction_is_written_in_the_audit_log() -> None:
    workdays.change_day(OPERATOR, city_id=CITY, day=Day(dt.date(2026, 7, 8), False, "防汛停工"))
    lines = session().execute(text("SELECT subject FROM audit WHERE event = 'core:calendar:change' AND city_id = :city"), {"city": CITY})
    assert [line.subject for line in lines] == ["day:2026-07-08"]


def test_an_expected_holiday_gives_way_to_the_notice_and_a_corrected_one_does_not() -> None:
    expected, corrected, off = dt.date(2027, 2, 10), dt.date(2027, 5, 4), dt.date(2027, 2, 11)
    workdays.add_days(CITY, workdays.published([2027]))
    assert not workdays.is_working_day(CITY, expected)
    workdays.change_day(OPERATOR, city_id=CITY, day=Day(corrected, False, "本市放假"))
    workdays.add_days(CITY, [Day(off, False, "春节"), Day(dt.date(2027, 2, 20), True, "调休上班")])
    assert workdays.is_working_day(CITY, expected)
    assert not workdays.is_working_day(CITY, off)
    assert not workdays.is_working_day(CITY, corrected)


def test_another_city_has_its_own_calendar() -> None:
    assert workdays.calendar(CITY + 1).days == {}


@pytest.mark.parametrize(("today", "missing"), [("2026-11-14", None), ("2026-11-15", 2027), ("2026-12-31", 2027), ("2025-12-01", None)])
def test_next_year_is_missed_when_its_notice_should_be_out(today: str, missing: int | None) -> None:
    assert workdays.unknown_year(CITY, dt.date.fromisoformat(today)) == missing


def test_it_is_missed_no_more_once_a_make_up_day_is_known() -> None:
    workdays.change_day(OPERATOR, city_id=CITY, day=Day(dt.date(2027, 2, 20), True, "调休上班"))
    assert workdays.unknown_year(CITY, dt.date(2026, 12, 1)) is None
