"""The country's public holidays and make-up working days, as the `holidays` package has them from the published notices."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

MAKE_UP = "调休上班"


@dataclass(frozen=True, slots=True)
class Day:
    """A day that differs from the week, and why; `expected` when it follows from the law and no notice confirmed it yet."""

    day: dt.date
    working: bool
    note: str
    expected: bool = False


def published(years: Iterable[int]) -> list[Day]:
    """Every holiday and make-up working day of these years in China, in their order (State Council notices, each November).

    A year without make-up days has no notice yet: its holidays are those of the law and only expected.
    """
    import holidays  # 100 ms of loading for what is read once at seeding

    wanted = sorted(set(years))
    found = holidays.country_holidays("CN", years=wanted, language="zh_CN")
    make_up = [day for day in found.weekend_workdays if day.year in wanted]
    noticed = {day.year for day in make_up}
    days = [Day(day, False, note, day.year not in noticed) for day, note in found.items()]
    days += [Day(day, True, MAKE_UP) for day in make_up]
    return sorted(days, key=lambda each: each.day)
