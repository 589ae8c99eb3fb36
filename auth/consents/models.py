"""The tables of the consent ledger."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, Integer, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base


class Consent(Base):
    """What a resident allowed: to whom, for which purpose, by which version of its text, which fields. Only its end comes later."""

    __tablename__ = "consent"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    city_id: Mapped[int] = mapped_column(Integer)
    resident_id: Mapped[UUID] = mapped_column(ForeignKey("resident.id"))
    partner_id: Mapped[UUID] = mapped_column(ForeignKey("partner.id"))
    purpose: Mapped[str]
    text_version: Mapped[int] = mapped_column(Integer)
    fields: Mapped[list[str]]
    offline: Mapped[bool] = mapped_column(server_default=text("false"))
    granted_at: Mapped[dt.datetime]
    expires_at: Mapped[dt.datetime]
    withdrawn_at: Mapped[dt.datetime | None]
    withdrawn_because: Mapped[str | None]
    __table_args__ = (
        ForeignKeyConstraint(
            ["partner_id", "purpose", "text_version"],
            ["partner_purpose.partner_id", "partner_purpose.code", "partner_purpose.text_version"],
            name="fk_consent_text",
        ),
        CheckConstraint("(withdrawn_at IS NULL) = (withdrawn_because IS NULL)", name="withdrawn"),
        CheckConstraint("expires_at > granted_at", name="term"),
        Index("uq_consent_live", "resident_id", "partner_id", "purpose", unique=True, postgresql_where=text("withdrawn_at IS NULL")),
        Index("ix_consent_resident_id", "resident_id", "id"),
    )


class PartnerSubject(Base):
    """The name under which one partner knows one resident (OpenID Connect Core 8.1); no two partners share it."""

    __tablename__ = "partner_subject"
    partner_id: Mapped[UUID] = mapped_column(ForeignKey("partner.id"), primary_key=True)
    subject: Mapped[str] = mapped_column(primary_key=True)
    city_id: Mapped[int] = mapped_column(Integer)
    resident_id: Mapped[UUID] = mapped_column(ForeignKey("resident.id"))
    created_at: Mapped[dt.datetime]
    __table_args__ = (UniqueConstraint("resident_id", "partner_id", name="uq_partner_subject_resident_id"),)
