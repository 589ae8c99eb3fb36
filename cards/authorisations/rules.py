"""The rules of one-time authorisations, as data and pure decisions."""

from __future__ import annotations

import datetime as dt
from typing import Final

# How many a phone fetches at once; a day's walks through a city, with a reserve.
MOST_KEYS: Final = 200
# How much all living authorisations of a card may cost together: the city's risk for each disconnected terminal a cheat can reach.
MOST_AT_STAKE_FEN: Final = 50_000
# Few values for everybody: an amount of one's own would tie codes together.
LIMITS_FEN: Final = (0, 200, 500, 1_000, 2_000)
LIFE: Final = dt.timedelta(hours=24)
# What gates may be shown, by the words of cards; 0 shows nothing, 1 that there is no concession, 255 one that gates do not know.
CONCESSIONS: Final = {"student": 2, "elder": 3, "disabled": 4, "veteran": 5, "donor": 6, "child": 7}


def window(now: dt.datetime) -> tuple[dt.datetime, dt.datetime]:
    """From the full hour before ``now``, for a day: the same for everybody who asks within the hour."""
    starts_at = now.replace(minute=0, second=0, microsecond=0)
    return starts_at, starts_at + LIFE


def concession_class(concession: str | None, *, shown: bool) -> int:
    """The class that stands in the code."""
    if not shown:
        return 0
    return 1 if concession is None else CONCESSIONS.get(concession, 255)
