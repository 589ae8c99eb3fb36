"""Facts are told after their commit, once, in order of their subject, whatever a listener does."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Iterator

import pytest
from flask import Flask
from psycopg import Connection

from command.story.wire import wait_for
from core import clock, db, outbox
from core.vocabulary import Event
from tests.core.conftest import CITY, undone

pytestmark = pytest.mark.subset


heard: list[str] = []
failing: set[str] = set()


@outbox.listens(Event.CARD_ISSUED, Event.CARD_LOST)
def hear(fact: outbox.Fact) -> None:
    """Listens for these tests."""
    if fact.subject in failing:
        raise RuntimeError("not now")
    heard.append(f"{fact.subject}:{fact.event.rpartition(':')[2]}")


def emit(event: Event, subject: str) -> None:
    with db.transaction():
        outbox.emit(event, city_id=CITY, subject=subject, payload={})


def test_a_fact_is_told_after_its_commit_once_and_in_order_per_subject(small: Flask) -> None:
    heard.clear()
    undone(lambda: outbox.emit(Event.CARD_ISSUED, city_id=CITY, subject="never", payload={}))
    for subject in ("a", "b"):
        emit(Event.CARD_ISSUED, subject)
    emit(Event.CARD_LOST, "a")
    outbox.drain()
    outbox.drain()
    assert heard == ["a:issue", "b:issue", "a:report"]


def test_a_fact_that_fails_waits_with_its_subject_while_others_go_on(small: Flask) -> None:
    heard.clear()
    failing.add("a")
    emit(Event.CARD_ISSUED, "a")
    emit(Event.CARD_LOST, "a")
    emit(Event.CARD_ISSUED, "b")
    outbox.drain()
    assert heard == ["b:issue"]
    failing.clear()
    clock.learn(dt.timedelta(hours=2))
    try:
        outbox.drain()
    finally:
        clock.learn(dt.timedelta())
    assert heard == ["b:issue", "a:issue", "a:report"]


def later(how_much: dt.timedelta) -> None:
    """Facts are told again with the city's time so much later."""
    clock.learn(how_much)
    try:
        outbox.drain()
    finally:
        clock.learn(dt.timedelta())


@pytest.fixture
def parked(small: Flask) -> Iterator[None]:
    """Facts of two subjects wait behind one that failed."""
    heard.clear()
    failing.update("ab")
    for event in (Event.CARD_ISSUED, Event.CARD_LOST, Event.CARD_ISSUED, Event.CARD_LOST):
        for subject in "ab":
            emit(event, subject)
    outbox.drain()
    failing.clear()
    yield
    failing.clear()


def test_when_the_first_of_a_subject_succeeds_all_behind_it_follow_at_once(parked: None) -> None:
    clock.learn(dt.timedelta(hours=2))
    try:
        outbox.deliver()
    finally:
        clock.learn(dt.timedelta())
    assert sorted(heard) == sorted([f"{subject}:{event}" for subject in "ab" for event in ("issue", "report") * 2])
    assert [each for each in heard if each.startswith("a")] == ["a:issue", "a:report"] * 2


def test_what_fails_again_holds_up_its_own_subject_alone(parked: None) -> None:
    failing.add("a")
    later(dt.timedelta(hours=2))
    assert heard == ["b:issue", "b:report"] * 2


LATE = "INSERT INTO outbox (id, city_id, event, subject, payload) VALUES (gen_random_uuid(), 0, 'cards:card:issue', 'late', '{}')"


def cursor(connection: Connection) -> tuple[int, int]:
    found = connection.execute("SELECT txid, seq FROM outbox_cursor WHERE listener = 'tests.core.test_outbox.hear'").fetchone()
    assert found is not None
    return found


