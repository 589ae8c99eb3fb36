"""The worker process: timed jobs, the outbox and the sealer, each in a loop that outlives a database restart."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import structlog
from flask import Flask

from core import jobs, outbox, pulse, sealer

log = structlog.get_logger("worker")
# A job that was taken when PostgreSQL or a worker died stays taken for ever; a recurring one would not come again until the next start.
MENDED_EVERY = 20.0


def run(app: Flask, stop: threading.Event) -> None:
    """Work until ``stop`` is set."""
    loops = [
        threading.Thread(target=_loop, args=(app, stop, outbox.deliver, 0.1), name="outbox", daemon=True),
        threading.Thread(target=_loop, args=(app, stop, sealer.seal_all, 1.0), name="sealer", daemon=True),
        threading.Thread(target=_loop, args=(app, stop, _mend, MENDED_EVERY), name="mending", daemon=True),
        threading.Thread(target=_queue, args=(app, stop), name="queue", daemon=True),
    ]
    for thread in loops:
        thread.start()
    stop.wait()
    for thread in loops:
        thread.join(timeout=12)


def _loop(app: Flask, stop: threading.Event, step: Callable[[], int], pause: float) -> None:
    while not stop.is_set():
        try:
            with app.app_context():
                pulse.beat()
                busy = step()
        except Exception as fault:  # a loop of the worker never ends by itself: the database may be restarting
            log.warning("loop_failed", loop=threading.current_thread().name, fault=type(fault).__name__, exc_info=fault)
            busy = 0
            stop.wait(1.0)
        if not busy:
            stop.wait(pause)


def _mend() -> int:
    jobs.plant_rhythms()
    jobs.rescue()
    return 0


def _queue(app: Flask, stop: threading.Event) -> None:
    while not stop.is_set():
        try:
            with app.app_context():
                pulse.beat()
                jobs.plant_rhythms()
            asyncio.run(_serve(stop))
        except Exception as fault:  # as above
            log.warning("queue_failed", fault=type(fault).__name__, exc_info=fault)
            stop.wait(1.0)


async def _serve(stop: threading.Event) -> None:
    work = asyncio.create_task(jobs.serve())
    while not stop.is_set() and not work.done():
        await asyncio.sleep(0.2)
    work.cancel()
    (outcome,) = await asyncio.gather(work, return_exceptions=True)
    if isinstance(outcome, Exception):
        raise outcome
