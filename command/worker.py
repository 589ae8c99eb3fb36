"""`citycard worker`: timed jobs, the outbox and the sealer, until told to end."""

from __future__ import annotations

import signal
import threading

import click

from command.home import current_settings
from config import logging


@click.command()
def worker() -> None:
    """后台任务 · run timed jobs, the outbox and the sealer."""
    from app import create_app
    from core import worker as loops

    read = current_settings()
    logging.configure(read.log_level, process="worker")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    loops.run(create_app(read), stop)
