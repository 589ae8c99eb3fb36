"""A crash of PostgreSQL between two looks at one code, and between a charge and its answer; on a server of its own that really crashes."""

from __future__ import annotations

import datetime as dt
import os
import signal
import time
from collections.abc import Iterator
from typing import Any, Never
from uuid import UUID

import psycopg
import pytest
from flask import Flask

import migrations
from cards.codes.pay_code import STEP_SECONDS, step_at
from command.embedded import postgres
from core import clock, db, ids
from core.poster import GroupPoster
from payments.charging import Order, Settled, keys_of, post_charges
from tests.ledger.conftest import CITY
from tests.ledger.conftest import City as Books
from tests.ledger.tills import Phone, Till, by_presentation, replace


@pytest.fixture(scope="module")
def fragile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[postgres.Server]:
    """A server that a test may hurt."""
    with postgres.running(tmp_path_factory.mktemp("fragile") / "pg", settings={"restart_after_crash": "on"}) as server:
        migrations.upgrade(server.url(postgres.OWNER))
        yield server


@pytest.fixture
def till(fragile: postgres.Server) -> Iterator[Till]:
    """A till over it."""
    flask = Flask("fragile")
    db.init(flask, fragile.url(postgres.APP))
    clock.learn(dt.timedelta())
    books = Books(fragile.url(postgres.APP), fragile.url(postgres.ADMIN), flask).open()
    with flask.app_context():
        yield Till(books, ids.new_id(), books.merchant)
        db.db.engine.dispose()
    db.drop_connection()


def crash(till: Till) -> None:
    """Kill the backend of a connection: PostgreSQL restarts all of them and empties unlogged tables."""
    victim = till.city.as_app()
    os.kill(victim.info.backend_pid, signal.SIGKILL)
    until = time.monotonic() + 30
    with pytest.raises(psycopg.OperationalError):
        victim.execute("SELECT 1")
    victim.close()
    while True:
        try:
            assert till.run("SELECT count(*) FROM presented") == [(0,)]
        except psycopg.OperationalError:
            assert time.monotonic() < until
            time.sleep(0.05)
        else:
            return


def present(till: Till, phone: Phone, step: int, terminal: UUID) -> str | None:
    """Present a code as a terminal does; why it was refused."""
    now, identity = clock.now(), ids.new_id()
    with till.city.as_app() as app:
        row = app.execute(
            "SELECT refusal FROM present_codes(ARRAY[%s], ARRAY[%s], '{terminal}', ARRAY[%s], ARRAY[%s::bigint], '{1}',"
            " ARRAY[%s::bigint], '{0}', '{present}', '{\"{masked_name}\"}', %s)",
            (identity, CITY, terminal, phone.handle, step, now),
        ).fetchone()
    assert row is not None
    return None if row[0] is None else str(row[0])


def now_step() -> int:
    """The step of this moment."""
    return step_at(clock.timestamp())


def test_a_code_presented_elsewhere_before_a_crash_is_not_charged_after_it(till: Till) -> None:
    phone, step = till.phone(), now_step()
    assert present(till, phone, step, ids.new_id()) in (None, "codes_recovering")
    crash(till)
    assert till.code(till.order(phone, step=step)) == "code_expired"
    assert till.balance(phone) == 10_000


def test_nor_is_a_code_of_the_next_step_that_could_have_been_presented_early(till: Till) -> None:
    phone = till.phone()
    crash(till)
    early = now_step() + (1 if clock.timestamp() % STEP_SECONDS >= STEP_SECONDS - 5 else 0)
    assert till.code(till.order(phone, step=early)) == "code_expired"


def test_a_code_of_a_step_that_began_after_the_crash_pays_at_once(till: Till) -> None:
    phone = till.phone()
    crash(till)
    till.code(till.order(phone, step=now_step()))
    assert till.code(till.order(phone, step=now_step() + 2)) == "posted"


def test_a_charge_that_misses_the_sentinel_puts_it_back_and_identity_codes_wait_from_then_on(till: Till) -> None:
    crash(till)
    till.code(till.order(till.phone(), step=now_step() + 2))
    ((at, until),) = till.run("SELECT at, expires_at FROM presented WHERE handle = -1")
    assert until - at == dt.timedelta(seconds=90)
    assert present(till, till.phone(), now_step(), till.id) == "codes_recovering"


def test_a_presentation_from_before_a_crash_is_unknown_after_it(till: Till) -> None:
    phone = till.phone()
    presentation = till.presented(phone)
    crash(till)
    assert till.code(by_presentation(till.order(phone), presentation)) == "presentation_unknown"


class Cut:
    """Posts charges over a real connection; the first posting is done, and its connection dies before the answer is read."""

    def __init__(self, till: Till, *, cuts: int = 1, before: bool = False) -> None:
        self.till, self.cuts, self.before = till, cuts, before

    def connect(self) -> psycopg.Connection[Any]:
        """A connection of the application."""
        return self.till.city.as_app()

    def post(self, connection: psycopg.Connection[Any], asks: Any) -> Any:
        """Post, and lose what was to be told."""
        if self.cuts and self.before:
            self._cut(connection)
        answers = post_charges(connection, asks)
        if self.cuts:
            self._cut(connection)
        return answers

    def _cut(self, connection: psycopg.Connection[Any]) -> Never:
        self.cuts -= 1
        connection.close()
        raise psycopg.OperationalError("the connection is gone")

    def poster(self) -> GroupPoster[Order, Settled]:
        """A poster over it."""
        return GroupPoster("cut", self.post, keys_of, connect=self.connect)


def test_a_charge_whose_connection_died_after_the_commit_answers_as_the_first_and_the_next_request_as_a_repetition(till: Till) -> None:
    """The very same request learns its own answer: to its caller it is no repetition, and the caller's own repetition is one."""
    order, cut = till.order(till.phone(), step=now_step() + 2), Cut(till)
    code, answer, replayed = cut.poster().ask(order)
    assert (code, answer["charge"], replayed) == ("posted", str(order.charge_id), False)
    assert till.run("SELECT replays FROM idempotency WHERE key = %s", order.key) == [(1,)]
    repeated = replace(order, charge_id=ids.new_id())
    assert cut.poster().ask(repeated) == ("posted", answer, True)


@pytest.mark.parametrize("before", [True, False], ids=["dead before", "dead after"])
def test_a_repetition_is_marked_though_its_own_connection_died(till: Till, before: bool) -> None:
    """What another request wrote is a repetition: the charge in the answer is not the one that this request brought."""
    order = till.order(till.phone(), step=now_step() + 2)
    till.post(order)
    repeated = replace(order, charge_id=ids.new_id())
    code, answer, replayed = Cut(till, before=before).poster().ask(repeated)
    assert (code, answer["charge"], replayed) == ("posted", str(order.charge_id), True)
