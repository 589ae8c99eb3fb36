"""What guessing codes across the whole city can win (D28): a model from the policy's numbers, and the real thing in small."""

from __future__ import annotations

from dataclasses import replace

import psycopg
import pytest

import auth
from auth import installing
from auth.policy import Policy
from auth.sign_in_codes import DIGITS
from tests.auth.conftest import House, Phone

NUMBERS = 10_000_000
GUESS = 10.0**-DIGITS


def guesses_in(days: float, policy: Policy) -> float:
    """The most wrong guesses from new devices that the breaker lets through, whatever the attacker owns.

    Requests that are under way when it trips still count: at most one per thread of every process, here 64.
    """
    per_day = min(policy.new_device_failures_per_city_day, 24 * policy.new_device_failures_per_city_hour) + 64
    return min(days * per_day, NUMBERS * policy.code_tries)


def test_without_a_breaker_a_sweep_would_win_fifty_accounts() -> None:
    policy = Policy()
    assert NUMBERS * policy.code_tries * GUESS == pytest.approx(50)


@pytest.mark.parametrize(("days", "most"), [(1, 0.005), (30, 0.15), (200, 1.0)])
def test_the_breaker_keeps_a_sweep_of_ten_million_numbers_below_one_hijack(days: int, most: float) -> None:
    assert guesses_in(days, Policy()) * GUESS < most


def test_money_and_data_need_a_second_proof_that_no_text_message_gives() -> None:
    """A guessed code gives S1; S2 then takes the citizen number, five tries a day against ten thousand endings at the very least."""
    policy, days = Policy(), 30
    first = guesses_in(days, policy) * GUESS
    second = days * policy.identity_tries_per_resident_day / 10_000
    assert first * second < 0.01


def test_one_number_is_never_guessed_more_than_its_daily_share(house: House) -> None:
    victim = Phone()
    wrong = 0
    for _ in range(8):
        device = Phone(victim.number)
        if house.send_code(device).status_code == 202:
            guess = f"{(int(house.inbox.code(victim.number)) + 1) % 10**DIGITS:06d}"
            wrong += sum(house.try_code(device, guess).json["code"] == "sign_in_code_wrong" for _ in range(auth.parts().policy.code_tries))
    assert wrong == auth.parts().policy.failures_per_number_day


def test_a_spray_over_many_numbers_stops_at_the_citys_limit_and_lets_known_devices_in(house: House) -> None:
    policy = replace(Policy(), new_device_failures_per_city_hour=25, new_device_failures_per_city_day=40)
    installing._installed[:] = [replace(auth.parts(), policy=policy)]
    resident, _ = house.named()
    wrong = 0
    for _ in range(12):
        device = Phone()
        if house.send_code(device).status_code != 202:
            continue
        guess = f"{(int(house.inbox.code(device.number)) + 1) % 10**DIGITS:06d}"
        wrong += sum(house.try_code(device, guess).json["code"] == "sign_in_code_wrong" for _ in range(5))
    assert wrong == 25
    assert house.send_code(Phone()).json["code"] == "new_devices_paused"
    house.later(seconds=61)
    assert house.sign_in(resident)["strength"] == 2


def test_sending_to_many_numbers_from_one_network_is_limited(house: House) -> None:
    installing._installed[:] = [replace(auth.parts(), policy=replace(Policy(), sends_per_network_hour=10))]
    sent = sum(house.send_code(Phone()).status_code == 202 for _ in range(15))
    assert (sent, len(house.inbox.messages)) == (10, 10)


def test_what_cannot_be_counted_is_refused(house: House) -> None:
    with psycopg.connect(house.owner_url) as owner:
        owner.execute("LOCK TABLE limit_counter IN ACCESS EXCLUSIVE MODE")
        assert house.send_code(Phone()).status_code == 503
    assert house.inbox.messages == []
