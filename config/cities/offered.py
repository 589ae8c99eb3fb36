"""The public services that a city offers, as its file says them."""

import datetime as dt
from typing import Annotated

from msgspec import Meta

from config.cities.shape import Code, Shape


class TariffTier(Shape, frozen=True):
    """A step of a tariff: its price holds up to so many units a year, for ever where that is not given."""

    price_e4: Annotated[int, Meta(gt=0, le=10**8)]
    up_to: Annotated[int, Meta(gt=0, le=10**8)] | None = None


class TariffTerms(Shape, frozen=True):
    """A tariff from a day on; each person of a household beyond `persons` widens every tier."""

    start: dt.date
    tiers: Annotated[tuple[TariffTier, ...], Meta(min_length=1, max_length=10)]
    persons: Annotated[int, Meta(ge=1, le=20)] = 4
    more_per_person: Annotated[int, Meta(ge=0, le=10**6)] = 0


class OfferedItem(Shape, frozen=True):
    """A public service that the city offers; `door` is where its agency answers, and a tariff replaces the declared one."""

    code: Code
    agency: Code
    door: Code
    tariff: tuple[TariffTerms, ...] = ()
