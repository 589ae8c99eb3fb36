"""The city's time: UTC from the machine, plus one offset row of the database that tests and demos may move (D30)."""

from __future__ import annotations

import datetime as dt
import time
from zoneinfo import ZoneInfo

CHINA = ZoneInfo("Asia/Shanghai")
_offset = dt.timedelta()
_offset_seconds = 0.0


def timestamp() -> float:
    """Seconds since 1970 in the city's time."""
    return time.time() + _offset_seconds


def now() -> dt.datetime:
    """This moment in the city's time, aware, in UTC."""
    return dt.datetime.fromtimestamp(time.time() + _offset_seconds, dt.UTC)


def today(zone: ZoneInfo = CHINA) -> dt.date:
    """The calendar day that a resident reads on the wall."""
    return now().astimezone(zone).date()


def offset() -> dt.timedelta:
    """How far the city's time is ahead of the machine's."""
    return _offset


def learn(offset: dt.timedelta) -> None:
    """Take over the offset read from the database; ``core.pulse`` does so twice a second."""
    global _offset, _offset_seconds
    _offset, _offset_seconds = offset, offset.total_seconds()


def real(moment: dt.datetime) -> dt.datetime:
    """A moment of the city's time on the machine's own clock, for what waits by itself (the job queue)."""
    return moment - _offset
