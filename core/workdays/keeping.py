"""The calendar as the city keeps it: read, seeded without overwriting, changed by the operator, watched for the next year."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from zoneinfo import ZoneInfo

from sqlalchemy import delete, extract, select
from sqlalchemy.dialects.postgresql import insert

from core import clock
from core.actors import Actor
from core.audit import record
from core.db import session
from core.vocabulary import AuditEvent
from core.workdays.calendar import Calendar, Span
from core.workdays.models import CalendarDay, WorkingTime
from core.workdays.published import Day

# The notice for the next year came on 25, 12 and 4 November of the last three years; without it by then somebody must ask.
ASK_FROM = (11, 15)


def calendar(city_id: int, zone: ZoneInfo = clock.CHINA) -> Calendar:
    """The city's calendar as it stands now."""
    days = session().scalars(select(CalendarDay).where(CalendarDay.city_id == city_id))
    week: dict[int, tuple[Span, ...]] = {}
    spans = select(WorkingTime).where(WorkingTime.city_id == city_id).order_by(WorkingTime.weekday, WorkingTime.opens)
    for span in session().scalars(spans):
        week[span.weekday] = (*week.get(span.weekday, ()), (span.opens, span.closes))
    return Calendar({each.day: each.working for each in days}, week, zone)


def is_working_day(city_id: int, day: dt.date) -> bool:
    """Whether the city's offices work that day."""
    return calendar(city_id).is_working_day(day)


def add_working_days(city_id: int, day: dt.date, count: int) -> dt.date:
    """The day that lies so many of the city's working days after another."""
    return calendar(city_id).add_working_days(day, count)


def add_days(city_id: int, days: Iterable[Day]) -> None:
    """Add days the calendar does not know yet; one that stands, perhaps corrected by the operator, stays, unless it was only expected."""
    given = list(days)
    rows = [{"city_id": city_id, "day": each.day, "working": each.working, "note": each.note, "expected": each.expected} for each in given]
    confirmed = {each.day.year for each in given if not each.expected}
    expected = delete(CalendarDay).where(CalendarDay.city_id == city_id, CalendarDay.expected)
    session().execute(expected.where(extract("year", CalendarDay.day).in_(confirmed)))
    if rows:
        session().execute(insert(CalendarDay).on_conflict_do_nothing(), rows)


def add_hours(city_id: int, week: Iterable[tuple[int, dt.time, dt.time]]) -> None:
    """Give a city its office hours (weekday, opens, closes) unless it has some already."""
    if session().scalars(select(WorkingTime.weekday).where(WorkingTime.city_id == city_id).limit(1)).first() is not None:
        return
    rows = [{"city_id": city_id, "weekday": weekday, "opens": opens, "closes": closes} for weekday, opens, closes in week]
    if rows:
        session().execute(insert(WorkingTime), rows)


def change_day(actor: Actor, *, city_id: int, day: Day) -> None:
    """Set one day as the operator says, with a line in the audit log."""
    change = {"working": day.working, "note": day.note, "expected": False}
    row = {"city_id": city_id, "day": day.day, **change}
    session().execute(insert(CalendarDay).values(row).on_conflict_do_update(index_elements=["city_id", "day"], set_=change))
    record(actor, AuditEvent.CALENDAR_CHANGED, city_id=city_id, subject=f"day:{day.day}", detail={"working": day.working})


def unknown_year(city_id: int, today: dt.date | None = None) -> int | None:
    """The next year, when it is late in this one and no make-up working day of it is known: the notice was not entered yet."""
    today = today or clock.today()
    if (today.month, today.day) < ASK_FROM:
        return None
    next_year = today.year + 1
    known = (
        select(CalendarDay.day)
        .where(CalendarDay.city_id == city_id, CalendarDay.working, extract("year", CalendarDay.day) == next_year)
        .limit(1)
    )
    return None if session().scalars(known).first() else next_year
