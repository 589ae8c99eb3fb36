"""Timed and deferred work: procrastinate over the same PostgreSQL, so that a job exists exactly if what wanted it was committed (D32).

Jobs wait in the machine's time; ``clock.real`` turns a city's moment into it, and moving the clock moves what waits along.
A job may run twice (a worker can die after its work and before saying so): its effects are guarded like any repeated request.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final, cast

import procrastinate
import structlog
from flask import Flask
from procrastinate import exceptions
from procrastinate.connector import BaseConnector
from procrastinate.manager import JobManager
from procrastinate.psycopg_connector import PsycopgConnector
from procrastinate.sync_psycopg_connector import SyncPsycopgConnector
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from core import clock, db

log = structlog.get_logger("jobs")
MOST_ATTEMPTS = 12
RETRY = procrastinate.RetryStrategy(max_attempts=MOST_ATTEMPTS, exponential_wait=4)
AGAIN = dt.timedelta(minutes=5)  # after which a daily job that failed is tried again
BEAT = 10.0  # seconds between two signs of life of a worker
SILENT = dt.timedelta(seconds=3 * BEAT)
_ORPHANS = (
    "SELECT j.id, j.task_name, j.attempts FROM procrastinate_jobs j LEFT JOIN procrastinate_workers w ON w.id = j.worker_id"
    " WHERE j.status = 'doing' AND (w.id IS NULL OR w.last_heartbeat < now() - :silent)"
    " AND (SELECT max(e.at) FROM procrastinate_events e WHERE e.job_id = j.id AND e.type = 'started') < now() - :silent"
    " ORDER BY j.id LIMIT 500 FOR UPDATE OF j SKIP LOCKED"
)
Work = Callable[..., None]
# How many jobs of a lane run at once. Whoever calls strangers has a lane of its own: receivers that hang hold up each other alone.
OWN, STRANGERS = "default", "strangers"
LANES: Final = {OWN: 2, STRANGERS: 4}


@dataclass(frozen=True, slots=True)
class Rhythm:
    """When a job comes again: every so many seconds, or each day at a time of the city's wall clock."""

    seconds: int = 0
    daily_at: dt.time | None = None

    def next(self, now: dt.datetime) -> dt.datetime:
        """The first moment after ``now``."""
        if self.daily_at is None:
            return now + dt.timedelta(seconds=self.seconds)
        local = now.astimezone(clock.CHINA)
        due = dt.datetime.combine(local.date(), self.daily_at, clock.CHINA)
        return (due if due > local else due + dt.timedelta(days=1)).astimezone(dt.UTC)


_work: dict[str, Work] = {}
_lanes: dict[str, str] = {}
_rhythms: dict[str, Rhythm] = {}
_app: procrastinate.App | None = None
_flask: Flask | None = None
_url = ""


def job(name: str, *, lane: str = OWN) -> Callable[[Work], Work]:
    """Make a function a job under a stable name, in one of the ``LANES``; its arguments are plain JSON values."""

    def register(work: Work) -> Work:
        _work[name], _lanes[name] = work, lane
        work.job_name = name  # type: ignore[attr-defined]  # read back by defer()
        return work

    return register


def every(name: str, *, seconds: int = 0, daily_at: dt.time | None = None) -> Callable[[Work], Work]:
    """Make a function a job that comes again by itself."""

    def register(work: Work) -> Work:
        _rhythms[name] = Rhythm(seconds, daily_at)
        return job(name)(work)

    return register


def init(app: Flask, url: str) -> None:
    """Build the queue over the application's database; called once by ``create_app``."""
    global _app, _flask, _url
    _flask, _url = app, url
    _app = _queue(SyncPsycopgConnector(conninfo=url))


class _Signs(JobManager):
    """Gives further signs of life after one was lost: the library's loop ends with its first failure, and its worker passes for dead."""

    async def update_heartbeat(self, worker_id: int) -> None:
        try:
            await super().update_heartbeat(worker_id)
        except exceptions.ConnectorException as fault:
            log.warning("heartbeat_lost", fault=type(fault).__name__)


def _queue(connector: BaseConnector) -> procrastinate.App:
    made = procrastinate.App(connector=connector)
    made.job_manager = _Signs(connector)
    for name, work in _work.items():
        run = _in_context(name, work)
        made.task(name=name, queue=_lanes[name], retry=RETRY)(_tried_again(name, run) if name in _rhythms else run)
    return made


def defer(work: Work, *, at: dt.datetime | None = None, key: str | None = None, **arguments: Any) -> None:
    """Want a job in the current transaction: now, or at a moment of the city's time; under a ``key`` only one may wait."""
    name = cast(str, work.job_name)  # type: ignore[attr-defined]  # set by job()
    _defer(name, at=at, key=key, arguments=arguments)


def _defer(name: str, *, at: dt.datetime | None, key: str | None, arguments: dict[str, Any]) -> None:
    assert _app is not None
    connection = db.session().connection()
    deferrer = _app.configure_task(name, schedule_at=clock.real(at) if at else None, queueing_lock=key, connection=db.raw(connection))
    try:
        # A savepoint of the connection's own: the session would make it only with its own next statement.
        with connection.begin_nested():
            deferrer.defer(**arguments)
    except exceptions.AlreadyEnqueued:
        return


