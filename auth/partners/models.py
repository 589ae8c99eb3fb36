"""The tables of partners and their purposes."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Integer, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base


class Partner(Base):
    """A system of an agency: its public keys, where residents may be sent back to, and what it may ask for."""

    __tablename__ = "partner"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    city_id: Mapped[int] = mapped_column(Integer)
    agency_id: Mapped[UUID]
    code: Mapped[str]
    zh: Mapped[str]
    en: Mapped[str]
    kind: Mapped[str]
    scopes: Mapped[list[str]]
    redirect_uris: Mapped[list[str]]
    logout_uris: Mapped[list[str]]
    keys: Mapped[dict[str, Any]]
    dpop_required: Mapped[bool] = mapped_column(server_default=text("false"))
    push_required: Mapped[bool] = mapped_column(server_default=text("false"))
    created_at: Mapped[dt.datetime]
    switched_off_at: Mapped[dt.datetime | None]
    version: Mapped[int] = mapped_column(Integer, server_default=text("1"))
    __table_args__ = (
        UniqueConstraint("city_id", "code", name="uq_partner_code"),
        CheckConstraint("kind IN ('confidential', 'public')", name="kind"),
    )


class PartnerPurpose(Base):
    """One version of the text by which a partner asks, and the fields it asks for. Only ever added."""

    __tablename__ = "partner_purpose"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    city_id: Mapped[int] = mapped_column(Integer)
    partner_id: Mapped[UUID] = mapped_column(ForeignKey("partner.id"))
    code: Mapped[str]
    text_version: Mapped[int] = mapped_column(Integer)
    zh: Mapped[str]
    en: Mapped[str]
    fields: Mapped[list[str]]
    written_at: Mapped[dt.datetime]
    __table_args__ = (
        UniqueConstraint("partner_id", "code", "text_version", name="uq_partner_purpose_version"),
        CheckConstraint("text_version >= 1", name="text_version"),
    )
