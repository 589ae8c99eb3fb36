"""The tables of passkeys."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base


class Passkey(Base):
    """A public key of a resident whose private half an authenticator holds behind their finger, face or PIN."""

    __tablename__ = "passkey"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    city_id: Mapped[int] = mapped_column(Integer)
    resident_id: Mapped[UUID] = mapped_column(ForeignKey("resident.id"))
    credential_id: Mapped[bytes]
    public_key: Mapped[bytes]
    sign_count: Mapped[int]
    backup_eligible: Mapped[bool]
    backed_up: Mapped[bool]
    transports: Mapped[list[str]]
    name: Mapped[str]
    created_at: Mapped[dt.datetime]
    used_at: Mapped[dt.datetime | None]
    revoked_at: Mapped[dt.datetime | None]
    revoked_because: Mapped[str | None]
    __table_args__ = (
        UniqueConstraint("credential_id", name="uq_passkey_credential_id"),
        CheckConstraint("octet_length(credential_id) BETWEEN 16 AND 1023", name="credential_id"),
        CheckConstraint("sign_count BETWEEN 0 AND 4294967295", name="sign_count"),
        CheckConstraint("backup_eligible OR NOT backed_up", name="backup"),
        CheckConstraint("(revoked_at IS NULL) = (revoked_because IS NULL)", name="revoked"),
        Index("ix_passkey_resident_id", "resident_id", "id", postgresql_where=text("revoked_at IS NULL")),
    )


class PasskeyChallenge(Base):
    """A challenge that was given out and has not come back: for one purpose, to one key or session, once."""

    __tablename__ = "passkey_challenge"
    digest: Mapped[bytes] = mapped_column(primary_key=True)
    city_id: Mapped[int] = mapped_column(Integer)
    resident_id: Mapped[UUID | None]
    purpose: Mapped[str]
    binding: Mapped[str]
    expires_at: Mapped[dt.datetime] = mapped_column(index=True)
    __table_args__ = (
        CheckConstraint("purpose IN ('add', 'sign_in', 'step_up')", name="purpose"),
        CheckConstraint("(purpose = 'sign_in') = (resident_id IS NULL)", name="resident"),
        Index("ix_passkey_challenge_resident_id", "resident_id", postgresql_where=text("resident_id IS NOT NULL")),
    )