def plant_rhythms() -> None:
    """See that every recurring job waits for its next time; harmless when it does already."""
    for name, rhythm in _rhythms.items():
        with db.transaction():
            _defer(name, at=rhythm.next(clock.now()), key=f"rhythm:{name}", arguments={})


def rescue() -> int:
    """Take up again the jobs of workers that died with them in hand; returns how many. Harmless while every worker lives."""
    with db.transaction() as session:
        orphans = session.execute(text(_ORPHANS), {"silent": SILENT}).all()
        for orphan in orphans:
            log.warning("job_rescued", job=orphan.task_name, attempts=orphan.attempts)
            if orphan.attempts + 1 >= MOST_ATTEMPTS:
                # It may be what kills its workers: it is kept for whoever looks into it.
                session.execute(text("SELECT procrastinate_finish_job_v1(:id, 'failed', false)"), {"id": orphan.id})
                continue
            try:
                with session.begin_nested():
                    session.execute(text("SELECT procrastinate_retry_job_v2(:id, now(), NULL, NULL, NULL)"), {"id": orphan.id})
            except IntegrityError:  # another waits under the same key
                session.execute(text("SELECT procrastinate_finish_job_v1(:id, 'aborted', true)"), {"id": orphan.id})
                _again(orphan.task_name, clock.now())
    return len(orphans)


def next_due() -> dt.datetime | None:
    """When, in the city's time, the next waiting job is due."""
    with db.transaction() as session:
        row = session.execute(
            text("SELECT min(coalesce(scheduled_at, now())) FROM procrastinate_jobs WHERE status = 'todo'"),
        ).one()
    return row[0] + clock.offset() if row[0] else None


def run_due(now: dt.datetime | None = None) -> int:
    """Run, here and in order of their time, the jobs due by ``now``; returns how many. A job that raises ends the run."""
    done = 0
    while (found := _take_due(now or clock.now())) is not None:
        identity, name, arguments = found
        _in_context(name, _work[name])(**arguments)
        with db.transaction() as session:
            session.execute(text("SELECT procrastinate_finish_job_v1(:id, 'succeeded', true)"), {"id": identity})
        done += 1
    return done


def _take_due(now: dt.datetime) -> tuple[int, str, dict[str, Any]] | None:
    with db.transaction() as session:
        row = session.execute(
            text(
                "UPDATE procrastinate_jobs SET status = 'doing' WHERE id = (SELECT id FROM procrastinate_jobs WHERE status = 'todo'"
                " AND coalesce(scheduled_at, '-infinity') <= :now AND task_name = ANY(:known)"
                " ORDER BY scheduled_at NULLS FIRST, id LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING id, task_name, args"
            ),
            {"now": clock.real(now), "known": list(_work)},
        ).first()
    return (row.id, row.task_name, row.args) if row else None


def _in_context(name: str, work: Work) -> Work:
    """Run a job inside the application, and plant it again if it recurs."""

    def run(**arguments: Any) -> None:
        assert _flask is not None
        with _flask.app_context():
            if (rhythm := _rhythms.get(name)) is not None:
                # The next time is planted first: a failing run must not end the rhythm.
                with db.transaction():
                    _defer(name, at=rhythm.next(clock.now()), key=f"rhythm:{name}", arguments={})
            log.info("job", job=name)
            work(**arguments)

    return run


def _tried_again(name: str, run: Work) -> Work:
    """A recurring job that fails comes again by itself, with its rhythm or before: the library's retry would want the key of the next."""

    def survive(**arguments: Any) -> None:
        try:
            run(**arguments)
        except Exception as fault:  # whatever it is, the rhythm goes on
            log.warning("job_failed", job=name, fault=type(fault).__name__, exc_info=fault)
            assert _flask is not None
            with _flask.app_context(), db.transaction():
                _again(name, clock.now() + AGAIN)

    return survive


def _again(name: str, at: dt.datetime) -> None:
    """Want a run of a daily job in between; what comes every few minutes is not worth one."""
    if (rhythm := _rhythms.get(name)) is not None and rhythm.daily_at is not None:
        _defer(name, at=at, key=f"again:{name}", arguments={})


async def serve() -> None:
    """Work through every lane until cancelled: the worker process's main loop.

    Over a queue of its own: the one that defers stays synchronous, also for jobs and listeners of this very process.
    """
    slots = sum(LANES.values())
    # A thread for each slot: the usual executor has as many as the machine has processors and four, whatever waits in them.
    with ThreadPoolExecutor(slots + 2, thread_name_prefix="job") as threads:
        asyncio.get_running_loop().set_default_executor(threads)
        queue = _queue(PsycopgConnector(conninfo=_url, min_size=1, max_size=slots + 2))
        async with queue.open_async(), asyncio.TaskGroup() as lanes:
            for lane, at_once in LANES.items():
                lanes.create_task(_work_in(queue, lane, at_once))


async def _work_in(queue: procrastinate.App, lane: str, at_once: int) -> None:
    await queue.run_worker_async(
        queues=[lane],
        name=lane,
        concurrency=at_once,
        fetch_job_polling_interval=1.0,
        update_heartbeat_interval=BEAT,
        install_signal_handlers=False,
        delete_jobs=procrastinate.jobs.DeleteJobCondition.SUCCESSFUL,
        shutdown_graceful_timeout=10,
    )
