"""Who lives with whom: people drawn from the age pyramid of the 2020 census, joined to couples and families."""

import datetime as dt
from bisect import bisect_left, bisect_right
from collections import Counter
from dataclasses import dataclass, field

from config.cities.chance import Chance, Weighted

# Share of each five-year age group in per mille, rounded, as the seventh national census (2020) counted it; the last begins at 85.
PYRAMID = (55, 64, 60, 52, 53, 65, 88, 70, 66, 81, 86, 72, 52, 53, 35, 22, 14, 12)
OLDEST_BAND_YEARS = 15
MEN_PER_MILLE = 512
MARRY_FROM = {"m": 26, "f": 24}
MARRIED_PER_MILLE = 860
LEAVES_HOME_AT = 20
MOTHERS_AGE = (22, 38)
CHILDREN_AT_MOST = 3


@dataclass(slots=True)
class Draft:
    """Somebody with sex, birth and household, not named yet; `parent` is the place of the father or mother in the list."""

    sex: str
    birth: dt.date
    household: int = -1
    parent: int = -1


@dataclass(slots=True)
class Households:
    """Numbers the households as they are founded."""

    count: int = 0
    couples: dict[int, int] = field(default_factory=dict)  # wife -> husband
    children: Counter[int] = field(default_factory=Counter)  # by mother

    def found(self) -> int:
        self.count += 1
        return self.count - 1


def years_before(day: dt.date, years: int) -> dt.date:
    """Give the same day so many years earlier; 29 February becomes the 28th."""
    try:
        return day.replace(year=day.year - years)
    except ValueError:
        return day.replace(year=day.year - years, day=28)


def years_between(birth: dt.date, day: dt.date) -> int:
    """Give somebody's age in whole years on a day."""
    return day.year - birth.year - ((day.month, day.day) < (birth.month, birth.day))


def drawn(count: int, today: dt.date, chance: Chance) -> list[Draft]:
    """Draw so many people by the pyramid; among the old there are more women."""
    bands = Weighted(dict(enumerate(PYRAMID)))
    people = []
    for _ in range(count):
        band = bands.draw(chance)
        width = 5 if band < len(PYRAMID) - 1 else OLDEST_BAND_YEARS
        days = chance.below(int(width * 365.25))
        birth = years_before(today, band * 5) - dt.timedelta(days=days + 1)
        men = MEN_PER_MILLE if band < 13 else MEN_PER_MILLE - 25 * (band - 12)
        people.append(Draft("m" if chance.below(1000) < men else "f", birth))
    return people


def of_age(people: list[Draft], sex: str, today: dt.date) -> list[int]:
    """Give the places of those old enough to marry, the oldest first."""
    latest = years_before(today, MARRY_FROM[sex])
    places = [place for place, each in enumerate(people) if each.sex == sex and each.birth <= latest]
    return sorted(places, key=lambda place: (people[place].birth, place))


def marry(people: list[Draft], homes: Households, today: dt.date, chance: Chance) -> None:
    """Join men and women of about the same age; who stays alone founds a household of one."""
    men, women = of_age(people, "m", today), of_age(people, "f", today)
    for husband, wife in zip(men, women, strict=False):
        if chance.below(1000) < MARRIED_PER_MILLE:
            people[husband].household = people[wife].household = homes.found()
            homes.couples[wife] = husband
    for place in [*men, *women]:
        if people[place].household < 0:
            people[place].household = homes.found()


def bring_up(people: list[Draft], homes: Households, today: dt.date, chance: Chance) -> None:
    """Give every child to a couple whose wife was of an age to bear it; the rest live by themselves."""
    wives = sorted(homes.couples, key=lambda place: (people[place].birth, place))
    births = [people[place].birth for place in wives]
    grown = years_before(today, LEAVES_HOME_AT)
    for each in people:
        if each.household >= 0:
            continue
        young = bisect_right(births, years_before(each.birth, MOTHERS_AGE[0]))
        old = bisect_left(births, years_before(each.birth, MOTHERS_AGE[1]))
        if old < young and (each.birth > grown or chance.once_in(2)):
            mother = _mother(wives, old, young, homes, chance)
            each.household = people[mother].household
            each.parent = homes.couples[mother] if not chance.once_in(14) else mother
        else:
            each.household = homes.found()


def _mother(wives: list[int], old: int, young: int, homes: Households, chance: Chance) -> int:
    """Draw a mother, preferring one who has few children yet."""
    drawn_wives = [wives[chance.between(old, young - 1)] for _ in range(CHILDREN_AT_MOST)]
    mother = min(drawn_wives, key=lambda place: homes.children[place])
    homes.children[mother] += 1
    return mother


def settle(count: int, today: dt.date, chance: Chance, first: list[Draft]) -> list[Draft]:
    """Draw a city's people after the first ones, whose facts are fixed, and give all of them households."""
    people = first + drawn(max(0, count - len(first)), today, chance)
    homes = Households()
    marry(people, homes, today, chance)
    bring_up(people, homes, today, chance)
    return people
