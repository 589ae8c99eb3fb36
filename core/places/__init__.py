"""Places of a city: regions, grid cells, and in which cell a point lies. Everything is WGS-84 inside."""

from core.places.datum import to_gcj02
from core.places.keeping import applied, cell_at, cells, put_cells, put_regions, regions, remember
from core.places.models import GridCell, Region
from core.places.shapes import Point, contains

__all__ = [
    "GridCell",
    "Point",
    "Region",
    "applied",
    "cell_at",
    "cells",
    "contains",
    "put_cells",
    "put_regions",
    "regions",
    "remember",
    "to_gcj02",
]
