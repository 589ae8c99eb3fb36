"""The books of the demo cities' utility companies: their households and meters, entered at the start, and the tariffs they bill by."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Flask

from config.cities import City
from config.cities.offered import OfferedItem
from config.cities.utilities import accounts, readings
from outside.world import EXTENSION, World
from services.items import items
from services.offices.utilities import Company, Customer, Reading, enter
from services.offices.utilities.books import last_reading
from services.tariffs import Terms, Tier


def companies_of(cities: Sequence[City]) -> dict[str, Company]:
    """The companies that bill in these cities; a city without a tariff of its own bills by the declared one."""
    declared = items()
    return {
        offered.agency: Company(
            offered.agency, declared[offered.code].filled.unit, tariff_of(offered) or declared[offered.code].filled.tariff
        )
        for city in cities
        for offered in city.items
    }


def tariff_of(offered: OfferedItem) -> tuple[Terms, ...]:
    """The tariff of a city's file."""
    return tuple(
        Terms(
            start=terms.start,
            tiers=tuple(Tier(tier.up_to, tier.price_e4) for tier in terms.tiers),
            persons=terms.persons,
            more_per_person=terms.more_per_person,
        )
        for terms in offered.tariff
    )


def keep_books(app: Flask, cities: Sequence[City]) -> None:
    """Enter the households and what their meters showed up to this month, unless that was done."""
    world: World = app.extensions[EXTENSION]
    today = world.now().date()
    if last_reading(world.pool) == today.replace(day=1):
        return
    known = [account for city in cities for account in accounts(city)]
    enter(
        world.pool,
        [Customer(a.company, a.number, a.owner, a.address, a.persons, f"M{a.number}") for a in known],
        (Reading(a.company, a.number, day, value) for a in known for day, value in readings(a, today)),
    )
