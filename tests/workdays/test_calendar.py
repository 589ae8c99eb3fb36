"""Working-day and working-hour arithmetic, and the published calendar of 2026."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.workdays import Calendar, Day, published

CHINA = ZoneInfo("Asia/Shanghai")
OFFICE = {weekday: ((dt.time(9), dt.time(12)), (dt.time(13), dt.time(17))) for weekday in range(5)}

# Notice of the General Office of the State Council on holidays in 2026, dated 4 November 2025: (first, last day) off, and days worked.
OFF_2026 = (
    ("01-01", "01-03"),
    ("02-15", "02-23"),
    ("04-04", "04-06"),
    ("05-01", "05-05"),
    ("06-19", "06-21"),
    ("09-25", "09-27"),
    ("10-01", "10-07"),
)
WORKED_2026 = ("01-04", "02-14", "02-28", "05-09", "09-20", "10-10")


def date(month_day: str) -> dt.date:
    return dt.date.fromisoformat(f"2026-{month_day}")


@pytest.fixture(scope="module")
def calendar() -> Calendar:
    return Calendar({each.day: each.working for each in published([2025, 2026, 2027])}, OFFICE)


def at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=CHINA)


def test_every_day_of_2026_is_as_the_state_council_published_it(calendar: Calendar) -> None:
    off = {day for first, last in OFF_2026 for day in days_from(date(first), date(last))}
    worked = {date(each) for each in WORKED_2026}
    for day in days_from(date("01-01"), date("12-31")):
        expected = day in worked or (day.weekday() < 5 and day not in off)
        assert calendar.is_working_day(day) == expected, day


def days_from(first: dt.date, last: dt.date) -> list[dt.date]:
    return [first + dt.timedelta(days=number) for number in range((last - first).days + 1)]


def test_a_make_up_saturday_says_so() -> None:
    assert Day(date("02-14"), True, "调休上班") in published([2026])


def test_days_are_given_for_the_years_asked_for_alone() -> None:
    assert {each.day.year for each in published([2026])} == {2026}


def test_counting_begins_the_day_after(calendar: Calendar) -> None:
    assert calendar.add_working_days(date("03-02"), 1) == date("03-03")
    assert calendar.add_working_days(date("03-02"), 0) == date("03-02")


def test_five_working_days_from_before_spring_festival_skip_it_and_count_the_make_up_saturdays(calendar: Calendar) -> None:
    assert calendar.add_working_days(date("02-13"), 1) == date("02-14")
    assert calendar.add_working_days(date("02-13"), 5) == date("02-27")
    assert calendar.add_working_days(date("02-13"), 6) == date("02-28")


def test_counting_backwards_undoes_counting_forwards(calendar: Calendar) -> None:
    assert calendar.add_working_days(date("02-28"), -6) == date("02-13")


@given(start=st.dates(dt.date(2025, 1, 1), dt.date(2027, 6, 1)), count=st.integers(1, 120))
def test_between_counts_what_was_added(start: dt.date, count: int) -> None:
    calendar = Calendar({each.day: each.working for each in KNOWN}, OFFICE)
    end = calendar.add_working_days(start, count)
    assert calendar.is_working_day(end)
    assert calendar.working_days_between(start, end) == count
    assert calendar.working_days_between(end, start) == -count


KNOWN = published([2025, 2026, 2027])


def test_four_working_hours_from_late_afternoon_end_next_day_around_lunch(calendar: Calendar) -> None:
    assert calendar.add_working_time(at("2026-03-02 16:00"), dt.timedelta(hours=4)) == at("2026-03-03 12:00")
    assert calendar.add_working_time(at("2026-03-02 16:00"), dt.timedelta(hours=5)) == at("2026-03-03 14:00")


def test_a_clock_started_at_night_starts_in_the_morning(calendar: Calendar) -> None:
    assert calendar.add_working_time(at("2026-03-06 23:00"), dt.timedelta(hours=1)) == at("2026-03-09 10:00")
    assert calendar.add_working_time(at("2026-03-07 10:00"), dt.timedelta()) == at("2026-03-09 09:00")


def test_a_make_up_saturday_has_the_hours_of_a_monday(calendar: Calendar) -> None:
    assert calendar.hours(date("02-14")) == OFFICE[0]
    assert calendar.is_open(at("2026-02-14 10:00"))
    assert not calendar.is_open(at("2026-02-21 10:00"))


def test_noon_is_closed_and_the_closing_minute_too(calendar: Calendar) -> None:
    assert calendar.is_open(at("2026-03-02 11:59"))
    assert not calendar.is_open(at("2026-03-02 12:00"))
    assert not calendar.is_open(at("2026-03-02 17:00"))


@given(start=st.datetimes(dt.datetime(2026, 1, 1), dt.datetime(2026, 11, 1)), minutes=st.integers(0, 5000))
def test_time_between_is_the_time_added(start: dt.datetime, minutes: int) -> None:
    calendar = Calendar({each.day: each.working for each in KNOWN}, OFFICE)
    moment, length = start.replace(tzinfo=CHINA), dt.timedelta(minutes=minutes)
    end = calendar.add_working_time(moment, length)
    assert calendar.working_time_between(moment, end) == length
    assert end.tzinfo is dt.UTC


def test_a_deadline_day_ends_when_the_offices_close(calendar: Calendar) -> None:
    assert calendar.end_of_working_day(date("03-02")) == at("2026-03-02 17:00")
    assert calendar.end_of_working_day(date("03-07")) == at("2026-03-08 00:00")


def test_a_calendar_without_office_hours_refuses_instead_of_searching_for_ever() -> None:
    with pytest.raises(OverflowError):
        Calendar({}, {}).add_working_days(date("03-02"), 1)
    with pytest.raises(OverflowError):
        Calendar({}, {}).add_working_time(at("2026-03-02 10:00"), dt.timedelta(hours=1))
