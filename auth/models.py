"""The tables of the auth floor: residents and what proves them, devices, sessions, staff, terminals."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Integer, SmallInteger, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base


class Resident(Base):
    """A person of a city. What names the person is sealed; blind indexes find it again; a masked name is for screens."""

    __tablename__ = "resident"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    city_id: Mapped[int] = mapped_column(Integer)
    state: Mapped[str]
    phone_sealed: Mapped[bytes | None]
    phone_blind: Mapped[bytes | None]
    name_sealed: Mapped[bytes | None]
    citizen_number_sealed: Mapped[bytes | None]
    citizen_number_blind: Mapped[bytes | None]
    birth_date_sealed: Mapped[bytes | None]
    birth_year: Mapped[int | None] = mapped_column(SmallInteger)
    masked_name: Mapped[str] = mapped_column(server_default=text("''"))
    identity_level: Mapped[int] = mapped_column(SmallInteger)
    created_at: Mapped[dt.datetime]
    closed_at: Mapped[dt.datetime | None]
    version: Mapped[int] = mapped_column(Integer, server_default=text("1"))
    __table_args__ = (
        UniqueConstraint("city_id", "phone_blind", name="uq_resident_phone"),
        Index("uq_resident_citizen_number", "city_id", "citizen_number_blind", unique=True, postgresql_where=text("state = 'active'")),
        CheckConstraint("identity_level BETWEEN 1 AND 4", name="level"),
        CheckConstraint("(phone_blind IS NULL) = (phone_sealed IS NULL) AND (phone_blind IS NOT NULL OR identity_level > 1)", name="phone"),
        CheckConstraint("state IN ('active', 'closed') AND (state = 'closed') = (closed_at IS NOT NULL)", name="state"),
        CheckConstraint(
            "identity_level < 2 OR (name_sealed IS NOT NULL AND citizen_number_sealed IS NOT NULL"
            " AND citizen_number_blind IS NOT NULL AND birth_date_sealed IS NOT NULL AND masked_name <> '')",
            name="named",
        ),
    )


class IdentityEvidence(Base):
    """One proof of who a resident is: method, when, before whom. Only ever added."""

    __tablename__ = "identity_evidence"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    city_id: Mapped[int] = mapped_column(Integer)
    resident_id: Mapped[UUID] = mapped_column(ForeignKey("resident.id"))
    method: Mapped[str]
    level: Mapped[int] = mapped_column(SmallInteger)
    proved_at: Mapped[dt.datetime]
    actor_kind: Mapped[str]
    actor_id: Mapped[UUID]
    reference: Mapped[str] = mapped_column(server_default=text("''"))
    __table_args__ = (Index("ix_identity_evidence_resident_id", "resident_id", "id"),)


class Device(Base):
    """A phone of a resident, known by the P-256 key that never leaves it."""

    __tablename__ = "device"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    city_id: Mapped[int] = mapped_column(Integer)
    resident_id: Mapped[UUID] = mapped_column(ForeignKey("resident.id"))
    thumbprint: Mapped[str]
    public_jwk: Mapped[dict[str, Any]]
    name: Mapped[str]
    created_at: Mapped[dt.datetime]
    used_at: Mapped[dt.datetime]
    proved_at: Mapped[dt.datetime | None]
    revoked_at: Mapped[dt.datetime | None]
    __table_args__ = (
        Index("uq_device_live", "resident_id", "thumbprint", unique=True, postgresql_where=text("revoked_at IS NULL")),
        Index("ix_device_thumbprint", "thumbprint"),
    )


class StaffMember(Base):
    """Somebody who works for the city or an agency; without a password until they have enrolled."""

    __tablename__ = "staff"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    city_id: Mapped[int] = mapped_column(Integer)
    agency_id: Mapped[UUID | None]
    login: Mapped[str]
    display_name: Mapped[str]
    roles: Mapped[list[str]]
    password_hash: Mapped[str | None]
    totp_wrapped: Mapped[bytes | None]
    totp_step: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    failures: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    locked_until: Mapped[dt.datetime | None]
    disabled_at: Mapped[dt.datetime | None]
    created_at: Mapped[dt.datetime]
    admitted_by: Mapped[UUID | None] = mapped_column(ForeignKey("staff.id"))
    confirmed_by: Mapped[UUID | None] = mapped_column(ForeignKey("staff.id"))
    enrolment_digest: Mapped[bytes | None]
    enrolment_expires_at: Mapped[dt.datetime | None]
    enrolled_at: Mapped[dt.datetime | None]
    from_console: Mapped[str | None]
    __table_args__ = (
        UniqueConstraint("city_id", "login", name="uq_staff_login"),
        UniqueConstraint("enrolment_digest", name="uq_staff_enrolment_digest"),
        CheckConstraint(
            "(enrolled_at IS NULL) = (password_hash IS NULL) AND (enrolled_at IS NULL OR totp_wrapped IS NOT NULL)", name="enrolled"
        ),
        CheckConstraint("enrolled_at IS NOT NULL OR admitted_by IS NOT NULL OR from_console IS NOT NULL", name="admitted"),
        CheckConstraint("confirmed_by <> admitted_by AND confirmed_by <> id", name="two_people"),
        CheckConstraint(
            "(admitted_by IS NULL AND from_console IS DISTINCT FROM 'replacement') OR confirmed_by IS NOT NULL"
            " OR (enrolled_at IS NULL AND enrolment_digest IS NULL)",
            name="confirmed",
        ),
        CheckConstraint(
            "from_console IS NULL OR (from_console IN ('first', 'replacement') AND admitted_by IS NULL"
            " AND (from_console = 'replacement' OR confirmed_by IS NULL) AND roles = ARRAY['administrator'])",
            name="from_console",
        ),
        CheckConstraint(
            "(enrolment_digest IS NULL) = (enrolment_expires_at IS NULL) AND (enrolment_digest IS NULL OR enrolled_at IS NULL)",
            name="enrolment",
        ),
    )


class SignIn(Base):
    """One sign-in of a resident or a staff member and its rotating refresh token."""

    __tablename__ = "session"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    city_id: Mapped[int] = mapped_column(Integer)
    resident_id: Mapped[UUID | None] = mapped_column(ForeignKey("resident.id"))
    staff_id: Mapped[UUID | None] = mapped_column(ForeignKey("staff.id"))
    device_id: Mapped[UUID | None] = mapped_column(ForeignKey("device.id"))
    passkey_id: Mapped[UUID | None] = mapped_column(ForeignKey("passkey.id", ondelete="SET NULL"))
    thumbprint: Mapped[str]
    strength: Mapped[int] = mapped_column(SmallInteger)
    proved_at: Mapped[dt.datetime]
    started_at: Mapped[dt.datetime]
    used_at: Mapped[dt.datetime]
    idle_until: Mapped[dt.datetime]
    expires_at: Mapped[dt.datetime]
    ended_at: Mapped[dt.datetime | None]
    ended_because: Mapped[str | None]
    current_digest: Mapped[bytes]
    previous_digest: Mapped[bytes | None]
    rotated_at: Mapped[dt.datetime]
    rotations: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    __table_args__ = (
        CheckConstraint("(resident_id IS NULL) <> (staff_id IS NULL)", name="one_owner"),
        CheckConstraint("strength BETWEEN 1 AND 3", name="strength"),
        Index("ix_session_resident_id", "resident_id", "id", postgresql_where=text("ended_at IS NULL")),
        Index("ix_session_staff_id", "staff_id", "id", postgresql_where=text("ended_at IS NULL")),
        Index("ix_session_passkey_id", "passkey_id", postgresql_where=text("passkey_id IS NOT NULL")),
        Index("ix_session_expires_at", "expires_at"),
    )


class SignInCode(Base):
    """The live code of a number and the key that asked for it; keyed hash, five tries, once."""

    __tablename__ = "sign_in_code"
    city_id: Mapped[int] = mapped_column(Integer, primary_key=True)
    phone_blind: Mapped[bytes] = mapped_column(primary_key=True)
    binding: Mapped[str] = mapped_column(primary_key=True)
    code_mac: Mapped[bytes]
    tries: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    sent_at: Mapped[dt.datetime]
    expires_at: Mapped[dt.datetime]
    used_at: Mapped[dt.datetime | None]
    __table_args__ = (CheckConstraint("tries BETWEEN 0 AND 5", name="tries"), Index("ix_sign_in_code_expires_at", "expires_at"))


class SignInRequest(Base):
    """A new device at the door of an account with a stronger factor, waiting for that factor."""

    __tablename__ = "sign_in_request"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    city_id: Mapped[int] = mapped_column(Integer)
    resident_id: Mapped[UUID] = mapped_column(ForeignKey("resident.id"))
    thumbprint: Mapped[str]
    device_name: Mapped[str]
    state: Mapped[str]
    approved_by: Mapped[str | None]
    created_at: Mapped[dt.datetime]
    expires_at: Mapped[dt.datetime]
    decided_at: Mapped[dt.datetime | None]
    __table_args__ = (
        CheckConstraint("state IN ('waiting', 'approved', 'refused', 'used')", name="state"),
        Index("ix_sign_in_request_resident_id", "resident_id", "id"),
    )


class FaceCheck(Base):
    """A live face check: our nonce, the provider's reference, and how it ended."""

    __tablename__ = "face_check"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    city_id: Mapped[int] = mapped_column(Integer)
    resident_id: Mapped[UUID] = mapped_column(ForeignKey("resident.id"))
    request_id: Mapped[UUID | None] = mapped_column(ForeignKey("sign_in_request.id"))
    nonce: Mapped[str]
    state: Mapped[str]
    reason: Mapped[str] = mapped_column(server_default=text("''"))
    opened_at: Mapped[dt.datetime]
    expires_at: Mapped[dt.datetime]
    decided_at: Mapped[dt.datetime | None]
    __table_args__ = (
        CheckConstraint("state IN ('open', 'deciding', 'passed', 'failed')", name="state"),
        UniqueConstraint("nonce", name="uq_face_check_nonce"),
        Index("ix_face_check_resident_id", "resident_id", "id"),
    )


