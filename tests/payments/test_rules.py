"""The pure decisions of the payments floor."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cards import WalletTerms
from core.clock import CHINA
from payments import rules
from payments.errors import ReversalTooLate, StepForbidden, TopUpAmountRefused, WalletFull
from payments.rules import TopUpState, TopUpStep

TERMS = WalletTerms(
    balance_cap_fen=500_000,
    single_limit_fen=50_000,
    daily_limit_fen=200_000,
    daily_count=100,
    monthly_limit_fen=2_000_000,
    highest_single_limit_fen=500_000,
    highest_daily_limit_fen=500_000,
    highest_monthly_limit_fen=5_000_000,
    top_up_minimum_fen=2_000,
    top_up_maximum_fen=300_000,
    top_up_unit_fen=1_000,
)


@pytest.mark.parametrize("amount", [1, 999, 1_001, 10_500, 0, -1_000])
def test_a_top_up_is_a_whole_multiple_of_ten_yuan(amount: int) -> None:
    with pytest.raises(TopUpAmountRefused):
        rules.check_top_up(amount, TERMS, balance_fen=0, awaited_fen=0)


def test_the_citys_bounds_of_one_top_up_hold_and_are_told() -> None:
    rules.check_top_up(2_000, TERMS, balance_fen=0, awaited_fen=0)
    rules.check_top_up(300_000, TERMS, balance_fen=0, awaited_fen=0)
    for amount in (1_000, 301_000):
        with pytest.raises(TopUpAmountRefused) as refused:
            rules.check_top_up(amount, TERMS, balance_fen=0, awaited_fen=0)
        assert refused.value.facts == {"least_fen": 2_000, "most_fen": 300_000, "unit_fen": 1_000}


def test_a_named_wallet_holds_at_most_5000_yuan_with_all_that_is_on_its_way() -> None:
    rules.check_top_up(100_000, TERMS, balance_fen=400_000, awaited_fen=0)
    rules.check_top_up(100_000, TERMS, balance_fen=300_000, awaited_fen=100_000)
    with pytest.raises(WalletFull) as refused:
        rules.check_top_up(101_000, TERMS, balance_fen=300_000, awaited_fen=100_000)
    assert refused.value.facts["room_fen"] == 100_000
    with pytest.raises(WalletFull) as refused:
        rules.check_top_up(2_000, TERMS, balance_fen=600_000, awaited_fen=0)
    assert refused.value.facts["room_fen"] == 0


def test_every_pair_of_state_and_step_is_allowed_or_refused_as_the_table_says() -> None:
    for state in TopUpState:
        for step in TopUpStep:
            if (state, step) in rules.TOP_UP_STEPS:
                assert rules.next_state(state, step)[0] in TopUpState
            else:
                with pytest.raises(StepForbidden):
                    rules.next_state(state, step)


def test_credited_is_the_end() -> None:
    assert not [step for state, step in rules.TOP_UP_STEPS if state is TopUpState.CREDITED]


def test_money_that_arrives_late_is_credited() -> None:
    assert rules.next_state(TopUpState.EXPIRED, TopUpStep.PAID)[0] is TopUpState.CREDITED


def test_a_charge_is_reversed_on_the_day_people_live_not_the_day_of_utc() -> None:
    evening = dt.datetime(2026, 3, 2, 23, 30, tzinfo=CHINA)
    rules.check_reversible(evening, dt.datetime(2026, 3, 2, 23, 59, 59, tzinfo=CHINA), CHINA)
    with pytest.raises(ReversalTooLate):
        rules.check_reversible(evening, dt.datetime(2026, 3, 3, 0, 0, tzinfo=CHINA), CHINA)
    morning = dt.datetime(2026, 3, 2, 7, 0, tzinfo=CHINA)
    rules.check_reversible(morning, dt.datetime(2026, 3, 2, 9, 0, tzinfo=CHINA), CHINA)


@given(st.integers(0, 10**21 - 1), st.integers(0, 22), st.integers(1, 9))
def test_a_receipt_number_with_a_wrong_digit_is_noticed(body: int, place: int, change: int) -> None:
    digits = f"{body:021d}"
    number = digits + rules.receipt_check(digits)
    assert rules.receipt_number_valid(number)
    wrong = number[:place] + str((int(number[place]) + change) % 10) + number[place + 1 :]
    assert not rules.receipt_number_valid(wrong)


@given(st.integers(0, 10**21 - 1), st.integers(0, 20))
def test_a_receipt_number_with_two_digits_swapped_is_noticed(body: int, place: int) -> None:
    digits = f"{body:021d}"
    number = digits + rules.receipt_check(digits)
    swapped = number[:place] + number[place + 1] + number[place] + number[place + 2 :]
    assert swapped == number or not rules.receipt_number_valid(swapped)


def test_raising_is_any_limit_that_grows() -> None:
    now = rules.Limits(100, 200, 300)
    assert rules.Limits(101, 100, 100).raises(now)
    assert rules.Limits(1, 1, 301).raises(now)
    assert not rules.Limits(100, 200, 300).raises(now)
