"""Card numbers: composed with a check digit, and recognised by it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cards.numbers import check_digit, compose, is_valid, tail


def test_the_check_digit_of_the_standards_example() -> None:
    assert check_digit("7992739871") == "3"
    assert is_valid("79927398713")


@given(st.from_regex(r"[0-9]{2,8}", fullmatch=True), st.integers(0, 10**9 - 1))
def test_a_composed_number_is_valid_and_has_one_length(prefix: str, running: int) -> None:
    number = compose(prefix, running, 9)
    assert is_valid(number)
    assert len(number) == len(prefix) + 10
    assert tail(number) == number[-4:]


@given(st.integers(0, 10**11 - 1), st.integers(0, 15), st.integers(1, 9))
def test_one_wrong_digit_is_noticed(running: int, place: int, shift: int) -> None:
    number = compose("9901", running, 11)
    wrong = str((int(number[place]) + shift) % 10)
    assert not is_valid(number[:place] + wrong + number[place + 1 :])


def test_what_is_not_digits_is_no_number() -> None:
    assert not is_valid("９９０１０００００００００００４")
    assert not is_valid("")
    assert not is_valid("abc")
