"""Card numbers: the issuer's prefix, a running number and a check digit (ISO/IEC 7812-1 annex B, Luhn)."""

from __future__ import annotations

MOST_DIGITS = 19

_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)


def check_digit(digits: str) -> str:
    """The Luhn digit that completes these digits."""
    total = sum(_DOUBLED[int(d)] if place % 2 == 0 else int(d) for place, d in enumerate(reversed(digits)))
    return str(-total % 10)


def is_valid(number: str) -> bool:
    """Whether a card number has only digits, a sane length and the right check digit."""
    return 8 <= len(number) <= MOST_DIGITS and number.isascii() and number.isdigit() and check_digit(number[:-1]) == number[-1]


def compose(prefix: str, running: int, width: int) -> str:
    """The full number of one running number, padded to ``width`` digits between the prefix and the check digit."""
    body = f"{prefix}{running:0{width}d}"
    return body + check_digit(body)


def tail(number: str) -> str:
    """The last four digits: all of a card number that a terminal or a message shows."""
    return number[-4:]
