"""Batches of one-time authorisations and the hotlist: columns and constraints only.

No table holds the id of an authorisation: the centre makes ids out of batch and place with a key, and reads them back with it, so that
a copy of the database ties no scanned code to a card.
"""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Identity, Index, Integer, SmallInteger
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base


class AuthorisationBatch(Base):
    """One-time authorisations that a phone fetched together; ``listed_at`` while the hotlist refuses them, ``ended_at`` if for good."""

    __tablename__ = "authorisation_batch"
    number: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    city_id: Mapped[int] = mapped_column(Integer)
    resident_id: Mapped[UUID] = mapped_column(index=True)
    card_id: Mapped[UUID]
    device_id: Mapped[UUID] = mapped_column(index=True)
    size: Mapped[int] = mapped_column(SmallInteger)
    limit_fen: Mapped[int] = mapped_column(Integer)
    concession: Mapped[int] = mapped_column(SmallInteger)
    starts_at: Mapped[dt.datetime]
    expires_at: Mapped[dt.datetime]
    given_at: Mapped[dt.datetime]
    listed_at: Mapped[dt.datetime | None]
    ended_at: Mapped[dt.datetime | None]
    __table_args__ = (
        ForeignKeyConstraint(["card_id"], ["card.id"]),
        Index("ix_authorisation_batch_card_id", "card_id", "expires_at"),
        CheckConstraint("size BETWEEN 1 AND 200", name="size"),
        CheckConstraint("limit_fen BETWEEN 0 AND 1000000", name="limit_fen"),
        CheckConstraint("concession BETWEEN 0 AND 255", name="concession"),
        CheckConstraint("expires_at > starts_at AND expires_at <= starts_at + interval '24 hours'", name="life"),
    )


class HotlistVersion(Base):
    """The newest version of a city's hotlist; locked by whoever makes the next, so that versions appear in their order."""

    __tablename__ = "hotlist_version"
    city_id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    version: Mapped[int]
    changed_at: Mapped[dt.datetime]


class HotlistChange(Base):
    """An entry put on the list or taken off it at a version; forgotten a day after what it refuses has ended."""

    __tablename__ = "hotlist_change"
    city_id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    entry: Mapped[bytes] = mapped_column(primary_key=True)
    listed: Mapped[bool]
    expires_at: Mapped[dt.datetime] = mapped_column(index=True)
    __table_args__ = (CheckConstraint("octet_length(entry) = 5", name="entry"),)


class HotlistAck(Base):
    """The version up to which a terminal has the list, and since when."""

    __tablename__ = "hotlist_ack"
    terminal_id: Mapped[UUID] = mapped_column(primary_key=True)
    city_id: Mapped[int] = mapped_column(Integer)
    version: Mapped[int]
    acknowledged_at: Mapped[dt.datetime]
