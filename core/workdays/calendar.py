"""Working days and working hours as pure arithmetic over a city's calendar (the one engine of all clocks)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from core.clock import CHINA

Span = tuple[dt.time, dt.time]
MOST_DAYS = 3660  # ten years: a clock that runs longer is a mistake, and no loop here runs further
DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Calendar:
    """The days that differ from the week, and the office hours of each weekday (Monday is 0), in the city's time."""

    days: Mapping[dt.date, bool]
    week: Mapping[int, tuple[Span, ...]]
    zone: ZoneInfo = CHINA

    def is_working_day(self, day: dt.date) -> bool:
        """Whether offices work that day: as the table says, else as the week goes."""
        return self.days.get(day, bool(self.week.get(day.weekday())))

    def add_working_days(self, day: dt.date, count: int) -> dt.date:
        """Count working days from the day after (the day itself is not counted, Civil Code art. 201); backwards when negative."""
        step = DAY if count > 0 else -DAY
        left = abs(count)
        for _ in range(MOST_DAYS):
            if left == 0:
                return day
            day += step
            left -= self.is_working_day(day)
        raise OverflowError("the calendar holds no such working day within ten years")

    def working_days_between(self, start: dt.date, end: dt.date) -> int:
        """How many working days lie after ``start`` up to and with ``end``; negative when the end lies before."""
        if end < start:
            return -self.working_days_between(end, start)
        if (end - start).days > MOST_DAYS:
            raise OverflowError("more than ten years lie between")
        return sum(self.is_working_day(start + DAY * number) for number in range(1, (end - start).days + 1))

    def hours(self, day: dt.date) -> tuple[Span, ...]:
        """The office hours of a day; a make-up Saturday has the hours of a Monday."""
        if not self.is_working_day(day):
            return ()
        return self.week.get(day.weekday()) or self.week.get(0, ())

    def is_open(self, moment: dt.datetime) -> bool:
        """Whether offices work at this moment."""
        return any(opens <= moment < closes for opens, closes in self._spans(moment.astimezone(self.zone).date()))

    def add_working_time(self, moment: dt.datetime, length: dt.timedelta) -> dt.datetime:
        """When so much office time has passed since a moment, in UTC; a clock that starts outside office hours starts at the next ones."""
        if length < dt.timedelta():
            raise ValueError("working time is only added forwards")
        left = length
        for opens, closes in self._from(moment):
            start = max(opens, moment)
            if left <= closes - start:
                return (start + left).astimezone(dt.UTC)
            left -= closes - start
        raise OverflowError("the calendar holds not so much working time within ten years")

    def working_time_between(self, start: dt.datetime, end: dt.datetime) -> dt.timedelta:
        """How much office time lies between two moments; nothing when the end lies before."""
        total = dt.timedelta()
        if end <= start:
            return total
        for opens, closes in self._from(start):
            if opens >= end:
                return total
            total += max(min(closes, end) - max(opens, start), dt.timedelta())
        raise OverflowError("more than ten years lie between")

    def end_of_working_day(self, day: dt.date) -> dt.datetime:
        """When offices close on a day, in UTC; midnight at its end when they do not open (a deadline falls on the whole day)."""
        spans = self._spans(day)
        closes = spans[-1][1] if spans else dt.datetime.combine(day + DAY, dt.time(), self.zone)
        return closes.astimezone(dt.UTC)

    def _spans(self, day: dt.date) -> list[tuple[dt.datetime, dt.datetime]]:
        return [
            (dt.datetime.combine(day, opens, self.zone), dt.datetime.combine(day, closes, self.zone)) for opens, closes in self.hours(day)
        ]

    def _from(self, moment: dt.datetime) -> Iterator[tuple[dt.datetime, dt.datetime]]:
        """The office hours that end after a moment, in their order."""
        first = moment.astimezone(self.zone).date()
        for number in range(MOST_DAYS):
            yield from (span for span in self._spans(first + DAY * number) if span[1] > moment)
