"""Wrapped keys: one for each resident, and the signing keys of the platform."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base


class ResidentKey(Base):
    """The data key of one resident, wrapped by the key of the city; empty once shredded."""

    __tablename__ = "resident_key"

    resident_id: Mapped[UUID] = mapped_column(primary_key=True)
    city_id: Mapped[int]
    wrapped: Mapped[bytes]
    key_version: Mapped[int]
    shredded_at: Mapped[datetime | None]


class StoredSigningKey(Base):
    """A signing key, its private half wrapped; city 0 is the platform itself."""

    __tablename__ = "signing_key"

    kid: Mapped[str] = mapped_column(primary_key=True)
    city_id: Mapped[int]
    purpose: Mapped[str]
    wrapped: Mapped[bytes]
    public_jwk: Mapped[dict[str, object]]
    not_before: Mapped[datetime]
    retired_at: Mapped[datetime | None]

    __table_args__ = (Index("ix_signing_key_purpose", "purpose", "not_before"),)
