"""The table of what residents agreed to."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, text
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base


class Acceptance(Base):
    """A resident agreed to one version of one text, on which device and when. Only its withdrawal comes later."""

    __tablename__ = "agreement_acceptance"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    city_id: Mapped[int] = mapped_column(Integer)
    resident_id: Mapped[UUID] = mapped_column(ForeignKey("resident.id"))
    kind: Mapped[str]
    text_version: Mapped[str]
    text_sha256: Mapped[bytes]
    device_id: Mapped[UUID | None] = mapped_column(ForeignKey("device.id"))
    agreed_at: Mapped[dt.datetime]
    withdrawn_at: Mapped[dt.datetime | None]
    __table_args__ = (
        CheckConstraint("kind IN ('user_agreement', 'privacy_policy', 'identity_data', 'face_data')", name="kind"),
        CheckConstraint("octet_length(text_sha256) = 32", name="text_sha256"),
        CheckConstraint("withdrawn_at >= agreed_at", name="withdrawn_at"),
        Index(
            "uq_agreement_acceptance_live",
            *("resident_id", "kind", "text_version"),
            unique=True,
            postgresql_where=text("withdrawn_at IS NULL"),
        ),
        Index("ix_agreement_acceptance_resident_id", "resident_id", "id"),
    )
