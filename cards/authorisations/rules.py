"""The rules of one-time authorisations, as data and pure decisions."""

from __future__ import annotations

import datetime as dt
from typing import Final

from core.clock import CHINA

# How many a phone fetches at once; a day's walks through a city, with a reserve.
MOST_KEYS: Final = 200
# How much all living authorisations of a card may cost together: the city's risk for each disconnected terminal a cheat can reach.
MOST_AT_STAKE_FEN: Final = 50_000
# Identity alone, or a fare: one value for everybody, because an amount of one's own would tie codes together.
LIMITS_FEN: Final = (0, 1_000)
LIFE: Final = dt.timedelta(hours=24)
# The hour at which the city changes its authorisations: when nobody travels.
CHANGE: Final = dt.time(4)
# What gates may be shown, by the words of cards; 0 shows nothing, 1 that there is no concession, 255 one that gates do not know.
CONCESSIONS: Final = {"student": 2, "elder": 3, "disabled": 4, "veteran": 5, "donor": 6, "child": 7}


def window(now: dt.datetime, *, following: bool = False) -> tuple[dt.datetime, dt.datetime]:
    """The city's day of authorisations, or the one after it: the same for everybody, so that it tells nobody's codes apart."""
    local = now.astimezone(CHINA)
    day = local.date() - dt.timedelta(days=local.time() < CHANGE)
    starts_at = dt.datetime.combine(day + dt.timedelta(days=following), CHANGE, CHINA).astimezone(dt.UTC)
    return starts_at, starts_at + LIFE


def concession_class(concession: str | None, *, shown: bool) -> int:
    """The class that stands in the code."""
    if not shown:
        return 0
    return 1 if concession is None else CONCESSIONS.get(concession, 255)
