"""Circuit breaker: after repeated failures an agency is left alone for a while, then tried by one probe."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from enum import StrEnum


class BreakerState(StrEnum):
    """Closed lets everything through, open nothing, half open exactly one probe at a time."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class Breaker:
    """Opens after `failures` in a row, for `rest` seconds, doubling up to `longest` while probes keep failing."""

    def __init__(
        self,
        *,
        failures: int = 5,
        rest: float = 2.0,
        longest: float = 60.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._allowed, self._first_rest, self._longest, self._clock = failures, rest, longest, clock
        self._lock = threading.Lock()
        self._failed, self._rest = 0, rest
        self._opened_at: float | None = None
        self._probe_since: float | None = None

    @property
    def state(self) -> BreakerState:
        """Where it stands now."""
        with self._lock:
            if self._opened_at is None:
                return BreakerState.CLOSED
            return BreakerState.HALF_OPEN if self._rested() else BreakerState.OPEN

    def admit(self) -> bool:
        """Whether a call may go out; the first one after the rest becomes the probe."""
        with self._lock:
            if self._opened_at is None:
                return True
            if not self._rested() or self._probing():
                return False
            self._probe_since = self._clock()
            return True

    def succeeded(self) -> None:
        """The other system is alive: close."""
        with self._lock:
            self._failed, self._rest = 0, self._first_rest
            self._opened_at = self._probe_since = None

    def failed(self) -> None:
        """Count a failure; open when there were enough, or rest longer when the probe failed."""
        with self._lock:
            self._failed += 1
            if self._probe_since is not None:
                self._rest = min(self._rest * 2, self._longest)
                self._opened_at, self._probe_since = self._clock(), None
            elif self._opened_at is None and self._failed >= self._allowed:
                self._opened_at = self._clock()

    def _rested(self) -> bool:
        return self._opened_at is not None and self._clock() - self._opened_at >= self._rest

    def _probing(self) -> bool:
        """A probe whose thread died must not keep the gateway shut, so it counts for the longest rest only."""
        return self._probe_since is not None and self._clock() - self._probe_since < self._longest
