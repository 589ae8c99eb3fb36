"""A chance that falls the same way on every machine and Python: built on `Random.random` alone, which is promised to repeat."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from itertools import accumulate
from random import Random
from typing import Generic, TypeVar

T = TypeVar("T")


class Chance:
    """Repeatable draws for one named purpose of one city."""

    def __init__(self, seed: int, purpose: str) -> None:
        self.next = Random(f"{seed}/{purpose}").random  # noqa: S311 -- draws invented people, keeps no secret

    def below(self, end: int) -> int:
        """Draw a whole number from 0 to end-1."""
        return int(self.next() * end)

    def between(self, low: int, high: int) -> int:
        """Draw a whole number from low to high, both possible."""
        return low + int(self.next() * (high - low + 1))

    def pick(self, things: Sequence[T]) -> T:
        """Draw one of the things, each equally likely."""
        return things[int(self.next() * len(things))]

    def once_in(self, times: float) -> bool:
        """Say yes once in so many times."""
        return self.next() * times < 1.0


class Weighted(Generic[T]):
    """Things with weights, to draw from in proportion."""

    def __init__(self, weights: Mapping[T, float]) -> None:
        self._things = list(weights)
        self._sums = list(accumulate(weights.values()))

    def draw(self, chance: Chance) -> T:
        """Draw one thing in proportion to its weight."""
        return self._things[bisect_right(self._sums, chance.next() * self._sums[-1])]
