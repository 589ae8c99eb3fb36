"""Two kinds of limits (D31): counters that protect live in PostgreSQL and fail closed; request quotas live in Redis and fall
back to a bucket in the process, because a quota that cannot be counted must not stop the city."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections import OrderedDict
from collections.abc import Hashable

import psycopg
import redis
from sqlalchemy import text

from core import clock, db
from core.errors import Throttled, Unavailable


def count(name: str, key: str, *, per: dt.timedelta, at_most: int, by: int = 1) -> int:
    """Count one attempt against a protecting limit and return how many there are in this window.

    Durable at once, whatever the caller's own transaction does later. Windows are fixed and begin at multiples of ``per``.
    Raises Throttled beyond ``at_most`` and Unavailable when it cannot be counted.
    """
    used = _add(name, key, per, by)
    if used > at_most:
        raise Throttled(retry_after=_rest(per))
    return used


def used(name: str, key: str, *, per: dt.timedelta) -> int:
    """How many attempts the present window has seen."""
    try:
        row = (
            db.connection()
            .execute("SELECT used FROM limit_counter WHERE name = %s AND key = %s AND window_start = %s", (name, key, _window(per)))
            .fetchone()
        )
    except psycopg.OperationalError as fault:
        db.drop_connection()
        raise Unavailable() from fault
    return int(row[0]) if row else 0


def check(name: str, key: str, *, per: dt.timedelta, at_most: int) -> None:
    """Raise Throttled when the present window is used up, without counting: for limits on failures only."""
    if used(name, key, per=per) >= at_most:
        raise Throttled(retry_after=_rest(per))


def forgive(name: str, key: str, *, per: dt.timedelta) -> None:
    """Empty the present window, after the right proof."""
    db.connection().execute("DELETE FROM limit_counter WHERE name = %s AND key = %s AND window_start = %s", (name, key, _window(per)))


def lower(name: str, key: str, *, per: dt.timedelta, to: int) -> None:
    """Take the present window back to ``to`` attempts in the caller's transaction: a decision stands or falls with its record."""
    db.session().execute(
        text("UPDATE limit_counter SET used = LEAST(used, :to) WHERE name = :name AND key = :key AND window_start = :start"),
        {"name": name, "key": key, "start": _window(per), "to": to},
    )


def _add(name: str, key: str, per: dt.timedelta, by: int) -> int:
    start = _window(per)
    try:
        row = (
            db.connection()
            .execute(
                "INSERT INTO limit_counter (name, key, window_start, used, expires_at) VALUES (%s, %s, %s, %s, %s)"
                " ON CONFLICT (name, key, window_start) DO UPDATE SET used = limit_counter.used + excluded.used RETURNING used",
                (name, key, start, by, start + 2 * per),
            )
            .fetchone()
        )
    except psycopg.OperationalError as fault:
        db.drop_connection()
        raise Unavailable() from fault
    if row is None:
        raise Unavailable()
    return int(row[0])


def _window(per: dt.timedelta) -> dt.datetime:
    seconds = per.total_seconds()
    # Days begin at midnight in China, so that "20 a day" means the day people live by.
    shift = 8 * 3600 if seconds >= 86400 else 0
    return dt.datetime.fromtimestamp((clock.timestamp() + shift) // seconds * seconds - shift, dt.UTC)


def _rest(per: dt.timedelta) -> int:
    return max(1, int((_window(per) + per - clock.now()).total_seconds()) + 1)


class Quotas:
    """Requests per caller: a token bucket in this process, and a shared count in Redis for callers who reach several processes."""

    def __init__(self, url: str, *, processes: int = 1) -> None:
        self.redis = redis.Redis.from_url(url, socket_timeout=0.25, socket_connect_timeout=0.25) if url else None
        self.processes = processes
        self._buckets: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()
        self._silent_until = 0.0

    def take(self, key: tuple[Hashable, ...] | str, *, per_minute: int, shared: bool = True) -> None:
        """Take one request from the caller's quota or raise Throttled."""
        if shared and self.redis is not None and time.monotonic() > self._silent_until:
            try:
                self._take_shared(self.redis, key if isinstance(key, str) else ":".join(str(part) for part in key), per_minute)
                return
            except redis.RedisError:
                # Redis is away: count here for a while rather than waiting for it on every request.
                self._silent_until = time.monotonic() + 2
        self._take_here(key, per_minute)

    def _take_shared(self, client: redis.Redis, key: str, per_minute: int) -> None:
        minute = int(time.time() // 60)
        name = f"quota:{key}:{minute}"
        with client.pipeline(transaction=False) as pipe:
            pipe.incr(name)
            pipe.expire(name, 90)
            used = int(pipe.execute()[0])
        if used > per_minute:
            raise Throttled(retry_after=60 - int(time.time()) % 60)

    def _take_here(self, key: Hashable, per_minute: int) -> None:
        now, rate = time.monotonic(), max(1.0, per_minute / self.processes)
        with self._lock:
            level, seen = self._buckets.pop(key, (rate, now))
            level = min(rate, level + (now - seen) * rate / 60)
            self._buckets[key] = (level - 1 if level >= 1 else level, now)
            if len(self._buckets) > 50_000:
                self._buckets.popitem(last=False)
        if level < 1:
            raise Throttled(retry_after=max(1, int((1 - level) * 60 / rate) + 1))
