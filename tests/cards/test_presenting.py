"""Presenting a code: once, fresh, at a terminal of its city, for a card in force, and within the bound on guessing."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import psycopg.errors
import pytest

import cards
from cards.codes import pay_keys, reading
from cards.errors import (
    CardExpired,
    CardFrozen,
    CardLost,
    CodeExpired,
    CodeMalformed,
    CodeOfOtherCity,
    CodeTooEarly,
    CodeUnknown,
    CodeUsed,
    DeviceNeeded,
    PayKeyRevoked,
    TooManyWrongCodes,
)
from cards.presenting import find_at_counter
from core import clock, db, ids
from core.actors import system
from core.errors import CityError
from tests.cards.conftest import LINHU, YUNCHUAN, City, Phone, on, proved, staff, terminal

pytestmark = pytest.mark.subset


def wrong_code(prefix: str = "81") -> str:
    """A code that nobody made."""
    return prefix + f"{secrets.randbelow(10**16):016d}"


def test_a_terminal_sees_who_stands_there_and_no_more(city: City) -> None:
    holder, card, phone = city.ready()
    shown = cards.present(city.till, phone.code())
    assert (shown.masked_name, shown.card_tail, shown.form, shown.product) == (card.masked_name, card.number[-4:], "virtual", "resident")
    assert shown.concession is None
    assert 119 < (shown.expires_at - clock.now()).total_seconds() <= 120
    stored = city.rows("SELECT id, terminal_id, card_id FROM presented WHERE handle >= 0")
    assert stored == [(shown.id, city.till.id, card.id)]
    used = city.rows("SELECT actor_kind, actor_id, purpose, fields FROM data_use WHERE resident_id = %s", holder.id)
    assert used == [("terminal", city.till.id, "present", ["masked_name", "card_tail", "form", "product"])]


def test_the_concession_is_for_terminals_that_need_it(city: City) -> None:
    _, card, phone = city.ready()
    with db.transaction() as session:
        session.connection().exec_driver_sql("UPDATE card SET concession = 'senior' WHERE id = %s", (card.id,))
    assert cards.present(city.till, phone.code()).concession is None
    assert cards.present(terminal(YUNCHUAN, "concession:read"), phone.code()).concession == "senior"


def test_a_photo_of_a_code_passes_no_second_terminal(city: City) -> None:
    _, _, phone = city.ready()
    code = phone.code()
    cards.present(city.till, code)
    for gate in (city.till, terminal()):
        with pytest.raises(CodeUsed):
            cards.present(gate, code)


def test_two_purchases_in_one_step_have_two_codes(city: City) -> None:
    _, _, phone = city.ready()
    shown = {cards.present(city.till, phone.code(tap=tap)).id for tap in range(4)}
    assert len(shown) == 4


def test_of_eighty_threads_with_one_code_exactly_one_gets_in(city: City) -> None:
    _, _, phone = city.ready()
    for round_ in range(3):
        code, start = phone.code(tap=round_), threading.Barrier(80)

        def gate(_: int, code: str = code, start: threading.Barrier = start) -> str:
            start.wait()
            try:
                cards.present(terminal(), code)
            except CodeUsed:
                return "used"
            finally:
                db.drop_connection()
            return "in"

        with ThreadPoolExecutor(80) as threads:
            answers = list(threads.map(gate, range(80)))
        assert answers.count("in") == 1
        assert answers.count("used") == 79


@pytest.mark.parametrize(
    ("skew", "refusal"), [(-61, CodeExpired), (-600, CodeExpired), (65, CodeTooEarly), (600, CodeTooEarly), (-700, CodeUnknown)]
)
def test_a_code_too_old_or_too_early_says_so(city: City, skew: float, refusal: type[CityError]) -> None:
    _, _, phone = city.ready()
    with pytest.raises(refusal):
        cards.present(city.till, phone.code(skew=skew))
    counted = [] if refusal is not CodeUnknown else [(1,)]
    assert city.rows("SELECT used FROM limit_counter WHERE name = %s", reading.GUESS) == counted


def test_a_phone_a_little_slow_or_fast_is_met(city: City, at: Callable[[float], None]) -> None:
    _, _, phone = city.ready()
    at(30 - clock.timestamp() % 30 + 10)
    cards.present(city.till, phone.code(skew=-25))
    at(17)
    cards.present(city.till, phone.code(skew=5))


@pytest.mark.parametrize("text", ["", "81", "8112345678901234567", "81123456789012345x", "８１１２３４５６７８９０１２３４５６", "x" * 64])
def test_what_is_no_code_is_malformed_and_no_guess(city: City, text: str) -> None:
    with pytest.raises(CodeMalformed):
        cards.present(city.till, text)
    assert city.rows("SELECT count(*) FROM limit_counter") == [(0,)]


def test_a_code_of_another_city_is_sent_home(city: City) -> None:
    holder = city.resident(city_id=LINHU)
    phone = city.key(holder, city.card(holder))
    with pytest.raises(CodeOfOtherCity):
        cards.present(city.till, phone.code())
    with pytest.raises(CodeOfOtherCity):
        cards.present(city.till, wrong_code("99"))
    assert cards.present(terminal(LINHU), phone.code(tap=3)).product == "resident"


def test_a_handle_dressed_in_another_citys_prefix_is_refused(city: City) -> None:
    """Every phone knows its own secret; with the neighbour's permutation key it could make an authentic code for the wrong city."""
    holder = city.resident(city_id=LINHU)
    given, neighbour = city.key(holder, city.card(holder)).given, city.ready()[2].given
    forged = Phone(replace(given, prefix=neighbour.prefix, permutation_key=neighbour.permutation_key))
    with pytest.raises(CodeOfOtherCity):
        cards.present(city.till, forged.code())


