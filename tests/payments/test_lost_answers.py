"""Over HTTP: a charge whose connection to PostgreSQL dies between commit and answer, and what repetitions and early codes say."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Any

import psycopg
import pytest

from core import clock
from core.actors import Actor
from payments import charging
from tests.payments.conftest import Town

MARK = "Idempotency-Replayed"


@pytest.fixture
def cut(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Lets the next posting be done, and its connection die before anybody reads what came of it."""
    due: list[bool] = []

    def post(connection: psycopg.Connection[Any], asks: Sequence[Any]) -> Any:
        given = charging.post_charges(connection, asks)
        if due:
            due.pop()
            connection.close()
            raise psycopg.OperationalError("the connection is gone")
        return given

    monkeypatch.setattr(charging._poster, "post", post)
    return lambda: due.append(True)


def _charge(town: Town, holder: Actor, key: str) -> Any:
    code = town._keys[holder.id].make(clock.timestamp(), 0)
    return town.call(town.till, "POST", "/api/charges", json={"code": code, "amount_fen": 1_230}, key=key)


def test_the_request_that_charged_bears_no_mark_and_the_next_one_of_its_key_does(town: Town, cut: Callable[[], None]) -> None:
    wang = town.holder(50_000)
    cut()
    first = _charge(town, wang, "lost-answer-1")
    assert (first.status_code, first.headers.get(MARK)) == (201, None)
    assert town.rows("SELECT replays FROM idempotency WHERE key = 'lost-answer-1'") == [(1,)]
    again = _charge(town, wang, "lost-answer-1")
    assert (again.status_code, again.headers.get(MARK), again.json) == (201, "true", first.json)
    assert town.balance(wang) == 50_000 - 1_230


def test_a_repetition_bears_its_mark_though_its_own_connection_died(town: Town, cut: Callable[[], None]) -> None:
    wang = town.holder(50_000)
    first = _charge(town, wang, "lost-answer-2")
    cut()
    again = _charge(town, wang, "lost-answer-2")
    assert again.json == first.json
    assert again.headers.get(MARK) == "true"


def test_a_code_that_a_till_was_told_is_early_pays_nothing_when_its_time_comes(town: Town, at: Callable[[dt.timedelta], None]) -> None:
    wang = town.holder(50_000)
    code, other = (town._keys[wang.id].make(clock.timestamp() + 570, tap) for tap in (0, 1))

    def charge(key: str, code: str) -> Any:
        return town.call(town.till, "POST", "/api/charges", json={"code": code, "amount_fen": 1_230}, key=key)

    assert [charge(f"too-early-{nth}", code).json["code"] for nth in range(25)] == ["code_too_early"] * 25
    at(dt.timedelta(seconds=570))
    assert charge("its-time-1", code).json["code"] == "code_used"
    assert charge("its-time-2", other).status_code == 201
    assert town.balance(wang) == 50_000 - 1_230


def test_a_repetition_is_no_guess_however_old_its_code_and_is_answered_at_a_stopped_terminal(
    town: Town, at: Callable[[dt.timedelta], None]
) -> None:
    wang = town.holder(50_000)
    code = town._keys[wang.id].make(clock.timestamp(), 0)

    def charge(key: str, code: str) -> Any:
        return town.call(town.till, "POST", "/api/charges", json={"code": code, "amount_fen": 1_230}, key=key)

    first = charge("long-ago-1", code)
    assert first.status_code == 201
    at(dt.timedelta(minutes=30))
    for _ in range(25):
        again = charge("long-ago-1", code)
        assert (again.status_code, again.headers.get(MARK), again.json) == (201, "true", first.json)
    guesses = [charge(f"a-guess-{nth}", f"{code[:10]}{nth:08d}").status_code for nth in range(25)]
    assert guesses[-1] == 429
    assert charge("another-1", town._keys[wang.id].make(clock.timestamp(), 0)).status_code == 429
    assert charge("long-ago-1", code).json == first.json
    assert charge("long-ago-1", f"{code[:10]}00000000").status_code == 429
    assert town.balance(wang) == 50_000 - 1_230
