"""Tariffs with tiers over a calendar year, dated prices and more room for large households; pure.

The same reckoning serves whoever bills and whoever explains. Prices are whole ten-thousandths of a yuan for a unit (`price_e4`),
because electricity is priced finer than a fen; money is whole fen.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Tier:
    """A step of the tariff: its price holds up to `up_to` units a year, for ever where that is None."""

    up_to: int | None
    price_e4: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What holds from a day on; each person of a household beyond `persons` widens every tier by `more_per_person` units."""

    start: dt.date
    tiers: tuple[Tier, ...]
    persons: int = 4
    more_per_person: int = 0

    def __post_init__(self) -> None:
        """Refuse a tariff with a gap, without an end, or with a tier that is cheaper than the one before."""
        bounds = [tier.up_to for tier in self.tiers]
        inner = [bound for bound in bounds[:-1] if bound is not None]
        rising = all(a < b for a, b in pairwise(inner)) and all(a.price_e4 <= b.price_e4 for a, b in pairwise(self.tiers))
        if not bounds or bounds[-1] is not None or len(inner) != len(bounds) - 1 or not rising or self.tiers[0].price_e4 <= 0:
            raise ValueError(f"the tiers from {self.start} do not rise without a gap to an open end")

    def bounds(self, household: int) -> list[int | None]:
        """Where each tier ends for a household of so many persons, in units a year."""
        more = self.more_per_person * max(0, household - self.persons)
        return [None if tier.up_to is None else tier.up_to + more for tier in self.tiers]


class TierInFile(Protocol):
    """A step as a city's file says it."""

    @property
    def up_to(self) -> int | None: ...
    @property
    def price_e4(self) -> int: ...


class TermsInFile(Protocol):
    """A tariff from a day on, as a city's file says it."""

    @property
    def start(self) -> dt.date: ...
    @property
    def tiers(self) -> Sequence[TierInFile]: ...
    @property
    def persons(self) -> int: ...
    @property
    def more_per_person(self) -> int: ...


def of_city(declared: Sequence[Terms], terms: Sequence[TermsInFile]) -> tuple[Terms, ...]:
    """A city's own tariff from its first day on, and the declared one before it; ValueError as `of_file`."""
    own = of_file(terms)
    return (*(each for each in declared if not own or each.start < min(mine.start for mine in own)), *own)


def of_file(terms: Sequence[TermsInFile]) -> tuple[Terms, ...]:
    """A city's own tariff; ValueError where its tiers do not rise to an open end."""
    return tuple(
        Terms(
            start=each.start,
            tiers=tuple(Tier(tier.up_to, tier.price_e4) for tier in each.tiers),
            persons=each.persons,
            more_per_person=each.more_per_person,
        )
        for each in terms
    )


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a bill: so many units of one tier at one price, between two days (the second not included)."""

    since: dt.date
    until: dt.date
    tier: int
    quantity: int
    price_e4: int
    amount_fen: int


@dataclass(frozen=True, slots=True)
class Use:
    """What a meter measured: units between two days, after so many in the calendar year before, in a household of so many persons."""

    since: dt.date
    until: dt.date
    quantity: int
    before: int
    persons: int


def lines_of(use: Use, tariff: Sequence[Terms]) -> list[Line]:
    """The lines of a bill: by days where a price changed inside the period, and within each part by tier; raises LookupError."""
    lines: list[Line] = []
    before = use.before
    for since, until, quantity in parts_of(use, tariff):
        terms = in_force(tariff, since)
        lines += _tiered(since, until, quantity, before, terms, use.persons)
        before += quantity
    return lines


def total_fen(lines: Sequence[Line]) -> int:
    """What a bill comes to."""
    return sum(line.amount_fen for line in lines)


def in_force(tariff: Sequence[Terms], day: dt.date) -> Terms:
    """The terms that hold on a day; LookupError when none do yet."""
    holding = [terms for terms in tariff if terms.start <= day]
    if not holding:
        raise LookupError(f"no tariff holds on {day}")
    return max(holding, key=lambda terms: terms.start)


def parts_of(use: Use, tariff: Sequence[Terms]) -> list[tuple[dt.date, dt.date, int]]:
    """The period cut where prices change; the meter was not read on that day, so units are shared out by days, all of them."""
    cuts = sorted({use.since, use.until, *(t.start for t in tariff if use.since < t.start < use.until)})
    days = (use.until - use.since).days
    found, given = [], 0
    for since, until in pairwise(cuts):
        upto = use.quantity * (until - use.since).days // days
        found.append((since, until, upto - given))
        given = upto
    return found


def _tiered(since: dt.date, until: dt.date, quantity: int, before: int, terms: Terms, persons: int) -> list[Line]:
    lines, at, left = [], before, quantity
    for number, (tier, bound) in enumerate(zip(terms.tiers, terms.bounds(persons), strict=True), start=1):
        here = left if bound is None else min(left, max(0, bound - at))
        if here:
            # Half a fen is rounded up, on each line, as the printed bill shows it.
            lines.append(Line(since, until, number, here, tier.price_e4, (here * tier.price_e4 + 50) // 100))
        at, left = at + here, left - here
    return lines