def test_from_the_report_of_loss_nothing_is_presented_and_then_again(city: City) -> None:
    holder, card, phone = city.ready()
    city.do(cards.report_loss, holder, card.id)
    with pytest.raises(CardLost):
        cards.present(city.till, phone.code())
    city.do(cards.take_back_loss, proved(holder), card.id)
    cards.present(city.till, phone.code())


def test_each_flag_refuses_with_its_own_reason(city: City, at: Callable[[float], None]) -> None:
    _, card, phone = city.ready()
    supervisor = staff(YUNCHUAN, "cards:card:freeze")
    city.do(cards.take_by_name, supervisor, card.id, "freeze", reason="法院冻结通知")
    with pytest.raises(CardFrozen):
        cards.present(city.till, phone.code())
    city.do(cards.take_by_name, supervisor, card.id, "resume", reason="解除冻结")
    at(11 * 365 * 86400)
    with pytest.raises(CardExpired):
        cards.present(city.till, phone.code())


def test_a_new_key_for_the_phone_ends_the_old_one(city: City) -> None:
    holder, card, old = city.ready()
    new = city.key(holder, card)
    assert (new.given.handle, new.given.generation) == (old.given.handle, 2)
    with pytest.raises(PayKeyRevoked):
        cards.present(city.till, old.code())
    cards.present(city.till, new.code(tap=1))
    # Also once this process knows the generation; and a phone with an old key is no guesser.
    with pytest.raises(PayKeyRevoked):
        cards.present(city.till, old.code(tap=2))
    assert city.rows("SELECT count(*) FROM limit_counter") == [(0,)]


def test_a_removed_phone_makes_no_more_codes_and_the_other_one_does(city: City) -> None:
    holder, card, first = city.ready()
    second = city.key(on(holder, device_id=ids.new_id()), card)
    assert second.given.handle != first.given.handle
    assert holder.device_id is not None
    assert city.do(pay_keys.revoke_of_device, system("cards"), holder.device_id, reason="device_removed") == 1
    with pytest.raises(PayKeyRevoked):
        cards.present(city.till, first.code())
    cards.present(city.till, second.code())


