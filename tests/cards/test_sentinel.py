"""A crash empties the table of presented codes: nothing that was presented before passes again (D11)."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from flask import Flask

import cards
import migrations
from cards.codes import reading
from cards.errors import CodesRecovering, CodeUsed
from command.embedded import postgres
from config.settings import Settings
from core import crypto, db
from core.errors import CityError, Unavailable
from tests.cards.conftest import PREFIXES, YUNCHUAN, City, products, terminal

pytestmark = pytest.mark.subset


@pytest.fixture
def fragile(tmp_path: Path, settings: Settings) -> Iterator[City]:
    """The card floor over a server of its own, which a test may hurt."""
    with postgres.running(tmp_path / "pg", settings={"restart_after_crash": "on", "max_connections": "160"}) as server:
        migrations.upgrade(server.url(postgres.OWNER))
        app = Flask("cards-fragile")
        db.init(app, server.url())
        crypto.install(settings.root_key)
        cards.configure(prefixes=PREFIXES)
        reading.forget()
        db.drop_connection()
        with app.app_context():
            with db.transaction():
                cards.apply_products(YUNCHUAN, products("yunchuan"))
            yield City(app)
            db.db.engine.dispose()
        db.drop_connection()
        reading.forget()


def kill_a_backend() -> None:
    """SIGKILL one server process of this thread's connection: PostgreSQL restarts all of them and empties unlogged tables."""
    row = db.connection().execute("SELECT pg_backend_pid()").fetchone()
    assert row is not None
    os.kill(row[0], signal.SIGKILL)
    deadline = time.monotonic() + 30
    time.sleep(0.2)
    while True:
        db.drop_connection()
        try:
            db.connection().execute("SELECT 1")
        except psycopg.OperationalError:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        else:
            return


def outcome(code: str) -> str:
    """What a terminal of its own is told of the code."""
    try:
        cards.present(terminal(), code)
    except CityError as refusal:
        return refusal.code
    finally:
        db.drop_connection()
    return "in"


def test_a_presented_code_stays_used_though_the_table_was_emptied(fragile: City, at: Callable[[float], None]) -> None:
    _, _, phone = fragile.ready()
    used, fresh = phone.code(tap=0), phone.code(tap=1)
    cards.present(fragile.till, used)
    kill_a_backend()
    assert fragile.rows("SELECT count(*) FROM presented") == [(0,)]
    for code in (fresh, used, fresh):
        with pytest.raises(CodesRecovering) as refusal:
            cards.present(fragile.till, code)
        assert 0 < refusal.value.facts["retry_after"] <= 91
    at(89)
    with pytest.raises(CodesRecovering):
        cards.present(fragile.till, phone.code())
    at(2)
    fresh = phone.code()
    cards.present(fragile.till, fresh)
    for code in (used, fresh):
        with pytest.raises(CityError) as late:
            cards.present(fragile.till, code)
        assert late.value.code in {"code_used", "code_expired"}
    assert fragile.rows("SELECT count(*) FROM presented WHERE handle = -1") == [(1,)]


def test_one_code_at_a_hundred_gates_while_a_backend_is_killed_gets_in_once_at_most(fragile: City) -> None:
    _, _, phone = fragile.ready()
    first, second = phone.code(tap=0), phone.code(tap=1)
    with ThreadPoolExecutor(100) as threads:
        assert list(threads.map(outcome, [first] * 100)).count("in") == 1
        running = [threads.submit(outcome, second) for _ in range(60)]
        kill_a_backend()
        told = [each.result() for each in running] + list(threads.map(outcome, [first, second] * 50))
    assert told.count("in") <= 1
    assert set(told) <= {"in", CodeUsed.code, CodesRecovering.code, Unavailable.code}
