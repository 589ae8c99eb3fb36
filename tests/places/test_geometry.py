"""Points in rings, and the shift to GCJ-02 against published values."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.cities import load
from core.places import contains, to_gcj02

SQUARE = [[0.0, 0.0], [4.0, 0.0], [4.0, 4.0], [0.0, 4.0], [0.0, 0.0]]
# A ring with a notch, so that a ray crosses it more than twice.
NOTCHED = [[0.0, 0.0], [6.0, 0.0], [6.0, 4.0], [3.0, 1.0], [0.0, 4.0], [0.0, 0.0]]
CELLS = load("yunchuan").cells


@pytest.mark.parametrize(
    ("ring", "point", "inside"),
    [
        (SQUARE, (2.0, 2.0), True),
        (SQUARE, (5.0, 2.0), False),
        (SQUARE, (-1.0, 2.0), False),
        (SQUARE, (2.0, 4.5), False),
        (NOTCHED, (1.0, 2.0), True),
        (NOTCHED, (3.0, 2.0), False),
        (NOTCHED, (5.0, 2.0), True),
    ],
)
def test_a_point_is_inside_when_a_ray_crosses_the_ring_an_odd_number_of_times(
    ring: list[list[float]], point: tuple[float, float], inside: bool
) -> None:
    assert contains(ring, point) is inside
    assert contains(ring[::-1], point) is inside


def test_a_border_belongs_to_exactly_one_side() -> None:
    neighbour = [[x + 4.0, y] for x, y in SQUARE]
    above = [[x, y + 4.0] for x, y in SQUARE]
    assert contains(SQUARE, (4.0, 2.0)) + contains(neighbour, (4.0, 2.0)) == 1
    assert contains(SQUARE, (2.0, 4.0)) + contains(above, (2.0, 4.0)) == 1


@given(st.integers(0, len(CELLS) - 1), st.floats(0, 1), st.floats(0, 1))
def test_every_point_of_the_grid_lies_in_exactly_one_cell(number: int, along: float, towards: float) -> None:
    ring, (middle_x, middle_y) = CELLS[number].ring, CELLS[number].centre
    start, end = ring[0], ring[1]
    edge_x, edge_y = start[0] + along * (end[0] - start[0]), start[1] + along * (end[1] - start[1])
    inside = (edge_x + (middle_x - edge_x) * max(towards, 0.001), edge_y + (middle_y - edge_y) * max(towards, 0.001))
    assert [cell.code for cell in CELLS if contains(cell.ring, inside)] == [CELLS[number].code]


@given(st.integers(0, len(CELLS) - 1), st.integers(0, 3), st.floats(0, 1))
def test_no_point_on_a_border_lies_in_two_cells(number: int, edge: int, along: float) -> None:
    start, end = CELLS[number].ring[edge : edge + 2]
    point = (start[0] + along * (end[0] - start[0]), start[1] + along * (end[1] - start[1]))
    assert sum(contains(cell.ring, point) for cell in CELLS) <= 1


# Longitude and latitude in WGS-84 and in GCJ-02, from the test suites of googollee/eviltransform and wandergis/coordtransform.
PUBLISHED = [
    ((121.5272106, 31.1774276), (121.531541859215, 31.17530398364597)),
    ((113.912316, 22.543847), (113.9171764808363, 22.540796131694766)),
    ((116.377817, 39.911954), (116.38404722455657, 39.91334545536069)),
    ((116.404, 39.915), (116.41024449916938, 39.91640428150164)),
]
ABOUT_A_METRE = 1e-5


@pytest.mark.parametrize(("wgs84", "gcj02"), PUBLISHED)
def test_the_shift_is_the_published_one(wgs84: tuple[float, float], gcj02: tuple[float, float]) -> None:
    assert to_gcj02(wgs84) == pytest.approx(gcj02, abs=ABOUT_A_METRE)


def test_outside_china_nothing_is_shifted() -> None:
    assert to_gcj02((-0.1276, 51.5072)) == (-0.1276, 51.5072)