def test_a_key_is_given_to_the_phone_of_the_session_for_a_card_in_force(city: City) -> None:
    holder, card, _ = city.ready()
    with pytest.raises(DeviceNeeded):
        city.key(on(holder, device_id=None), card)
    city.do(cards.report_loss, holder, card.id)
    with pytest.raises(CardLost):
        city.key(holder, card)


def test_the_sixth_phone_takes_the_place_of_the_first(city: City) -> None:
    holder, card, first = city.ready()
    others = [city.key(on(holder, device_id=ids.new_id()), card) for _ in range(5)]
    with pytest.raises(PayKeyRevoked):
        cards.present(city.till, first.code())
    for phone in others:
        cards.present(city.till, phone.code())


def test_a_handle_that_rested_comes_back_in_its_next_generation(city: City, at: Callable[[float], None]) -> None:
    holder, card, first = city.ready()
    city.do(pay_keys.revoke_of_device, system("cards"), holder.device_id, reason="device_removed")
    at(31 * 86400)
    again = city.key(on(holder, device_id=ids.new_id()), card)
    assert (again.given.handle, again.given.generation) == (first.given.handle, 2)
    with pytest.raises(PayKeyRevoked):
        cards.present(city.till, first.code())
    cards.present(city.till, again.code(tap=1))


def test_the_twentieth_wrong_code_stops_the_terminal_until_tomorrow(city: City, at: Callable[[float], None]) -> None:
    _, _, phone = city.ready()
    for _ in range(19):
        with pytest.raises(CodeUnknown):
            cards.present(city.till, wrong_code())
    with pytest.raises(TooManyWrongCodes):
        cards.present(city.till, wrong_code())
    with pytest.raises(TooManyWrongCodes):
        cards.present(city.till, phone.code())
    cards.present(terminal(), phone.code())
    reading.forget()
    with pytest.raises(TooManyWrongCodes):
        cards.present(city.till, phone.code())
    at(86400)
    cards.present(city.till, phone.code())


def test_a_burst_of_guesses_does_not_outrun_the_bound(city: City) -> None:
    def guess(_: int) -> str:
        try:
            cards.present(city.till, wrong_code())
        except CityError as refusal:
            return refusal.code
        finally:
            db.drop_connection()
        return "in"

    with ThreadPoolExecutor(30) as threads:
        answers = list(threads.map(guess, range(120)))
    assert answers.count("code_unknown") == 19
    assert answers.count("too_many_wrong_codes") == 101
    assert city.rows("SELECT used FROM limit_counter WHERE name = %s", reading.GUESS) == [(20,)]


def test_a_code_that_paid_is_not_presented(city: City) -> None:
    _, _, phone = city.ready()
    code = phone.code(tap=2)
    found = cards.read_code(city.till, code)
    db.connection().execute(
        "INSERT INTO code_used (handle, step, tap, charge_id, at) VALUES (%s, %s, %s, %s, now())",
        (found.handle, found.step, found.tap, ids.new_id()),
    )
    with pytest.raises(CodeUsed):
        cards.present(city.till, code)


def test_dead_codes_are_swept_and_living_ones_cannot_be(city: City) -> None:
    _, _, phone = city.ready()
    cards.present(city.till, phone.code())
    now = int(clock.timestamp() // 30)
    for age in (5, 21, 500):
        db.connection().execute("INSERT INTO code_used VALUES (7, %s, 0, %s, now())", (now - age, ids.new_id()))
    assert city.rows("SELECT sweep_codes_v1()") == [(2,)]
    assert city.rows("SELECT handle FROM presented ORDER BY handle") == [(-1,), (phone.given.handle,)]
    for table in ("presented", "code_used"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            db.connection().execute(f"DELETE FROM {table}")  # type: ignore[call-overload]  # a name of this test


def test_a_clerk_finds_the_card_of_a_shown_code_and_the_resident_can_read_it(city: City) -> None:
    holder, card, phone = city.ready()
    assert find_at_counter(city.clerk, phone.code()).id == card.id
    used = city.rows("SELECT actor_kind, purpose FROM data_use WHERE resident_id = %s", holder.id)
    assert used == [("staff", "counter")]
