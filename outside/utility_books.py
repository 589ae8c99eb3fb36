"""The books of the demo cities' utility companies: their households and meters, entered at the start, and the tariffs they bill by."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from typing import Final

from flask import Flask
from psycopg import OperationalError
from psycopg_pool import PoolTimeout

from config.cities import City
from config.cities.utilities import PLAYED, accounts, readings
from outside.world import EXTENSION, World
from services.items import items
from services.offices.utilities import Company, Customer, Reading, enter
from services.offices.utilities.books import last_readings
from services.tariffs import of_city

TRIES: Final = 6
PAUSE_SECONDS: Final = 2.0


def companies_of(cities: Sequence[City]) -> dict[str, Company]:
    """The companies that bill in these cities; a city without a tariff of its own bills by the declared one."""
    declared = items()
    return {
        offered.agency: Company(
            offered.agency, declared[offered.code].filled.unit, of_city(declared[offered.code].filled.tariff, offered.tariff)
        )
        for city in cities
        for offered in city.items
    }


def keep_books_at_last(app: Flask, cities: Sequence[City], *, pause: Callable[[float], None] = time.sleep) -> bool:
    """Enter them, again where the database was too busy; the other agencies do not fall silent because the meters are not in yet."""
    for nth in range(1, TRIES + 1):
        try:
            keep_books(app, cities)
        except (OperationalError, PoolTimeout) as fault:
            print(f"outside: the utilities' books wait for the database ({nth} of {TRIES}): {fault}", file=sys.stderr)
            pause(PAUSE_SECONDS * nth)
        else:
            return True
    return False


def keep_books(app: Flask, cities: Sequence[City]) -> None:
    """Enter the households and what their meters showed up to this month, unless that was done."""
    world: World = app.extensions[EXTENSION]
    today = world.now().date()
    read = last_readings(world.pool)
    behind = {
        offered.agency
        for city in cities
        for offered in city.items
        if offered.code in PLAYED and read.get(offered.agency) != today.replace(day=1)
    }
    if not behind:
        return
    known = [account for city in cities for account in accounts(city) if account.company in behind]
    enter(
        world.pool,
        [Customer(a.company, a.number, a.owner, a.address, a.persons, f"M{a.number}") for a in known],
        (Reading(a.company, a.number, day, value) for a in known for day, value in readings(a, today)),
    )
