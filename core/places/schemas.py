"""What the routes of places take and give."""

from __future__ import annotations

from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from core.fields import Count, OneOf, Schema, Text
from core.web.routing import PageQuery

CODE = r"^[0-9]{6}([0-9]{3}){0,2}$"


class RegionOut(Schema):
    """A city, district, street or community."""

    code = Text(most=12)
    city_id = fields.Integer()
    level = OneOf("city", "district", "street", "community")
    parent = Text(most=12, allow_none=True)
    zh = Text(most=60)
    en = Text(most=60)


class RegionsQuery(PageQuery):
    """Which regions."""

    city = Count(least=100_000, most=999_999, load_default=None)
    parent = Text(most=12, pattern=CODE, load_default=None)
    level = OneOf("city", "district", "street", "community", load_default=None)


class CellOut(Schema):
    """A grid cell with its closed ring, longitude first, in the datum that is named."""

    code = Text(most=15)
    city_id = fields.Integer()
    community = Text(most=12)
    ring = fields.List(fields.List(fields.Float(), validate=validate.Length(equal=2)))
    datum = OneOf("wgs84", "gcj02")


class CellsQuery(PageQuery):
    """Which cells: those of a city or a region, or the one around a WGS-84 point."""

    city = Count(least=100_000, most=999_999, load_default=None)
    region = Text(most=12, pattern=CODE, load_default=None)
    longitude = fields.Float(validate=validate.Range(-180, 180), load_default=None)
    latitude = fields.Float(validate=validate.Range(-90, 90), load_default=None)
    datum = OneOf("wgs84", "gcj02", load_default="wgs84")

    @validates_schema
    def whole_point(self, data: dict[str, Any], **_: Any) -> None:
        """Refuse one coordinate without the other."""
        if (data.get("longitude") is None) != (data.get("latitude") is None):
            raise ValidationError("Longitude and latitude belong together.", "longitude")
