"""A code ahead of its time: told so that the phone's clock is put right, used up so that a guesser has nothing of it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

import cards
from cards.codes import reading
from cards.codes.pay_code import TAPS, step_at, steps_open
from cards.errors import CodeExpired, CodeTooEarly, CodeUsed
from core import clock, db
from tests.cards.conftest import YUNCHUAN, City, terminal

pytestmark = pytest.mark.subset


def test_a_code_told_early_is_dead_when_its_time_comes_and_the_next_one_is_good(city: City, at: Callable[[float], None]) -> None:
    _, _, phone = city.ready()
    code = phone.code(skew=570, tap=0)
    for _ in range(reading.GUESSES_A_DAY + 1):
        with pytest.raises(CodeTooEarly):
            cards.present(city.till, code)
    next_one = phone.code(skew=570, tap=1)
    at(570)
    with pytest.raises(CodeUsed):
        cards.present(terminal(), code)
    cards.present(city.till, next_one)
    assert city.rows("SELECT count(*) FROM limit_counter") == [(0,)]


def test_of_all_codes_a_terminal_can_tell_from_wrong_ones_only_those_open_now_ever_pay(city: City) -> None:
    """The odds of a guess rest on this: eight values of a handle, and no value that is told apart now and good later."""
    _, _, phone = city.ready()
    now = clock.now()
    here, good, told = step_at(now.timestamp()), set(), set()
    for step, tap in ((step, tap) for step in range(here - 25, here + 26) for tap in range(TAPS)):
        code = phone.code_of(step, tap)
        found = reading.read(code, now, city_id=YUNCHUAN)
        if isinstance(found, reading.Candidate):
            good.add((step, tap))
        elif found != "code_unknown":
            told.add((step, tap))
            with pytest.raises((CodeTooEarly, CodeExpired)):
                cards.read_code(city.till, code, now=now)
    assert good == {(step, tap) for step in steps_open(now.timestamp()) for tap in range(TAPS)}
    used_up = set(city.rows("SELECT step, tap FROM code_used WHERE handle = %s", phone.given.handle))
    assert {(step, tap) for step, tap in told if step > here} == used_up
    assert len(told) > len(used_up) >= (reading.TOLD_APART_STEPS - 1) * TAPS


def test_a_code_is_not_used_up_under_the_hands_of_whoever_consumes_it(city: City) -> None:
    _, _, phone = city.ready()
    code = phone.code(skew=570, tap=0)
    found = reading.read(code, clock.now(), city_id=YUNCHUAN)
    assert isinstance(found, reading.Early)
    with db.private_connection() as other:
        other.execute("BEGIN")
        place = found.handle, found.step, found.tap
        other.execute("SELECT pg_advisory_xact_lock(code_lock_v1(%s::bigint, %s::bigint, %s::smallint))", place)

        def early() -> str:
            with city.app.app_context():
                try:
                    cards.read_code(city.till, code)
                except CodeTooEarly as refused:
                    return refused.code
                finally:
                    db.drop_connection()
            return "read"

        waiting = "SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        with ThreadPoolExecutor(1) as threads:
            asked = threads.submit(early)
            while not asked.done() and not city.rows(waiting):
                threading.Event().wait(0.01)
            assert not asked.done()
            other.execute("COMMIT")
            assert asked.result() == "code_too_early"
