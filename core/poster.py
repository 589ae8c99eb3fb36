"""The group poster: requests of one process that arrive together go to the database in one commit (D8, D9).

One thread takes whatever waits: alone a request is posted at once; under load batches form by themselves while the commit before them is
on its way to the disk, and those who were just answered are given a moment to come back, because a call and its commit cost about as much
for ten as for one. What it posts with, and what must not meet in one batch, is the caller's; this file knows about queues, threads and lost
connections only.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import psycopg
import structlog

from core import db
from core.errors import Busy, Unavailable

log = structlog.get_logger("poster")
MOST_IN_BATCH = 200
# At 3,000 a second this is under a second of work: whoever comes later is served sooner by asking again.
MOST_WAITING = 2_000
PATIENCE_SECONDS = 10.0
TRIES = 4
# Another transaction was in the way and this one did nothing: deadlock, serialisation, a key that somebody else wrote meanwhile.
IN_THE_WAY = ("40P01", "40001", "23505")
# A lock or the statement took too long: nothing was done, and trying at once would only wait again.
TOO_SLOW = ("55P03", "57014")
LONGEST_PAUSE = 0.5
# After a group of at least this many, the next one gathers: until nobody came for a turn of the first length, at most for the second.
GROUP = 3
TURN_SECONDS, GATHER_SECONDS = 0.0006, 0.003

Item = TypeVar("Item")
Answer = TypeVar("Answer")


@dataclass(slots=True, eq=False)
class Ask(Generic[Item, Answer]):
    """One request on its way through the poster."""

    item: Item
    keys: frozenset[Hashable]
    done: threading.Lock = field(default_factory=threading.Lock)
    answer: Answer | None = None
    failure: BaseException | None = None
    given_up: bool = False
    asked_before: bool = False

    def settle(self, answer: Answer) -> None:
        """Give the answer to whoever waits."""
        self.answer = answer
        self.done.release()

    def fail(self, failure: BaseException) -> None:
        """Give a failure to whoever waits."""
        self.failure = failure
        self.done.release()

    def outcome(self) -> Answer:
        """The answer, or the failure raised."""
        if self.failure is not None:
            raise self.failure
        assert self.answer is not None  # settled by the poster
        return self.answer


# Posts the asks over the connection as one commit. For each its answer, or the further keys under which it must be asked again.
Post = Callable[[psycopg.Connection[Any], Sequence[Ask[Item, Answer]]], Sequence[Answer | frozenset[Hashable]]]


class GroupPoster(Generic[Item, Answer]):
    """Posts the requests of this process in groups, over one connection of its own.

    Two asks that share a key are never in one batch, and those of one key are posted in the order in which they came. ``full`` and
    ``unknown`` are the refusals of its room: nothing was done, and nobody knows whether it was done.
    """

    def __init__(
        self,
        name: str,
        post: Post[Item, Answer],
        keys: Callable[[Item], Iterable[Hashable]],
        *,
        connect: Callable[[], psycopg.Connection[Any]] = db.private_connection,
        most_waiting: int = MOST_WAITING,
        full: type[Unavailable] = Busy,
        unknown: type[Unavailable] = Unavailable,
    ) -> None:
        self.name, self.post, self.keys, self.connect, self.most_waiting = name, post, keys, connect, most_waiting
        self.full, self.unknown = full, unknown
        self._start_anew()
        # A child process inherits neither the thread nor the right to use the parent's connection. Posters live as long as the process.
        os.register_at_fork(after_in_child=self._start_anew)

    def _start_anew(self) -> None:
        self._waiting: deque[Ask[Item, Answer]] = deque()
        self._last_size = 0
        self._bell = threading.Condition()
        self._thread: threading.Thread | None = None
        self._connection: psycopg.Connection[Any] | None = None

    def ask(self, item: Item, *, patience: float = PATIENCE_SECONDS) -> Answer:
        """Post one item and wait for its answer.

        Raises ``full`` when nothing was done, ``unknown`` when that is not known in time, and what posting this item raised.
        """
        one = Ask[Item, Answer](item, frozenset(self.keys(item)))
        pinned = db.pinned_connection()
        if pinned is not None:
            return self._ask_within(pinned, one)
        one.done.acquire()
        with self._bell:
            if len(self._waiting) >= self.most_waiting:
                raise self.full()
            self._waiting.append(one)
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name=f"poster-{self.name}", daemon=True)
                self._thread.start()
            self._bell.notify()
        if not one.done.acquire(timeout=patience):
            one.given_up = True
            raise self.unknown()
        return one.outcome()

    def _ask_within(self, connection: psycopg.Connection[Any], one: Ask[Item, Answer]) -> Answer:
        """Post inside the transaction of a test that rolls everything back; a savepoint stands for the commit."""
        connection.execute("SELECT 1")  # so that the test's transaction is open and the next line is a savepoint in it
        with connection.transaction():
            given = self.post(connection, [one])[0]
        assert not isinstance(given, frozenset)  # alone, nothing is in its way
        return given

    def _run(self) -> None:
        held: list[Ask[Item, Answer]] = []
        while True:
            batch, held = self._next_batch(held)
            try:
                self._last_size = len(batch)
                held = self._post(batch) + held
            except BaseException as fault:  # the thread must outlive any fault: whoever waits hears of it instead
                log.exception("poster_fault", poster=self.name)
                for one in batch:
                    if one.done.locked():
                        one.fail(self.unknown() if isinstance(fault, psycopg.Error) else fault)

    def _next_batch(self, held: list[Ask[Item, Answer]]) -> tuple[list[Ask[Item, Answer]], list[Ask[Item, Answer]]]:
        """What can be posted together now, and what has to wait for that because it shares a key with it."""
        with self._bell:
            while not held and not self._waiting:
                self._bell.wait()
        if self._last_size >= GROUP:
            self._gather()
        with self._bell:
            taken = [self._waiting.popleft() for _ in range(min(len(self._waiting), MOST_IN_BATCH))] if len(held) < MOST_IN_BATCH else []
        batch: list[Ask[Item, Answer]] = []
        later: list[Ask[Item, Answer]] = []
        met: set[Hashable] = set()
        for one in (*held, *taken):
            if one.given_up:
                continue
            if len(batch) == MOST_IN_BATCH or not met.isdisjoint(one.keys):
                later.append(one)
            else:
                batch.append(one)
            met |= one.keys
        return batch, later

    def _gather(self) -> None:
        """Wait while others keep coming, for a moment that a commit outlasts."""
        until, seen = time.monotonic() + GATHER_SECONDS, len(self._waiting)
        while seen < min(self._last_size * 2, MOST_IN_BATCH) and time.monotonic() < until:
            time.sleep(TURN_SECONDS)
            now = len(self._waiting)
            if now == seen:
                return
            seen = now

    def _post(self, batch: list[Ask[Item, Answer]]) -> list[Ask[Item, Answer]]:
        """Post a batch to the end; returns what has to be asked again in the next one."""
        pause, until = 0.0, time.monotonic() + PATIENCE_SECONDS
        tries = 0
        while batch:
            try:
                return self._settle(batch, self.post(self._connected(), batch))
            except psycopg.Error as fault:
                tries += 1
                if self._lost(fault):
                    # Whether it was committed nobody can say. The same keys ask again, so that either way it happens once.
                    for one in batch:
                        one.asked_before = True
                    self._drop()
                    if time.monotonic() > until:
                        return self._fail(batch, self.unknown)
                    time.sleep(pause)
                    pause = min(LONGEST_PAUSE, pause * 2 or 0.02)
                    batch = [one for one in batch if not one.given_up]
                elif fault.sqlstate in TOO_SLOW:
                    return self._fail(batch, Busy)
                elif fault.sqlstate not in IN_THE_WAY or tries == TRIES:
                    return self._post_singly(batch, fault)
            except Exception as fault:  # noqa: BLE001  # whatever one item raises is given to that item alone
                return self._post_singly(batch, fault)
        return []

    def _post_singly(self, batch: list[Ask[Item, Answer]], fault: Exception) -> list[Ask[Item, Answer]]:
        """One item spoils the batch: each is posted alone, and only that one hears of it."""
        log.warning("batch_refused", poster=self.name, size=len(batch), fault=type(fault).__name__, state=getattr(fault, "sqlstate", None))
        if len(batch) == 1:
            batch[0].fail(Busy() if getattr(fault, "sqlstate", None) in IN_THE_WAY else fault)
            return []
        return [again for one in batch for again in self._post([one])]

    def _settle(self, batch: list[Ask[Item, Answer]], given: Sequence[Answer | frozenset[Hashable]]) -> list[Ask[Item, Answer]]:
        again = []
        for one, answer in zip(batch, given, strict=True):
            if isinstance(answer, frozenset):
                one.keys |= answer
                again.append(one)
            else:
                one.settle(answer)
        return again

    def _fail(self, batch: list[Ask[Item, Answer]], kind: type[Unavailable]) -> list[Ask[Item, Answer]]:
        log.warning("batch_failed", poster=self.name, size=len(batch), code=kind.code)
        for one in batch:
            one.fail(self.unknown() if one.asked_before else kind())
        return []

    def _connected(self) -> psycopg.Connection[Any]:
        if self._connection is None or self._connection.closed:
            self._connection = self.connect()
        return self._connection

    def _lost(self, fault: psycopg.Error) -> bool:
        """Whether the connection went away, rather than the statement being refused."""
        state = fault.sqlstate or ""
        gone = self._connection is None or self._connection.closed or self._connection.broken
        return gone or state.startswith(("08", "57P")) or (not state and isinstance(fault, psycopg.OperationalError))

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