def test_a_cursor_follows_through_facts_of_others_and_skips_none_that_commits_late(small: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    heard.clear()
    monkeypatch.setattr(outbox, "STRIDE", 10)
    outbox.drain()
    before = cursor(db.connection())
    with db.private_connection() as slow:
        slow.execute("BEGIN")
        slow.execute(
            "INSERT INTO outbox (id, city_id, event, subject, payload) VALUES (gen_random_uuid(), 0, 'cards:card:issue', 'late', '{}')"
        )
        for _ in range(30):
            emit(Event.CHARGE_POSTED, "another's")
        outbox.drain()
        horizon = slow.execute("SELECT pg_current_xact_id()::text::bigint").fetchone()
        assert horizon is not None
        assert cursor(db.connection()) < (horizon[0], 0)
        slow.execute("COMMIT")
    outbox.drain()
    assert heard == ["late:issue"]
    assert cursor(db.connection()) > before
    for _ in range(30):
        emit(Event.CHARGE_POSTED, "another's")
    passed = cursor(db.connection())
    outbox.drain()
    assert cursor(db.connection())[0] >= passed[0] + 20
    emit(Event.CARD_LOST, "last")
    outbox.drain()
    assert heard == ["late:issue", "last:report"]


def test_a_fact_is_forgotten_after_a_month_if_everybody_has_heard_it(small: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    heard.clear()
    monkeypatch.setattr(outbox, "STRIDE", 0)
    monkeypatch.setattr(outbox, "FORGOTTEN_AT_ONCE", 2)
    failing.add("waits")
    for subject in ("waits", "heard", "heard", "heard", "heard"):
        emit(Event.CARD_ISSUED, subject)
    outbox.drain()
    failing.clear()
    emit(Event.CARD_ISSUED, "not yet heard")
    outbox.forget()
    assert left() == {"waits", "heard", "not yet heard"}
    clock.learn(outbox.KEPT + dt.timedelta(hours=1))
    try:
        outbox.forget()
    finally:
        clock.learn(dt.timedelta())
    assert left() == {"waits", "not yet heard"}


def left() -> set[str]:
    """Subjects of which the outbox still holds a fact."""
    return {row[0] for row in db.connection().execute("SELECT subject FROM outbox").fetchall()}


def test_a_fact_that_failed_for_one_worker_while_another_waited_is_told_once(small: Flask) -> None:
    """The first worker's listener fails only when the second stands at the cursor's lock; whoever comes by then, one of them has it."""
    told: list[str] = []

    def fail_when_watched(fact: outbox.Fact) -> None:
        if threading.current_thread().name == "first":
            wait_for(lambda: waits_for_a_lock() or None, what="the second worker at the lock")
            raise RuntimeError("not now")
        told.append(fact.subject)

    def work() -> None:
        with small.app_context():
            outbox._deliver_to("test", frozenset({Event.CARD_LOST}), fail_when_watched)
            db.drop_connection()

    emit(Event.CARD_LOST, "once")
    first, second = (threading.Thread(target=work, name=name) for name in ("first", "second"))
    first.start()
    wait_for(lambda: holds_the_cursor() or None, what="the first worker in its listener")
    second.start()
    first.join(30)
    second.join(30)
    clock.learn(dt.timedelta(hours=2))
    try:
        outbox._deliver_to("test", frozenset({Event.CARD_LOST}), fail_when_watched)
    finally:
        clock.learn(dt.timedelta())
    assert told == ["once"]
    assert db.connection().execute("SELECT count(*) FROM outbox_parked WHERE listener = 'test'").fetchone() == (0,)


def waits_for_a_lock() -> bool:
    """Whether somebody in this database stands at another's lock."""
    with db.private_connection() as watch:
        waiting = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        return watch.execute(waiting).fetchone() is not None


def holds_the_cursor() -> bool:
    """Whether somebody holds a row of the cursors."""
    with db.private_connection() as watch:
        free = watch.execute(
            "SELECT count(*) FROM (SELECT FROM outbox_cursor WHERE listener = 'test' FOR UPDATE SKIP LOCKED) AS free"
        ).fetchone()
        known = watch.execute("SELECT count(*) FROM outbox_cursor WHERE listener = 'test'").fetchone()
        return known == (1,) and free == (0,)
