"""The tables of places; every coordinate is WGS-84, longitude first."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import CheckConstraint, Double, ForeignKey, Index, Integer, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base


class Region(Base):
    """A city, district, street or community; a child's code begins like its parent's."""

    __tablename__ = "region"
    code: Mapped[str] = mapped_column(primary_key=True)
    city_id: Mapped[int] = mapped_column(Integer)
    level: Mapped[str]
    parent: Mapped[str | None] = mapped_column(ForeignKey("region.code"), index=True)
    zh: Mapped[str]
    en: Mapped[str]
    __table_args__ = (
        CheckConstraint("level IN ('city', 'district', 'street', 'community')", name="level"),
        CheckConstraint("code ~ '^[0-9]{6}([0-9]{3}){0,2}$'", name="code"),
        CheckConstraint("(level = 'city') = (parent IS NULL)", name="top"),
        Index("ix_region_city_id", "city_id", "code"),
    )


class GridCell(Base):
    """A grid cell with its closed ring and the box around it, by which a point finds the few cells to test."""

    __tablename__ = "grid_cell"
    code: Mapped[str] = mapped_column(primary_key=True)
    city_id: Mapped[int] = mapped_column(Integer)
    community: Mapped[str] = mapped_column(ForeignKey("region.code"), index=True)
    ring: Mapped[list[list[float]]] = mapped_column(JSONB)
    west: Mapped[float] = mapped_column(Double)
    south: Mapped[float] = mapped_column(Double)
    east: Mapped[float] = mapped_column(Double)
    north: Mapped[float] = mapped_column(Double)
    __table_args__ = (
        CheckConstraint("code ~ '^[0-9]{15}$' AND left(code, 12) = community", name="code"),
        CheckConstraint("west <= east AND south <= north", name="box"),
        Index("ix_grid_cell_box", "city_id", "west", "east", "south", "north"),
    )


class CityData(Base):
    """Which part of a city's files was applied, by the hash of what it was made from."""

    __tablename__ = "city_data"
    city_id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    part: Mapped[str] = mapped_column(primary_key=True)
    fingerprint: Mapped[str]
    applied_at: Mapped[dt.datetime] = mapped_column(server_default=text("city_now()"))
