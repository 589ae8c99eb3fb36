"""A city's data and, in a demo, its invented people, brought into the database; the same data again change nothing."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator
from typing import Any

import msgspec
import psycopg

from command.settling import settle
from config.cities import City, load
from config.cities.people import residents
from config.settings import Settings
from core import places, workdays
from core.db import transaction
from core.workdays import Day

DATA, PEOPLE = "data", "people"
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def seed(settings: Settings) -> None:
    """Apply every city that the settings name; who lives there is invented, so production gets the data alone."""
    cities = [load(slug) for slug in settings.cities]
    known = _known(settings.database_url)
    if all(_stands(city, known, settings) for city in cities):
        return
    from app import create_app  # after the check: a second start need not build the program

    with create_app(settings).app_context():
        for city in cities:
            if known.get((city.id, DATA)) != city.fingerprint:
                _apply(city)
            if not settings.production and (city.id, PEOPLE) not in known:
                _settle(city, settings)


def _stands(city: City, known: dict[tuple[int, str], str], settings: Settings) -> bool:
    return known.get((city.id, DATA)) == city.fingerprint and (settings.production or (city.id, PEOPLE) in known)


def _known(database_url: str) -> dict[tuple[int, str], str]:
    with psycopg.connect(database_url) as connection:
        rows = connection.execute("SELECT city_id, part, fingerprint FROM city_data").fetchall()
    return {(city_id, part): fingerprint for city_id, part, fingerprint in rows}


def _apply(city: City) -> None:
    """Bring places, calendar and products up to date in one transaction."""
    import cards

    with transaction():
        places.put_regions(city.id, [each.as_row() for each in city.regions])
        places.put_cells(city.id, [(each.code, each.ring) for each in city.cells])
        workdays.add_hours(city.id, office_hours(city))
        workdays.add_days(city.id, calendar_days(city))
        cards.apply_products(city.id, [_plain(product) for product in city.products])
        places.remember(city.id, DATA, city.fingerprint)


def _settle(city: City, settings: Settings) -> None:
    """Let the invented people of a city move in, once: whoever is there already stays as they are."""
    people = residents(city)
    with transaction():
        settle(city, people, settings.root_key)
        places.remember(city.id, PEOPLE, hashlib.sha256(repr(people).encode()).hexdigest())


def _plain(shape: Any) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.to_builtins(shape)
    return plain


def calendar_days(city: City) -> list[Day]:
    """The city's own days, then what the country published from the year before the city's first to the next one."""
    own = [Day(each.date, each.working, each.note) for each in city.calendar.days]
    years = range(city.facts.start.year - 1, max(dt.datetime.now(dt.UTC).year, city.facts.start.year) + 2)
    return own + workdays.published(years)


def office_hours(city: City) -> Iterator[tuple[int, dt.time, dt.time]]:
    """Every span of office hours: weekday, opens, closes; "mon-fri 09:00-12:00 13:00-17:00" gives ten."""
    for line in city.calendar.working_hours:
        days, *spans = line.split()
        first, _, last = days.partition("-")
        for weekday in range(WEEKDAYS.index(first), WEEKDAYS.index(last or first) + 1):
            for span in spans:
                opens, closes = (dt.time.fromisoformat(end) for end in span.split("-"))
                yield weekday, opens, closes
