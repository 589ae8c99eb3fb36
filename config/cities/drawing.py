"""Draws the invented grid of a demo city: `python -m config.cities.drawing yunchuan 12 8`."""

import csv
import json
import math
import sys
from collections.abc import Iterator
from pathlib import Path

from config.cities.chance import Chance
from config.cities.loading import read_toml

HERE = Path(__file__).parent
METRES_PER_DEGREE = 111_320.0
CELL_METRES = 300.0
COMMUNITY = (4, 2)  # cells of one community: four wide, two high

Point = tuple[float, float]


def corner(column: int, row: int, middle: Point, seed: int) -> Point:
    """Give one corner of the lattice, bent like an old town and nudged by up to a tenth of a cell."""
    nudge = Chance(seed, f"{column}/{row}")
    bend_x = 0.35 * math.sin(row / 3.1) + 0.18 * math.sin(column / 2.3 + 1.0)
    bend_y = 0.35 * math.sin(column / 3.7 + 0.5) + 0.18 * math.cos(row / 2.9)
    east = (column + bend_x + 0.2 * nudge.next() - 0.1) * CELL_METRES
    north = (row + bend_y + 0.2 * nudge.next() - 0.1) * CELL_METRES
    longitude = middle[0] + east / (METRES_PER_DEGREE * math.cos(math.radians(middle[1])))
    return round(longitude, 6), round(middle[1] + north / METRES_PER_DEGREE, 6)


def ring(column: int, row: int, middle: Point, seed: int) -> list[Point]:
    """Give a cell's closed ring counter-clockwise (RFC 7946 section 3.1.6); neighbours share corners."""
    around = [(column, row), (column + 1, row), (column + 1, row + 1), (column, row + 1)]
    points = [corner(x, y, middle, seed) for x, y in around]
    return [*points, points[0]]


def communities(folder: Path) -> list[str]:
    """Give the codes of the city's communities in the order of regions.csv."""
    with (folder / "regions.csv").open(encoding="utf-8", newline="") as lines:
        return [row["code"] for row in csv.DictReader(lines) if row["level"] == "community"]


def places_of(codes: list[str], wide: int, high: int) -> Iterator[tuple[str, int, int]]:
    """Give each cell's code with its column and row: districts as quarters, communities as blocks."""
    across = wide // COMMUNITY[0]
    districts = sorted({code[:6] for code in codes})
    for district_number, district in enumerate(districts):
        left, low = (district_number % 2) * wide, (district_number // 2) * high
        for number, code in enumerate(sorted(c for c in codes if c.startswith(district))):
            column = left + (number % across) * COMMUNITY[0]
            row = low + (number // across) * COMMUNITY[1]
            for cell in range(COMMUNITY[0] * COMMUNITY[1]):
                yield f"{code}{cell + 1:03}", column + cell % COMMUNITY[0], row + cell // COMMUNITY[0]


def draw(folder: Path, middle: Point, seed: int, wide: int, high: int) -> str:
    """Give the grid of a city as GeoJSON text, one feature a line."""
    lines = []
    for code, column, row in places_of(communities(folder), wide, high):
        shape = {"type": "Polygon", "coordinates": [ring(column, row, middle, seed)]}
        feature = {"type": "Feature", "properties": {"code": code}, "geometry": shape}
        lines.append(json.dumps(feature, separators=(",", ":")))
    return '{"type":"FeatureCollection","features":[\n' + ",\n".join(lines) + "\n]}\n"


def main() -> None:
    """Write grid.geojson of the city named on the command line, whose districts are so many cells wide and high."""
    slug, wide, high = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    city = read_toml(HERE / slug / "city.toml")
    text = draw(HERE / slug, (city["longitude"], city["latitude"]), city["seed"], wide, high)
    (HERE / slug / "grid.geojson").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
