"""The group poster's own promises: groups form by themselves, one item spoils nobody's posting, a lost connection loses nothing."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

import psycopg
import pytest

from core.errors import Busy, Unavailable
from core.poster import MOST_IN_BATCH, Ask, GroupPoster


class Full(Unavailable):
    """The refusal of a room whose queue is full."""


class Unknown(Unavailable):
    """The refusal of a room that does not know what became of it."""


Given = Sequence[str | frozenset[object]]


class Line:
    """Stands for a connection whose state a test decides."""

    closed = broken = False

    def close(self) -> None:
        """Close it."""
        self.closed = True


class Counter:
    """Posts numbers and remembers in which groups; a test may make it slow, refuse or break."""

    def __init__(self, *, hold: threading.Event | None = None, faults: Iterable[Exception] = (), poison: int | None = None) -> None:
        self.batches: list[list[int]] = []
        self.lines: list[Line] = []
        self.hold, self.faults, self.poison = hold, list(faults), poison
        self.started = threading.Event()

    def connect(self) -> psycopg.Connection[Any]:
        """A line."""
        self.lines.append(Line())
        return cast("psycopg.Connection[Any]", self.lines[-1])

    def post(self, connection: psycopg.Connection[Any], asks: Sequence[Ask[int, str]]) -> Given:
        """Answer each number with itself."""
        self.batches.append([one.item for one in asks])
        self.started.set()
        if self.hold is not None:
            self.hold.wait(5)
        if self.faults:
            raise self.faults.pop(0)
        if self.poison in self.batches[-1]:
            raise ValueError(f"{self.poison} is poison")
        return [f"{one.item}{'?' if one.asked_before else ''}" for one in asks]

    def poster(self, keys: Callable[[int], Iterable[int]] = lambda item: (item,), **options: Any) -> GroupPoster[int, str]:
        """A poster over it."""
        return GroupPoster("counter", self.post, keys, connect=self.connect, full=Full, unknown=Unknown, **options)


def together(poster: GroupPoster[int, str], counter: Counter, items: Iterable[int]) -> list[str]:
    """Ask while the poster is held at a first item, so that all of them wait together."""
    assert counter.hold is not None
    with ThreadPoolExecutor(64) as pool:
        first = pool.submit(poster.ask, -1)
        assert counter.started.wait(5)
        waiting = [pool.submit(poster.ask, item) for item in items]
        while len(poster._waiting) < len(waiting):
            time.sleep(0.001)
        counter.hold.set()
        first.result()
        return [one.result() for one in waiting]


def test_alone_an_item_is_posted_alone_and_at_once() -> None:
    counter = Counter()
    poster = counter.poster()
    assert [poster.ask(item) for item in (1, 2, 3)] == ["1", "2", "3"]
    assert counter.batches == [[1], [2], [3]]
    assert len(counter.lines) == 1


def test_what_waits_is_posted_together() -> None:
    counter = Counter(hold=threading.Event())
    assert together(counter.poster(), counter, range(40)) == [str(item) for item in range(40)]
    assert [sorted(batch) for batch in counter.batches] == [[-1], list(range(40))]


def test_items_that_share_a_key_are_posted_in_turn() -> None:
    counter = Counter(hold=threading.Event())
    together(counter.poster(lambda item: (item // 10,)), counter, range(30))
    assert [len(batch) for batch in counter.batches] == [1] + [3] * 10


def test_an_item_that_must_be_asked_again_is_asked_with_its_new_key() -> None:
    seen: list[int] = []

    def post(_connection: psycopg.Connection[Any], asks: Sequence[Ask[int, str]]) -> Given:
        seen.append(len(asks))
        return [str(one.item) if at == 0 else frozenset({"one wallet"}) for at, one in enumerate(asks)]

    poster: GroupPoster[int, str] = GroupPoster("again", post, lambda item: (item,), connect=Counter().connect)
    asks = [Ask[int, str](item, frozenset({item})) for item in range(4)]
    for one in asks:
        one.done.acquire()
    waiting = asks
    while waiting:
        batch, waiting = poster._next_batch(waiting)
        waiting = poster._post(batch) + waiting
    assert seen == [4, 1, 1, 1]
    assert [one.outcome() for one in asks] == ["0", "1", "2", "3"]


def test_one_poison_item_hurts_nobody_else() -> None:
    counter = Counter(hold=threading.Event(), poison=7)
    with pytest.raises(ValueError, match="7 is poison"):
        together(counter.poster(), counter, range(10))
    assert counter.batches[2:] == [[item] for item in counter.batches[1]]


@pytest.mark.parametrize("fault", [psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure, psycopg.errors.UniqueViolation])
def test_a_batch_that_met_another_is_posted_again(fault: type[psycopg.Error]) -> None:
    counter = Counter(faults=[fault(), fault()])
    assert counter.poster().ask(1) == "1"
    assert counter.batches == [[1], [1], [1]]
    assert len(counter.lines) == 1


def test_what_meets_another_every_time_is_told_to_come_back() -> None:
    counter = Counter(faults=[psycopg.errors.DeadlockDetected() for _ in range(20)])
    with pytest.raises(Busy):
        counter.poster().ask(1)


def test_a_lock_that_takes_too_long_is_busy_and_not_unknown() -> None:
    with pytest.raises(Busy):
        Counter(faults=[psycopg.errors.LockNotAvailable()]).poster().ask(1)


def test_after_a_lost_connection_the_same_is_asked_again_on_a_new_one() -> None:
    counter = Counter(faults=[psycopg.OperationalError("gone"), psycopg.errors.AdminShutdown()])
    assert counter.poster().ask(1) == "1?"
    assert len(counter.lines) == 3
    assert [line.closed for line in counter.lines] == [True, True, False]


def test_a_database_that_stays_away_leaves_the_outcome_unknown_to_the_caller() -> None:
    counter = Counter(faults=[psycopg.OperationalError("gone") for _ in range(1000)])
    poster = counter.poster()
    with pytest.raises(Unknown):
        poster.ask(1, patience=0.2)
    counter.faults.clear()
    assert poster.ask(2) == "2"
    assert counter.batches[-1] == [2]


def test_a_full_queue_is_refused_at_once_and_nothing_was_done() -> None:
    counter = Counter(hold=threading.Event())
    poster = counter.poster(most_waiting=2)
    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(poster.ask, 0)
        assert counter.started.wait(5)
        waiting = [pool.submit(poster.ask, item) for item in (1, 2)]
        while len(poster._waiting) < 2:
            time.sleep(0.001)
        with pytest.raises(Full):
            poster.ask(3)
        assert counter.hold is not None
        counter.hold.set()
        assert [one.result() for one in (first, *waiting)] == ["0", "1", "2"]
    assert 3 not in [item for batch in counter.batches for item in batch]


def test_whoever_gave_up_waiting_is_not_posted_any_more() -> None:
    counter = Counter(hold=threading.Event())
    poster = counter.poster()
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(poster.ask, 0)
        assert counter.started.wait(5)
        with pytest.raises(Unknown):
            poster.ask(1, patience=0.05)
        assert counter.hold is not None
        counter.hold.set()
        assert first.result() == "0"
    assert poster.ask(2) == "2"
    assert counter.batches == [[0], [2]]


def test_a_group_has_a_limit() -> None:
    poster = Counter().poster()
    asks = [Ask[int, str](item, frozenset({item})) for item in range(MOST_IN_BATCH + 50)]
    batch, later = poster._next_batch(asks)
    assert (len(batch), len(later)) == (MOST_IN_BATCH, 50)


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork.*:DeprecationWarning")
def test_a_child_process_starts_anew() -> None:
    counter = Counter()
    poster = counter.poster()
    poster.ask(1)
    child = os.fork()
    if child == 0:
        os._exit(0 if poster.ask(2) == "2" and len(counter.lines) == 2 else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert poster.ask(3) == "3"
    assert len(counter.lines) == 1
