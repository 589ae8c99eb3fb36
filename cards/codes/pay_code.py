"""The pay code: eighteen digits that a phone makes without network and the centre accepts once (docs/pay-code.md).

Standard library only, and of ours nothing but the HMAC in ``core.macs``, so that the maker of a phone app can read it as the reference.
The code is two digits of the city's prefix and sixteen of a keyed permutation over (handle, MAC): nobody without the
city's permutation key sees two codes of one phone as related, and nobody without the device's secret makes one.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from core.macs import Mac

PREFIX_DIGITS = 2
CODE_DIGITS = 18
HALF = 10**8
SPACE = HALF * HALF
HANDLES = 5 * 10**7
MACS = 2 * 10**8
ROUNDS = 8
STEP_SECONDS = 30
TAPS = 4
# In the last seconds of a step the next one is taken in place of the one before: a fast clock is met, and never more than
# two steps are open at once, on which the odds of a guess rest.
EARLY_SECONDS = 5


class Permutation:
    """A keyed bijection over [0, 10^16): a balanced Feistel network of eight rounds on two halves of eight digits."""

    __slots__ = ("_rounds",)

    def __init__(self, key: bytes) -> None:
        mac = Mac(key)
        self._rounds = [(mac, bytes([i])) for i in range(ROUNDS)]

    def apply(self, number: int) -> int:
        """Where the number goes."""
        left, right = divmod(number, HALF)
        for mac, round_byte in self._rounds:
            left, right = right, (left + mac.number(round_byte + right.to_bytes(4, "big"), HALF)) % HALF
        return left * HALF + right

    def undo(self, number: int) -> int:
        """Which number came here."""
        left, right = divmod(number, HALF)
        for mac, round_byte in reversed(self._rounds):
            left, right = (right - mac.number(round_byte + left.to_bytes(4, "big"), HALF)) % HALF, left
        return left * HALF + right


def step_at(unix_seconds: float) -> int:
    """The time step of a moment: whole half minutes since 1970."""
    return int(unix_seconds // STEP_SECONDS)


def steps_open(unix_seconds: float) -> tuple[int, int]:
    """The two steps whose codes are accepted at this moment, the likelier one first."""
    step = step_at(unix_seconds)
    late_in_step = unix_seconds - step * STEP_SECONDS >= STEP_SECONDS - EARLY_SECONDS
    return (step, step + 1) if late_in_step else (step, step - 1)


def permutation_key(master: Mac, city_id: int) -> bytes:
    """The key of a city's permutation; every phone of the city holds it."""
    return master.digest(b"permutation" + city_id.to_bytes(4, "big"))


def device_secret(master: Mac, handle: int, generation: int) -> bytes:
    """The secret of one handle in one generation; one phone holds it and the centre derives it anew."""
    return master.digest(b"secret" + handle.to_bytes(8, "big") + generation.to_bytes(4, "big"))


def code_mac(secret: Mac, step: int, tap: int) -> int:
    """What proves a handle in one step and tap: a number below 2 * 10^8."""
    return secret.number(struct.pack(">QB", step, tap), MACS)


def taps(steps: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Every (step, tap), first taps first, as most codes are."""
    listed = list(steps)
    return ((step, tap) for tap in range(TAPS) for step in listed)


def search(secret: Mac, mac: int, steps: Iterable[int]) -> tuple[int, int] | None:
    """The (step, tap) to which the MAC belongs, or None: no code of this secret in these steps."""
    for step, tap in taps(steps):
        if code_mac(secret, step, tap) == mac:
            return step, tap
    return None


def take_apart(permutation: Permutation, digits: str) -> tuple[int, int]:
    """Handle and MAC in the sixteen digits after the prefix."""
    return divmod(permutation.undo(int(digits)), MACS)


@dataclass(frozen=True, slots=True)
class PayKey:
    """What a phone is given once for a card, and makes codes from without network."""

    prefix: str
    handle: int
    secret: bytes
    permutation: bytes

    def make(self, unix_seconds: float, tap: int = 0) -> str:
        """The code of this moment; ``tap`` rises from 0 to 3 with each further code within one step."""
        if not 0 <= tap < TAPS:
            raise ValueError("four codes in one step at most: wait for the next step")
        mac = code_mac(Mac(self.secret), step_at(unix_seconds), tap)
        return f"{self.prefix}{Permutation(self.permutation).apply(self.handle * MACS + mac):016d}"
