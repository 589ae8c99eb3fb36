"""The sandbox's faults on our side of the line: no connection, an answer cut off after the work was done, slowness.

Chosen by settings and steered through the fault switch of the `outside` process; refused in production.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import msgspec

from core.gateway.transport import Incoming, MaybeDone, NotSent, Outgoing, Patience, Transport

_PATIENCE = Patience(connect=0.5, read=0.5, total=1.0, answer_bytes=64 * 1024)


class FaultSwitch:
    """What the switch at `outside` says for one gateway; asked at most once a second, and no faults when it is silent."""

    def __init__(self, url: str, gateway: str, transport: Transport, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._url, self._gateway, self._transport, self._clock = url, gateway, transport, clock
        self._lock = threading.Lock()
        self._asked_at = float("-inf")
        self._faults: dict[str, float] = {}

    def __call__(self) -> dict[str, float]:
        """Fault kinds that hold now, each with its value."""
        with self._lock:
            if self._clock() - self._asked_at >= 1.0:
                self._asked_at, self._faults = self._clock(), self._read()
            return self._faults

    def _read(self) -> dict[str, float]:
        try:
            request = Outgoing("GET", f"{self._url}/faults.json?place=line:{self._gateway}", {}, b"")
            answer = self._transport.send(request, _PATIENCE)
            listed: Any = msgspec.json.decode(answer.body)
            return {str(fault["kind"]): float(fault.get("value") or 0) for fault in listed["faults"]}
        except (NotSent, MaybeDone, msgspec.DecodeError, KeyError, TypeError, ValueError):
            return {}


class FaultyTransport:
    """A transport with the switch's faults before and after the real call."""

    def __init__(
        self,
        inner: Transport,
        switch: Callable[[], dict[str, float]],
        *,
        production: bool,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        if production:
            raise ValueError("the fault-injecting transport is part of the sandbox and refuses to run in production")
        self._inner, self._switch, self._sleep = inner, switch, sleep

    def send(self, request: Outgoing, patience: Patience) -> Incoming:
        faults = self._switch()
        if "unreachable" in faults:
            raise NotSent("fault_unreachable")
        if "slow" in faults:
            self._delay(faults["slow"] / 1000, patience)
        answer = self._inner.send(request, patience)
        if "answer_cut" in faults:
            raise MaybeDone("fault_answer_cut")
        return answer

    def _delay(self, seconds: float, patience: Patience) -> None:
        """Wait as the real line would: a delay beyond the patience ends as a time-out before anything was done."""
        if seconds >= min(patience.read, patience.total):
            self._sleep(min(patience.read, patience.total))
            raise NotSent("fault_slow")
        self._sleep(seconds)
