"""What a stranger can do to somebody else's sign-in by failing on purpose: nothing that lasts (D28)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from werkzeug.test import TestResponse

import auth
from auth import installing
from auth.policy import Policy
from tests.auth.conftest import WANG, House, Phone
from tests.auth.test_signing_in import chip
from tests.auth.test_staff import hired


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06d}"


def under(**numbers: int) -> None:
    """Let other numbers of the policy hold for the rest of the test."""
    installing._installed[:] = [replace(auth.parts(), policy=replace(Policy(), **numbers))]  # type: ignore[arg-type]  # whole numbers


def test_guesses_without_any_code_count_against_the_guesser_alone(house: House) -> None:
    victim = Phone()
    sent = len(house.inbox.messages)
    for _ in range(Policy().failures_per_number_day):
        assert house.try_code(Phone(victim.number), "000000").json["code"] == "sign_in_code_wrong"
    assert len(house.inbox.messages) == sent
    counted = {name for (name,) in house.rows("SELECT name FROM limit_counter WHERE name LIKE 'sign_in_failures%%'")}
    assert counted == {"sign_in_failures_device", "sign_in_failures_network"}
    assert house.sign_in(victim)["strength"] == 1


def test_guesses_without_any_code_stop_neither_a_citys_new_devices_nor_its_counters(house: House) -> None:
    under(new_device_failures_per_city_hour=10)
    clerk = house.staff("counter_clerk")
    for _ in range(10):
        house.try_code(Phone(), "000000")
    assert house.send_code(Phone()).status_code == 202
    assert house.post("/api/counter/phone-codes", {"phone": Phone().number}, token=clerk).status_code == 202


def test_one_device_that_guesses_without_a_code_is_stopped_itself(house: House) -> None:
    guesser = Phone()
    answers = [house.try_code(guesser, "000000").status_code for _ in range(Policy().failures_per_device_day + 1)]
    assert answers == [401] * Policy().failures_per_device_day + [429]


def test_wrong_codes_of_strangers_do_not_shut_a_known_device_out(house: House) -> None:
    under(failures_per_number_day=5)
    victim, _ = house.named()
    stranger = Phone(victim.number)
    house.send_code(stranger)
    for _ in range(5):
        house.try_code(stranger, wrong(house.inbox.code(victim.number)))
    other = Phone(victim.number)
    house.send_code(other)
    assert house.try_code(other, house.inbox.code(victim.number)).status_code == 429
    house.later(seconds=61)
    assert house.sign_in(victim)["strength"] == 2


def test_a_known_device_has_a_daily_share_of_wrong_codes_too(house: House) -> None:
    under(failures_per_number_day=5)
    known, _ = house.named()
    house.later(seconds=61)
    house.send_code(known)
    right = house.inbox.code(known.number)
    for _ in range(5):
        house.try_code(known, wrong(right))
    assert house.try_code(known, right).status_code == 429


def test_a_city_under_attack_and_a_number_used_up_stop_no_counter(house: House) -> None:
    under(new_device_failures_per_city_hour=5, failures_per_number_day=5, sends_per_number_hour=1, sends_per_number_day=1)
    clerk, person = house.staff("counter_clerk"), Phone()
    house.send_code(person)
    for _ in range(5):
        house.try_code(person, wrong(house.inbox.code(person.number)))
    assert house.send_code(Phone()).json["code"] == "new_devices_paused"
    assert house.post("/api/counter/phone-codes", {"phone": person.number}, token=clerk).status_code == 202
    body = {"phone": person.number, "code": house.inbox.code(person.number), "chip": chip(WANG)}
    proven = house.post("/api/counter/identity-checks", body, token=clerk, Idempotency_Key="counter-0001")
    assert proven.status_code == 201, proven.text


def staff_sign_in(house: House, body: dict[str, Any], address: str) -> TestResponse:
    """A member of staff, or whoever says so, at an address."""
    with house.app.test_client() as client:
        return client.post("/api/staff-sessions", json=body, environ_base={"REMOTE_ADDR": address})


def test_strangers_who_know_a_login_lock_it_for_their_own_network_alone(house: House) -> None:
    login, secret = hired(house)
    guess = house.staff_body(login, secret, password="a-stranger-guesses-9")
    for _ in range(Policy().staff_failures):
        assert staff_sign_in(house, guess, "203.0.113.7").status_code == 401
    right = house.staff_body(login, secret)
    assert staff_sign_in(house, right, "203.0.113.200").json["code"] == "staff_sign_in_refused"
    assert staff_sign_in(house, right, "198.51.100.20").status_code == 201
    house.later(minutes=16)
    assert staff_sign_in(house, house.staff_body(login, secret), "203.0.113.7").status_code == 201


def test_a_lock_lasts_its_time_from_the_guess_that_set_it(house: House) -> None:
    login, secret = hired(house)
    guess = house.staff_body(login, secret, password="a-stranger-guesses-9")
    staff_sign_in(house, guess, "203.0.113.7")
    house.later(minutes=14, seconds=50)
    for _ in range(Policy().staff_failures - 1):
        staff_sign_in(house, guess, "203.0.113.7")
    house.later(minutes=14)
    assert staff_sign_in(house, house.staff_body(login, secret), "203.0.113.7").status_code == 401
    house.later(minutes=2)
    assert staff_sign_in(house, house.staff_body(login, secret), "203.0.113.7").status_code == 201


def test_whoever_has_the_password_guesses_five_one_time_codes_and_no_more(house: House) -> None:
    login, secret = hired(house)
    right = house.staff_body(login, secret)
    for nth in range(Policy().staff_failures):
        staff_sign_in(house, {**right, "code": wrong(right["code"])}, f"203.0.{nth}.7")
    assert staff_sign_in(house, right, "198.51.100.20").status_code == 401


def test_guesses_at_one_login_from_everywhere_have_an_end(house: House) -> None:
    under(staff_failures_per_login_hour=6)
    login, secret = hired(house)
    guess = house.staff_body(login, secret, password="a-stranger-guesses-9")
    for nth in range(6):
        staff_sign_in(house, guess, f"203.0.{nth}.7")
    assert staff_sign_in(house, house.staff_body(login, secret), "198.51.100.20").status_code == 401


def test_a_right_password_empties_the_count_of_its_network(house: House) -> None:
    login, secret = hired(house)
    guess = house.staff_body(login, secret, password="a-typing-mistake-99")
    for _ in range(Policy().staff_failures - 1):
        staff_sign_in(house, guess, "203.0.113.7")
    assert staff_sign_in(house, house.staff_body(login, secret), "203.0.113.7").status_code == 201
    house.later(seconds=60)
    staff_sign_in(house, guess, "203.0.113.7")
    assert staff_sign_in(house, house.staff_body(login, secret), "203.0.113.7").status_code == 201