class UsedProof(Base):
    """A proof of possession that was seen; the same one never counts twice."""

    __tablename__ = "used_proof"
    digest: Mapped[bytes] = mapped_column(primary_key=True)
    expires_at: Mapped[dt.datetime] = mapped_column(index=True)


class Terminal(Base):
    """A counter, gate or bus terminal with a key of its own, what it may do and whose account it fills."""

    __tablename__ = "terminal"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    city_id: Mapped[int] = mapped_column(Integer)
    merchant_id: Mapped[UUID | None]
    agency_id: Mapped[UUID | None]
    account_id: Mapped[UUID | None]
    name: Mapped[str]
    functions: Mapped[list[str]]
    state: Mapped[str]
    public_jwk: Mapped[dict[str, Any] | None]
    thumbprint: Mapped[str | None]
    enrolment_digest: Mapped[bytes | None]
    enrolment_expires_at: Mapped[dt.datetime | None]
    created_at: Mapped[dt.datetime]
    enrolled_at: Mapped[dt.datetime | None]
    disabled_at: Mapped[dt.datetime | None]
    version: Mapped[int] = mapped_column(Integer, server_default=text("1"))
    __table_args__ = (
        CheckConstraint("state IN ('registered', 'active', 'disabled')", name="state"),
        CheckConstraint("state <> 'active' OR (public_jwk IS NOT NULL AND thumbprint IS NOT NULL)", name="key"),
        UniqueConstraint("thumbprint", name="uq_terminal_thumbprint"),
        UniqueConstraint("enrolment_digest", name="uq_terminal_enrolment_digest"),
        Index("ix_terminal_city_id", "city_id", "id"),
        Index("ix_terminal_merchant_id", "merchant_id"),
    )
