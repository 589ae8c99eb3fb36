"""Something that happens between two statements of whatever a test does."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from flask import Flask
from sqlalchemy import event

from core import db


@contextmanager
def meanwhile(nth: int, happens: Callable[[], None]) -> Iterator[list[int]]:
    """Let it happen right after this thread's nth statement; the list is empty as long as there was no such statement."""
    here, seen, came = threading.get_ident(), itertools.count(1), list[int]()

    def after(*_: Any) -> None:
        if threading.get_ident() == here and next(seen) == nth:
            came.append(nth)
            happens()

    event.listen(db.db.engine, "after_cursor_execute", after)
    try:
        yield came
    finally:
        event.remove(db.db.engine, "after_cursor_execute", after)


def elsewhere(app: Flask, step: Callable[..., object], *args: Any) -> Callable[[], None]:
    """The step on another thread and connection, done when the call returns."""

    def run() -> None:
        with app.app_context():
            step(*args)
            db.drop_connection()

    def done() -> None:
        thread = threading.Thread(target=run)
        thread.start()
        thread.join(30)
        assert not thread.is_alive()

    return done
