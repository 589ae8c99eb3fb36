"""What every process must learn within half a second: the clock's offset and what was revoked (D30, D34).

No thread: whoever asks first after half a second reads for all, the others go on with what is known. A process that was idle knows old
things: there the others wait for that reading. When reading fails for longer than ``BLIND_AFTER`` the process no longer knows whom to
trust and refuses instead.
"""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Callable

import psycopg

from core import clock, db
from core.errors import Unavailable

INTERVAL = 0.4
BLIND_AFTER = 5.0
# What is older than this is not gone on with while somebody reads; a reading that takes longer than the second is a database in trouble.
OLD_AFTER, READING_TAKES = 0.8, 1.0
# A revocation is read again for this long, so that one that committed late behind a higher number is not missed.
OVERLAP = dt.timedelta(seconds=30)

_lock = threading.Lock()
_last = 0.0
_read_until: dt.datetime | None = None
_learn_revocations: list[Callable[[list[tuple[str, dt.datetime, dt.datetime]]], None]] = []
_allow_offset = True


def allow_offset(allowed: bool) -> None:
    """Production hands in False: a moved clock is then a refusal to go on."""
    global _allow_offset
    _allow_offset = allowed


def offset_allowed() -> bool:
    """Whether the city's clock may be moved here, forwards and back: in a demo or a test."""
    return _allow_offset


def on_revocations(learn: Callable[[list[tuple[str, dt.datetime, dt.datetime]]], None]) -> None:
    """Hand (subject, not_before, expires_at) of each reading to this function."""
    _learn_revocations.append(learn)


def beat() -> None:
    """Make sure that what this process knows is at most half a second old."""
    age = time.monotonic() - _last
    if age < INTERVAL:
        return
    if not _lock.acquire(timeout=0 if age <= OLD_AFTER else READING_TAKES if age <= BLIND_AFTER else -1):
        return
    try:
        if time.monotonic() - _last >= INTERVAL:
            _read(patient=age <= BLIND_AFTER and _last > 0)
    finally:
        _lock.release()


def read_now() -> None:
    """Read at once: after this process itself changed something, and in tests."""
    with _lock:
        _read(patient=False)


def forget() -> None:
    """Start as a new process does; for tests."""
    global _last, _read_until
    _last, _read_until = 0.0, None


def _read(*, patient: bool) -> None:
    global _last, _read_until
    try:
        connection = db.connection()
        moved, now = connection.execute('SELECT "offset", clock_timestamp() FROM clock_offset').fetchone() or (dt.timedelta(), None)
        rows = connection.execute(
            "SELECT subject, not_before, expires_at FROM revocation WHERE recorded_at > %s AND expires_at > city_now()",
            (_read_until - OVERLAP if _read_until else dt.datetime(2000, 1, 1, tzinfo=dt.UTC),),
        ).fetchall()
    except psycopg.OperationalError as fault:
        db.drop_connection()
        if patient:
            return
        raise Unavailable() from fault
    if moved and not _allow_offset:
        raise Unavailable()
    clock.learn(moved)
    for learn in _learn_revocations:
        learn(rows)
    _read_until, _last = now, time.monotonic()
