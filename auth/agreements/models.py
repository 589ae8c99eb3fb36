"""The table of what residents agreed to."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, text
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base


class Acceptance(Base):
    """A resident, or a guardian for one under fourteen, agreed to one version of one text. Only its withdrawal comes later."""

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
    guardian_id: Mapped[UUID | None] = mapped_column(ForeignKey("resident.id"))
    guardian_document: Mapped[str | None]
    __table_args__ = (
        CheckConstraint("kind IN ('user_agreement', 'privacy_policy', 'identity_data', 'face_data')", name="kind"),
        CheckConstraint("octet_length(text_sha256) = 32", name="text_sha256"),
        CheckConstraint("withdrawn_at >= agreed_at", name="withdrawn_at"),
        CheckConstraint("(guardian_id IS NULL) = (guardian_document IS NULL)", name="guardian"),
        CheckConstraint("guardian_id <> resident_id", name="guardian_id"),
        CheckConstraint(
            "guardian_document IN ('household_register', 'birth_certificate', 'guardianship_decision')", name="guardian_document"
        ),
        Index(
            "uq_agreement_acceptance_live",
            *("resident_id", "kind", "text_version", text("(guardian_id IS NULL)")),
            unique=True,
            postgresql_where=text("withdrawn_at IS NULL"),
        ),
        Index("ix_agreement_acceptance_resident_id", "resident_id", "id"),
    )
