"""Points and rings: the even-odd test of whether a point lies in a polygon."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

Point = tuple[float, float]  # longitude, latitude


def contains(ring: Sequence[Sequence[float]], point: Point) -> bool:
    """Whether a point lies in a closed ring, by counting the edges a ray to the east crosses.

    Each edge owns its lower end and not its upper one, so a point on a border shared by two cells lies in exactly one of them.
    """
    x, y = point
    inside = False
    for (x1, y1), (x2, y2) in pairwise(ring):
        # Computed from the lower end on both sides of a border, so that rounding cannot put a point into both cells or none.
        if (y1 > y) != (y2 > y):
            (low_x, low_y), (high_x, high_y) = ((x1, y1), (x2, y2)) if y1 < y2 else ((x2, y2), (x1, y1))
            inside ^= x < low_x + (y - low_y) / (high_y - low_y) * (high_x - low_x)
    return inside


def box(ring: Sequence[Sequence[float]]) -> tuple[float, float, float, float]:
    """The west, south, east and north ends of a ring."""
    longitudes, latitudes = [each[0] for each in ring], [each[1] for each in ring]
    return min(longitudes), min(latitudes), max(longitudes), max(latitudes)
