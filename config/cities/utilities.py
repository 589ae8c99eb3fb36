"""The accounts of a demo city's households at the utility companies: as invented as the people, and the same on every machine."""

import datetime as dt
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from config.cities.people import Resident, residents
from config.cities.shapes import City

# What the sandbox plays, a line for each door: the first digit of its account numbers, which says what bill it is, and the units
# of a month: for the dwelling, for each person, and as much again by chance at most.
PLAYED = {
    "water": ("1", 4, 3, 6),
    "power": ("2", 60, 45, 60),
    "gas": ("3", 6, 4, 8),
}
DIGITS = {door: digit for door, (digit, *_) in PLAYED.items()}


@dataclass(frozen=True, slots=True)
class Account:
    """A household's account for one bill; the oldest of them owns it."""

    item: str
    company: str
    number: str
    owner: str
    address: str
    persons: int


def account_number(city: City, item: str, household: int) -> str:
    """Bill 1, city 2, household 6, check digit 1 (ISO/IEC 7812-1 annex B, the Luhn formula)."""
    digits = f"{DIGITS[item]}{city.id // 100 % 100:02d}{household:06d}"
    doubled = [int(digit) * (2 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(digits))]
    return digits + str(-sum(value // 10 + value % 10 for value in doubled) % 10)


def owners(city: City) -> dict[int, Resident]:
    """The owner of each household's accounts: the oldest."""
    found: dict[int, Resident] = {}
    for person in residents(city):
        known = found.get(person.household)
        if known is None or person.birth < known.birth:
            found[person.household] = person
    return found


def accounts(city: City) -> Iterator[Account]:
    """Every account of the city's households at the companies whose bills the city offers."""
    sizes: dict[int, int] = {}
    for person in residents(city):
        sizes[person.household] = sizes.get(person.household, 0) + 1
    offered = [(item.code, item.agency) for item in city.items if item.code in DIGITS]
    for household, owner in owners(city).items():
        for code, company in offered:
            yield Account(code, company, account_number(city, code, household), owner.name, owner.address, sizes[household])


def readings(account: Account, today: dt.date) -> Iterator[tuple[dt.date, int]]:
    """What the meter showed on the first of each month, from January of the year before to this month."""
    _, fixed, each, chance = PLAYED[account.item]
    value = int(account.number[3:9]) * 7
    for month in range(12 + today.month):
        day = dt.date(today.year - 1 + month // 12, month % 12 + 1, 1)
        yield day, value
        drawn = hashlib.sha256(f"{account.number}|{day}".encode()).digest()[0]
        value += fixed + each * min(account.persons, 8) + drawn * chance // 256
