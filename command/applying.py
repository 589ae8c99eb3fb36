"""The parts of a city's data, each applied in one transaction with the note that it was."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator

import msgspec

import cards
import payments
from command.settling import let_in, settle
from config.cities import City
from config.cities.people import residents
from core import clock, places, workdays
from core.db import transaction
from core.workdays import Day

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def apply_data(city: City, part: str) -> None:
    """Bring places, calendar and products up to date; days that the operator changed stay as they are."""
    with transaction():
        places.put_regions(city.id, [each.as_row() for each in city.regions])
        places.put_cells(city.id, [(each.code, each.ring) for each in city.cells])
        workdays.add_hours(city.id, office_hours(city))
        workdays.add_days(city.id, calendar_days(city))
        cards.apply_products(city.id, [msgspec.to_builtins(product) for product in city.products])
        places.remember(city.id, part, city.fingerprint)
    # In transactions of its own; what an end in the middle leaves is done at midnight.
    payments.keep_within_terms(city.id)


def let_people_move_in(city: City, root_key: bytes, part: str) -> None:
    """Settle the invented people of a city, once: whoever lives there already stays as they are."""
    people = residents(city)
    with transaction():
        settle(city, people, root_key)
        places.remember(city.id, part, hashlib.sha256(repr(people).encode()).hexdigest())


def let_partners_in(city: City, root_key: bytes, part: str) -> None:
    """Register the partners of a demo city, each with the key that `citycard people` prints; one that is there keeps all but its scopes."""
    with transaction():
        for partner in city.partners:
            let_in(city, partner, root_key)
        places.remember(city.id, part, city.fingerprint)


def calendar_days(city: City) -> list[Day]:
    """The city's own days first, then what the country published, from the year before the city's first to the next one."""
    own = [Day(each.date, each.working, each.note) for each in city.calendar.days]
    return own + workdays.published(range(city.facts.start.year - 1, max(clock.today().year, city.facts.start.year) + 2))


def office_hours(city: City) -> Iterator[tuple[int, dt.time, dt.time]]:
    """Every span of office hours: weekday, opens, closes; "mon-fri 09:00-12:00 13:00-17:00" gives ten."""
    for line in city.calendar.working_hours:
        days, *spans = line.split()
        first, _, last = days.partition("-")
        for weekday in range(WEEKDAYS.index(first), WEEKDAYS.index(last or first) + 1):
            for span in spans:
                opens, closes = (dt.time.fromisoformat(end) for end in span.split("-"))
                yield weekday, opens, closes
