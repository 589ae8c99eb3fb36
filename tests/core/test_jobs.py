"""Timed and deferred work: it exists with its transaction, comes when due, and survives its worker."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from flask import Flask
from procrastinate import exceptions
from procrastinate.manager import JobManager

from command.story.wire import wait_for
from core import clock, db, jobs, worker
from tests.core.conftest import undone

pytestmark = pytest.mark.subset


ran: list[str] = []


@jobs.job("test:note")
def note(text: str) -> None:
    """Notes that it ran."""
    ran.append(text)


@jobs.every("test:daily", daily_at=dt.time(2, 30))
def daily() -> None:
    """Notes that it ran."""
    ran.append("daily")


def test_a_job_exists_exactly_if_its_transaction_does_and_runs_in_order_when_due(small: Flask) -> None:
    ran.clear()
    now = clock.now()
    undone(lambda: jobs.defer(note, text="never"))
    with db.transaction():
        jobs.defer(note, at=now + dt.timedelta(hours=2), text="later")
        jobs.defer(note, at=now + dt.timedelta(hours=1), text="sooner", key="one")
        jobs.defer(note, at=now + dt.timedelta(hours=1), text="again", key="one")
        jobs.defer(note, text="now")
    jobs.run_due()
    assert ran == ["now"]
    jobs.run_due(now + dt.timedelta(hours=3))
    assert ran == ["now", "sooner", "later"]


def test_a_daily_job_plants_itself_again_at_the_citys_time(small: Flask) -> None:
    ran.clear()
    jobs.plant_rhythms()
    jobs.plant_rhythms()
    due = jobs.next_due()
    assert due is not None
    waiting = "SELECT count(*), min(scheduled_at) FROM procrastinate_jobs WHERE task_name = 'test:daily'"
    found = db.connection().execute(waiting).fetchone()
    assert found is not None
    assert found[0] == 1
    assert found[1].astimezone(clock.CHINA).time() == dt.time(2, 30)


TAKEN = """
  WITH worker AS (INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - %s * interval '1 second') RETURNING id),
  job AS (UPDATE procrastinate_jobs SET status = 'doing', worker_id = (SELECT id FROM worker) WHERE args ->> 'text' = %s RETURNING id)
  SELECT id FROM job
"""
LONG_AGO = "UPDATE procrastinate_events SET at = at - interval '1 minute' WHERE type = 'started' AND job_id = %s"


def taken(text: str, *, silent: int, attempts: int = 0) -> None:
    """A worker took the job with this text a minute ago, and gave its last sign of life so many seconds ago."""
    connection = db.connection()
    row = connection.execute(TAKEN, (silent, text)).fetchone()
    assert row is not None
    connection.execute(LONG_AGO, row)
    connection.execute("UPDATE procrastinate_jobs SET attempts = %s WHERE id = %s", (attempts, row[0]))


def test_the_job_of_a_dead_worker_is_done_by_another(small: Flask) -> None:
    ran.clear()
    with db.transaction():
        for text in ("of the dead", "of the living"):
            jobs.defer(note, text=text)
    taken("of the dead", silent=40)
    taken("of the living", silent=5)
    assert jobs.rescue() == 1
    jobs.run_due()
    assert ran == ["of the dead"]
    assert jobs.rescue() == 0


def test_a_rescued_job_makes_way_for_the_one_that_waits_under_its_key(small: Flask) -> None:
    ran.clear()
    with db.transaction():
        jobs.defer(note, text="first", key="same")
    taken("first", silent=40)
    with db.transaction():
        jobs.defer(note, text="second", key="same")
    assert jobs.rescue() == 1
    jobs.run_due()
    assert ran == ["second"]


def test_a_job_that_takes_its_workers_with_it_is_kept_and_not_done_for_ever(small: Flask) -> None:
    ran.clear()
    with db.transaction():
        jobs.defer(note, text="deadly")
    taken("deadly", silent=40, attempts=jobs.MOST_ATTEMPTS - 1)
    jobs.rescue()
    jobs.run_due()
    assert ran == []
    assert db.connection().execute("SELECT status::text FROM procrastinate_jobs WHERE args ->> 'text' = 'deadly'").fetchone() == ("failed",)


@jobs.every("test:fails", daily_at=dt.time(2, 30))
def fails() -> None:
    """Fails."""
    ran.append("failed")
    raise RuntimeError("not today")


@contextmanager
def working(app: Flask) -> Iterator[None]:
    """The worker's own loops run meanwhile."""
    stop = threading.Event()
    thread = threading.Thread(target=worker.run, args=(app, stop))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(30)


WAITING = "SELECT queueing_lock, status::text, scheduled_at FROM procrastinate_jobs WHERE task_name = 'test:fails' ORDER BY id"


def settled(rows: list[tuple[str, str, dt.datetime]]) -> bool | None:
    """True when tomorrow's run waits, and one before it."""
    return [(key, status) for key, status, _ in rows] == [("rhythm:test:fails", "todo"), ("again:test:fails", "todo")] or None


def test_a_daily_job_that_fails_is_tried_again_soon_and_keeps_its_rhythm(small: Flask) -> None:
    ran.clear()
    with db.transaction():
        jobs.defer(fails, key="rhythm:test:fails")
    with working(small):
        wait_for(lambda: settled(db.connection().execute(WAITING).fetchall()), what="both next runs to wait, and nothing else")
    rows = db.connection().execute(WAITING).fetchall()
    assert ran == ["failed"]
    soon = next(at for key, _, at in rows if key.startswith("again"))
    assert abs(soon + clock.offset() - clock.now() - jobs.AGAIN) < dt.timedelta(minutes=1)


def test_a_daily_job_of_a_dead_worker_is_done_today_though_tomorrows_waits(small: Flask) -> None:
    ran.clear()
    with db.transaction():
        jobs.defer(daily, key="rhythm:test:daily")
    connection = db.connection()
    connection.execute("INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - interval '1 hour')")
    connection.execute(
        "UPDATE procrastinate_jobs SET status = 'doing', worker_id = (SELECT max(id) FROM procrastinate_workers)"
        " WHERE task_name = 'test:daily'"
    )
    connection.execute("UPDATE procrastinate_events SET at = at - interval '1 minute'")
    jobs.plant_rhythms()
    assert jobs.rescue() == 1
    jobs.run_due()
    assert ran == ["daily"]


def test_a_worker_that_lost_a_sign_of_life_gives_the_next(small: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    beats: list[int] = []

    async def lost_at_first(_: JobManager, worker_id: int) -> None:
        beats.append(worker_id)
        if len(beats) <= len(jobs.LANES):
            raise exceptions.ConnectorException("the line is down")

    monkeypatch.setattr(JobManager, "update_heartbeat", lost_at_first)
    monkeypatch.setattr(jobs, "BEAT", 0.1)
    with working(small):
        wait_for(lambda: len(beats) > 4 * len(jobs.LANES) or None, what="further signs of life")
    assert all(beats.count(each) > 1 for each in set(beats))
