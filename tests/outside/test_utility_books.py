"""The utilities' books are entered at the start, however busy the database is, and the other agencies do not wait for them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import psycopg.errors
import pytest
from flask import Flask
from psycopg_pool import PoolTimeout

from outside.utility_books import TRIES, keep_books_at_last
from outside.world import EXTENSION
from tests.outside.conftest import Outside


class Busy:
    """A pool that is too busy for its first askers."""

    def __init__(self, pool: Any, faults: list[Exception]) -> None:
        self.pool, self.faults = pool, faults

    @contextmanager
    def connection(self) -> Iterator[Any]:
        if self.faults:
            raise self.faults.pop()
        with self.pool.connection() as connection:
            yield connection


def busy(outside: Outside, *faults: Exception) -> Flask:
    """An app over a pool that fails so often."""
    app = Flask("busy")
    app.extensions[EXTENSION] = replace(outside.world, pool=Busy(outside.world.pool, list(faults)))
    return app


def test_a_busy_database_is_asked_again(outside: Outside, capsys: pytest.CaptureFixture[str]) -> None:
    paused: list[float] = []
    app = busy(outside, PoolTimeout(), psycopg.errors.QueryCanceled("statement timeout"))
    assert keep_books_at_last(app, [], pause=paused.append)
    assert len(paused) == 2
    assert "statement timeout" in capsys.readouterr().err


def test_a_database_that_stays_busy_does_not_end_the_process(outside: Outside) -> None:
    app = busy(outside, *(psycopg.errors.QueryCanceled() for _ in range(TRIES)))
    assert not keep_books_at_last(app, [], pause=lambda _: None)


def test_another_fault_is_not_hidden(outside: Outside) -> None:
    with pytest.raises(psycopg.errors.UndefinedTable):
        keep_books_at_last(busy(outside, psycopg.errors.UndefinedTable()), [], pause=lambda _: None)
