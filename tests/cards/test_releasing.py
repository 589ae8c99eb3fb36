"""A terminal that wrong codes have stopped is released by a person, for a few more, a few times a day, and on record."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

import auth
import cards
from cards.codes import reading, releasing
from cards.errors import CodeUnknown, TerminalNotStopped, TooManyWrongCodes
from command.story import proving
from core import db, ids
from core.actors import Actor, system
from core.errors import NotFound, Throttled
from tests.cards.conftest import LINHU, YUNCHUAN, City, on
from tests.cards.test_presenting import wrong_code


def stopped_till(city: City) -> Actor:
    """A registered terminal of the city that has read its day's wrong codes."""
    with db.transaction():
        wanted = auth.TerminalDescription(name="一号收银台", functions=("presentation:create",), account_id=ids.new_id())
        till = replace(city.till, id=auth.admit_terminal(YUNCHUAN, wanted, proving.public_jwk(proving.new_key())))
    guess(till, reading.GUESSES_A_DAY - 1)
    with pytest.raises(TooManyWrongCodes):
        cards.present(till, wrong_code())
    return till


def guess(till: Actor, times: int) -> None:
    for _ in range(times):
        with pytest.raises(CodeUnknown):
            cards.present(till, wrong_code())


def test_a_supervisor_releases_a_stopped_terminal_for_a_few_more_and_on_record(city: City, at: Callable[[float], None]) -> None:
    _, _, phone = city.ready()
    till, supervisor = stopped_till(city), on(system("supervisor"), city_id=YUNCHUAN)
    city.do(releasing.release, supervisor, till.id, reason="二维码贴膜破损，已更换")
    at(3)
    cards.present(till, phone.code())
    guess(till, releasing.GUESSES_A_RELEASE - 1)
    with pytest.raises(TooManyWrongCodes):
        cards.present(till, wrong_code())
    ((subject, detail),) = city.rows("SELECT subject, detail FROM audit WHERE event = 'cards:terminal:release'")
    assert (subject, detail["reason"]) == (ids.show("terminal", till.id), "二维码贴膜破损，已更换")


def test_two_supervisors_at_once_use_one_release_of_the_day(city: City) -> None:
    till, supervisor = stopped_till(city), on(system("supervisor"), city_id=YUNCHUAN)
    waiting = "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"

    def second() -> str:
        with city.app.app_context():
            try:
                city.do(releasing.release, supervisor, till.id, reason="我也看过了")
            except TerminalNotStopped:
                return "not stopped"
            finally:
                db.drop_connection()
            return "released"

    with ThreadPoolExecutor(1) as threads:
        with db.transaction():
            releasing.release(supervisor, till.id, reason="核实")
            asked = threads.submit(second)
            while not asked.done() and not city.rows(waiting):
                threading.Event().wait(0.01)
        assert asked.result() == "not stopped"
    assert city.rows("SELECT used FROM limit_counter WHERE name = %s", releasing.RELEASE) == [(1,)]


def test_releases_end_after_three_a_day_and_are_for_stopped_terminals_of_the_city(city: City, at: Callable[[float], None]) -> None:
    till, supervisor = stopped_till(city), on(system("supervisor"), city_id=YUNCHUAN)
    with pytest.raises(NotFound):
        city.do(releasing.release, on(supervisor, city_id=LINHU), till.id, reason="别的城市")
    for _ in range(releasing.RELEASES_A_DAY):
        city.do(releasing.release, supervisor, till.id, reason="核实")
        with pytest.raises(TerminalNotStopped):
            city.do(releasing.release, supervisor, till.id, reason="核实")
        at(3)
        guess(till, releasing.GUESSES_A_RELEASE - 1)
        with pytest.raises(TooManyWrongCodes):
            cards.present(till, wrong_code())
    with pytest.raises(Throttled):
        city.do(releasing.release, supervisor, till.id, reason="核实")
