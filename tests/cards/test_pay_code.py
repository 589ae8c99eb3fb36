"""The pay code by itself: vectors, the permutation, and what is open when."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cards.codes.pay_code import (
    EARLY_SECONDS,
    HANDLES,
    MACS,
    SPACE,
    STEP_SECONDS,
    TAPS,
    PayKey,
    Permutation,
    device_secret,
    permutation_key,
    search,
    step_at,
    steps_open,
    take_apart,
)
from core.macs import Mac

VECTORS: dict[str, Any] = json.loads((Path(__file__).parents[1] / "vectors" / "pay_code.json").read_text())
MASTER = Mac(bytes.fromhex(VECTORS["master_key"]))
handles = st.integers(0, HANDLES - 1)
moments = st.integers(1_700_000_000, 4_000_000_000)
taps = st.integers(0, TAPS - 1)


def test_every_published_code_is_made_and_read() -> None:
    for vector in VECTORS["codes"]:
        secret = device_secret(MASTER, vector["handle"], vector["generation"])
        key = permutation_key(MASTER, vector["city_id"])
        prefix = vector["code"][:2]
        assert PayKey(prefix, vector["handle"], secret, key).make(vector["unix_seconds"], vector["tap"]) == vector["code"]
        handle, mac = take_apart(Permutation(key), vector["code"][2:])
        assert handle == vector["handle"]
        assert search(Mac(secret), mac, steps_open(vector["unix_seconds"])) == (vector["step"], vector["tap"])


def test_published_keys_and_permutations_agree() -> None:
    for device in VECTORS["devices"]:
        assert device_secret(MASTER, device["handle"], device["generation"]).hex() == device["secret"]
    for city in VECTORS["permutations"]:
        assert permutation_key(MASTER, city["city_id"]).hex() == city["key"]
        permutation = Permutation(bytes.fromhex(city["key"]))
        for pair in city["pairs"]:
            assert permutation.apply(int(pair["number"])) == int(pair["permuted"])


def test_published_windows_agree() -> None:
    for window in VECTORS["acceptance"]:
        assert sorted(steps_open(window["unix_seconds"])) == window["steps"]


@given(st.binary(min_size=32, max_size=32), st.integers(0, SPACE - 1))
def test_the_permutation_is_undone_by_its_inverse_both_ways(key: bytes, number: int) -> None:
    permutation = Permutation(key)
    there = permutation.apply(number)
    assert 0 <= there < SPACE
    assert permutation.undo(there) == number
    assert permutation.apply(permutation.undo(number)) == number


@given(st.binary(min_size=32, max_size=32), st.sets(st.integers(0, SPACE - 1), min_size=2, max_size=50))
def test_no_two_numbers_meet(key: bytes, numbers: set[int]) -> None:
    permutation = Permutation(key)
    assert len({permutation.apply(number) for number in numbers}) == len(numbers)


@given(handles, st.integers(1, 5), moments, taps, st.sampled_from([990100, 990200]))
def test_what_a_phone_makes_the_centre_reads(handle: int, generation: int, now: int, tap: int, city: int) -> None:
    key, secret = permutation_key(MASTER, city), device_secret(MASTER, handle, generation)
    code = PayKey("81", handle, secret, key).make(now, tap)
    assert len(code) == 18
    assert code.isdigit()
    found, mac = take_apart(Permutation(key), code[2:])
    assert found == handle
    assert search(Mac(secret), mac, steps_open(now)) == (step_at(now), tap)


@given(moments, st.integers(-600, 600))
def test_a_code_is_open_for_a_clock_25_seconds_slow_to_5_fast_and_never_after_a_minute(now: int, skew: int) -> None:
    made_at = now + skew
    is_open = step_at(made_at) in steps_open(now)
    if -(STEP_SECONDS - EARLY_SECONDS) <= skew <= EARLY_SECONDS:
        assert is_open
    if skew <= -2 * STEP_SECONDS or skew >= STEP_SECONDS + EARLY_SECONDS:
        assert not is_open
    assert len(steps_open(now)) == 2


@given(handles, moments)
def test_four_taps_of_one_step_are_four_codes_that_look_unrelated(handle: int, now: int) -> None:
    key, secret = permutation_key(MASTER, 990100), device_secret(MASTER, handle, 1)
    codes = {PayKey("81", handle, secret, key).make(now, tap) for tap in range(TAPS)}
    assert len(codes) == TAPS
    with pytest.raises(ValueError, match="four codes"):
        PayKey("81", handle, secret, key).make(now, TAPS)


def test_the_odds_of_guesses_stay_below_one_in_a_million_a_day() -> None:
    from cards.codes.reading import GUESSES_A_DAY

    right = TAPS * max(len(steps_open(t)) for t in range(STEP_SECONDS))
    for processes in range(1, 6):
        assert (GUESSES_A_DAY + processes - 1) * right / MACS <= 1e-6
