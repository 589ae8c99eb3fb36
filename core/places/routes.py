"""Regions and grid cells over HTTP."""

from __future__ import annotations

from typing import Any

from core.actors import Actor
from core.paging import Page, page
from core.places.datum import to_gcj02
from core.places.keeping import cell_at, cells, regions
from core.places.models import GridCell, Region
from core.places.schemas import CellOut, CellsQuery, RegionOut, RegionsQuery
from core.web import Routes, anyone, page_of

routes = Routes("places")
PUBLIC = anyone(reason="names and borders of a city's regions are public")


@routes.get("/api/places/regions", operation="listRegions", access=PUBLIC, query=RegionsQuery, gives=page_of(RegionOut))
def list_regions(actor: Actor, query: dict[str, Any]) -> Page:
    """List districts, streets and communities, of the caller's city unless another is named."""
    wanted = regions(query["city"] or actor.city_id, parent=query["parent"], level=query["level"])
    return page(wanted, Region.code, cursor=query["cursor"], limit=query["limit"], descending=False)


@routes.get("/api/places/cells", operation="listCells", access=PUBLIC, query=CellsQuery, gives=page_of(CellOut))
def list_cells(actor: Actor, query: dict[str, Any]) -> Page:
    """List grid cells, or find the one around a WGS-84 point; borders come in WGS-84 or, where asked, in GCJ-02."""
    city_id = query["city"] or actor.city_id
    if query["longitude"] is not None:
        cell = cell_at((query["longitude"], query["latitude"]), city_id=city_id)
        found = Page([cell] if cell else [], None)
    else:
        wanted = cells(city_id, region=query["region"])
        found = page(wanted, GridCell.code, cursor=query["cursor"], limit=query["limit"], descending=False)
    return Page([_shown(each, query["datum"]) for each in found.items], found.next_cursor)


def _shown(cell: GridCell, datum: str) -> dict[str, Any]:
    ring = [list(to_gcj02((x, y))) for x, y in cell.ring] if datum == "gcj02" else cell.ring
    return {"code": cell.code, "city_id": cell.city_id, "community": cell.community, "ring": ring, "datum": datum}
