"""Two kinds of limits (D31): counters that protect live in PostgreSQL and fail closed; request quotas live in Redis and fall
back to a bucket in the process, because a quota that cannot be counted must not stop the city."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections import OrderedDict
from collections.abc import Hashable
from typing import Any

import psycopg
import redis
from sqlalchemy import text

from core import clock, db
from core.errors import Throttled, Unavailable

# A window that is over, or that a clock set back has left in the future, is no window any more. Requests at the same time, and
# machines, differ by less than the minute: whoever read the clock a moment before the first attempt was written counts with it.
_READ = """
SELECT used, expires_at FROM limit_counter
 WHERE name = %(name)s AND key = %(key)s AND window_start <= %(now)s + interval '1 minute' AND %(now)s < expires_at
"""
_COUNT = """
INSERT INTO limit_counter AS kept (name, key, window_start, used, expires_at)
VALUES (%(name)s, %(key)s, %(start)s, %(by)s, %(start)s + %(per)s)
ON CONFLICT (name, key) DO UPDATE SET (used, window_start, expires_at) = (
  SELECT CASE WHEN open THEN kept.used ELSE 0 END + excluded.used,
         CASE WHEN open THEN kept.window_start ELSE excluded.window_start END,
         CASE WHEN open AND kept.used + excluded.used IS DISTINCT FROM %(locks_at)s::int THEN kept.expires_at ELSE excluded.expires_at END
    FROM (SELECT kept.window_start <= %(now)s + interval '1 minute' AND %(now)s < kept.expires_at AS open) AS present)
RETURNING used, expires_at
"""


def count(name: str, key: str, *, per: dt.timedelta, at_most: int, by: int = 1, locks_at: int | None = None) -> int:
    """Count one attempt against a protecting limit and return how many there are in this window.

    Durable at once, whatever the caller's own transaction does later. A window begins with its first attempt, and not for everybody at
    the hour's turn; windows of days begin at midnight in China, the day that people live by. The attempt that is number ``locks_at``
    begins the span anew, so that what is locked by it stays so for all of ``per``.
    Raises Throttled beyond ``at_most`` and Unavailable when it cannot be counted.
    """
    now = clock.now()
    found = _asked(_COUNT, {"name": name, "key": key, "start": _start(per, now), "by": by, "per": per, "now": now, "locks_at": locks_at})
    if found is None:
        raise Unavailable()
    used, until = found
    if used > at_most:
        raise Throttled(retry_after=_rest(until))
    return used


def used(name: str, key: str) -> int:
    """How many attempts the present window has seen; raises Unavailable when nobody can tell."""
    found = _present(name, key)
    return found[0] if found else 0


def check(name: str, key: str, *, at_most: int) -> None:
    """Raise Throttled when the present window is used up, without counting: for limits on failures only."""
    used, until = _present(name, key) or (0, clock.now())
    if used >= at_most:
        raise Throttled(retry_after=_rest(until))


def forgive(name: str, key: str) -> None:
    """Empty the present window, after the right proof."""
    db.connection().execute("DELETE FROM limit_counter WHERE name = %s AND key = %s", (name, key))


def lower(name: str, key: str, *, to: int) -> None:
    """Take the present window back to ``to`` attempts in the caller's transaction: a decision stands or falls with its record."""
    lowered = text("UPDATE limit_counter SET used = LEAST(used, :to) WHERE name = :name AND key = :key")
    db.session().execute(lowered, {"name": name, "key": key, "to": to})


def _present(name: str, key: str) -> tuple[int, dt.datetime] | None:
    return _asked(_READ, {"name": name, "key": key, "now": clock.now()})


def _asked(query: str, values: dict[str, Any]) -> tuple[int, dt.datetime] | None:
    try:
        row = db.connection().execute(query, values).fetchone()
    except psycopg.OperationalError as fault:
        db.drop_connection()
        raise Unavailable() from fault
    return (int(row[0]), row[1]) if row else None


def _start(per: dt.timedelta, now: dt.datetime) -> dt.datetime:
    return now if per < dt.timedelta(days=1) else now.astimezone(clock.CHINA).replace(hour=0, minute=0, second=0, microsecond=0)


def _rest(until: dt.datetime) -> int:
    return max(1, int((until - clock.now()).total_seconds()) + 1)


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
