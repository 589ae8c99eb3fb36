"""Regions and grid cells as the city keeps them: written from its data, found by code or by point."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.dialects.postgresql import insert

from core.db import session
from core.places.models import CityData, GridCell, Region
from core.places.shapes import Point, box, contains


def put_regions(city_id: int, regions: Iterable[dict[str, str]]) -> None:
    """Write regions (``code``, ``level``, ``parent``, ``zh``, ``en``), parents before children; those that stand are brought up to date."""
    rows = [{**each, "parent": each["parent"] or None, "city_id": city_id} for each in regions]
    statement = insert(Region)
    change = {name: statement.excluded[name] for name in ("level", "parent", "zh", "en")}
    if rows:
        session().execute(statement.on_conflict_do_update(index_elements=["code"], set_=change), rows)


def put_cells(city_id: int, cells: Iterable[tuple[str, Iterable[Point]]]) -> None:
    """Write grid cells (code and closed WGS-84 ring) with the box around each; those that stand are brought up to date."""
    rows = [_cell_row(city_id, code, [list(point) for point in ring]) for code, ring in cells]
    statement = insert(GridCell)
    change = {name: statement.excluded[name] for name in ("ring", "west", "south", "east", "north")}
    if rows:
        session().execute(statement.on_conflict_do_update(index_elements=["code"], set_=change), rows)


def _cell_row(city_id: int, code: str, ring: list[list[float]]) -> dict[str, Any]:
    west, south, east, north = box(ring)
    sides = {"west": west, "south": south, "east": east, "north": north}
    return {"code": code, "city_id": city_id, "community": code[:12], "ring": ring, **sides}


def regions(city_id: int | None = None, *, parent: str | None = None, level: str | None = None) -> Select[Any]:
    """Select the regions of a city or of all, of one level or under one parent."""
    wanted = select(Region)
    if city_id:
        wanted = wanted.where(Region.city_id == city_id)
    if parent:
        wanted = wanted.where(Region.parent == parent)
    return wanted.where(Region.level == level) if level else wanted


def cells(city_id: int | None = None, *, region: str | None = None) -> Select[Any]:
    """Select the grid cells of a city or of all, or of one district, street or community."""
    wanted = select(GridCell)
    if city_id:
        wanted = wanted.where(GridCell.city_id == city_id)
    return wanted.where(GridCell.code.startswith(region, autoescape=True)) if region else wanted


def cell_at(point: Point, *, city_id: int | None = None) -> GridCell | None:
    """The cell in which a WGS-84 point lies, or None outside every grid."""
    x, y = point
    near = cells(city_id).where(GridCell.west <= x, GridCell.east >= x, GridCell.south <= y, GridCell.north >= y)
    return next((cell for cell in session().scalars(near.order_by(GridCell.code)) if contains(cell.ring, point)), None)


def applied(city_id: int, part: str) -> str | None:
    """The fingerprint under which a part of the city's data was applied last."""
    return session().scalars(select(CityData.fingerprint).where(CityData.city_id == city_id, CityData.part == part)).first()


def remember(city_id: int, part: str, fingerprint: str) -> None:
    """Note that a part of the city's data now stands as of this fingerprint."""
    row = {"city_id": city_id, "part": part, "fingerprint": fingerprint}
    statement = insert(CityData).values(row)
    session().execute(statement.on_conflict_do_update(index_elements=["city_id", "part"], set_={"fingerprint": fingerprint}))
