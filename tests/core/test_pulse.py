"""What a process knows is half a second old at most, also for those who come together after it was idle."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from core import pulse


class Reading:
    """Stands for the reading of the database: slow until it is let go, and counted."""

    def __init__(self) -> None:
        self.begun, self.go_on, self.count = threading.Event(), threading.Event(), 0

    def __call__(self, *, patient: bool) -> None:
        self.count += 1
        self.begun.set()
        assert self.go_on.wait(10)
        pulse._last = time.monotonic()


@pytest.fixture
def reading(monkeypatch: pytest.MonkeyPatch) -> Iterator[Reading]:
    made = Reading()
    monkeypatch.setattr(pulse, "_read", made)
    monkeypatch.setattr(pulse, "READING_TAKES", 10.0)
    yield made
    pulse.forget()


def _second_waits(reading: Reading, idle: float) -> bool:
    """Two who come after so many idle seconds, the second while the first still reads; whether the second had to wait."""
    pulse._last = time.monotonic() - idle
    first = threading.Thread(target=pulse.beat)
    first.start()
    assert reading.begun.wait(10)
    second = threading.Thread(target=pulse.beat)
    second.start()
    second.join(0.1)
    waited = second.is_alive()
    reading.go_on.set()
    first.join(10)
    second.join(10)
    return waited


def test_under_load_nobody_waits_for_the_one_who_reads(reading: Reading) -> None:
    assert not _second_waits(reading, pulse.INTERVAL + 0.05)
    assert reading.count == 1


def test_after_an_idle_time_the_others_wait_for_the_one_who_reads(reading: Reading) -> None:
    assert _second_waits(reading, 3.0)
    assert reading.count == 1
