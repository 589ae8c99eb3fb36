"""The tables of the ground floor."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    FetchedValue,
    Identity,
    Index,
    Integer,
    Interval,
    LargeBinary,
    SmallInteger,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base

TXID = text("(pg_current_xact_id()::text::bigint)")


class ClockOffset(Base):
    """How far the city's time is ahead of the machine's; one row, moved by the owner's role alone."""

    __tablename__ = "clock_offset"
    one_row: Mapped[bool] = mapped_column(Boolean, primary_key=True, server_default=text("true"))
    offset: Mapped[dt.timedelta] = mapped_column(Interval, server_default=text("'0'"))
    __table_args__ = (CheckConstraint("one_row", name="one_row"),)


class Revocation(Base):
    """Trust taken back from a subject: tokens issued before ``not_before`` are refused."""

    __tablename__ = "revocation"
    seq: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    subject: Mapped[str]
    not_before: Mapped[dt.datetime]
    recorded_at: Mapped[dt.datetime] = mapped_column(index=True)
    expires_at: Mapped[dt.datetime]


class Idempotency(Base):
    """The first answer to a request under (principal, key), written in the same commit as the work (D4)."""

    __tablename__ = "idempotency"
    principal: Mapped[UUID] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    body_hash: Mapped[bytes]
    status: Mapped[int] = mapped_column(SmallInteger)
    answer: Mapped[dict[str, Any] | None]
    replays: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    created_at: Mapped[dt.datetime] = mapped_column(server_default=text("city_now()"))
    # Written and forgotten in order of time: a summary per 16 pages finds the old rows, and costs a charge nothing.
    __table_args__ = (Index("ix_idempotency_created_at", "created_at", postgresql_using="brin", postgresql_with={"pages_per_range": 16}),)


class LimitCounter(Base):
    """Attempts against a protecting limit in its present window (D31)."""

    __tablename__ = "limit_counter"
    name: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    window_start: Mapped[dt.datetime]
    used: Mapped[int] = mapped_column(Integer)
    expires_at: Mapped[dt.datetime] = mapped_column(index=True)


class Audit(Base):
    """One line of the audit log; stamped, hashed and guarded by the database."""

    __tablename__ = "audit"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    city_id: Mapped[int] = mapped_column(Integer)
    at: Mapped[dt.datetime] = mapped_column(server_default=text("city_now()"))
    actor_kind: Mapped[str]
    actor_id: Mapped[UUID]
    event: Mapped[str]
    subject: Mapped[str]
    resident_id: Mapped[UUID | None]
    outcome: Mapped[str]
    detail: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    request_id: Mapped[UUID | None]
    txid: Mapped[int] = mapped_column(BigInteger, server_default=TXID)
    row_hash: Mapped[bytes] = mapped_column(LargeBinary, server_default=FetchedValue())
    __table_args__ = (
        Index("ix_audit_resident_id", "resident_id", "id", postgresql_where=text("resident_id IS NOT NULL")),
        Index("ix_audit_txid", "txid", postgresql_using="brin", postgresql_with={"pages_per_range": 16}),
    )


class DataUse(Base):
    """Who saw which fields of a resident and for what; at most a second of these can be lost in a crash (D18)."""

    __tablename__ = "data_use"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    city_id: Mapped[int] = mapped_column(Integer)
    resident_id: Mapped[UUID]
    at: Mapped[dt.datetime] = mapped_column(server_default=text("city_now()"))
    actor_kind: Mapped[str]
    actor_id: Mapped[UUID]
    purpose: Mapped[str]
    fields: Mapped[list[str]] = mapped_column(ARRAY(Text))
    txid: Mapped[int] = mapped_column(BigInteger, server_default=TXID)
    __table_args__ = (
        Index("ix_data_use_resident_id", "resident_id", "id"),
        Index("ix_data_use_txid", "txid", postgresql_using="brin", postgresql_with={"pages_per_range": 16}),
    )


class Outbox(Base):
    """A fact to be told after its commit."""

    __tablename__ = "outbox"
    seq: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    id: Mapped[UUID]
    city_id: Mapped[int] = mapped_column(Integer)
    event: Mapped[str]
    subject: Mapped[str]
    payload: Mapped[dict[str, Any]]
    occurred_at: Mapped[dt.datetime] = mapped_column(server_default=text("city_now()"))
    txid: Mapped[int] = mapped_column(BigInteger, server_default=TXID)
    __table_args__ = (Index("ix_outbox_txid", "txid", "seq"),)


class OutboxCursor(Base):
    """How far a listener has heard."""

    __tablename__ = "outbox_cursor"
    listener: Mapped[str] = mapped_column(primary_key=True)
    txid: Mapped[int]
    seq: Mapped[int]


class OutboxParked(Base):
    """A fact a listener failed on, waiting to be tried again, and those of the same subject behind it."""

    __tablename__ = "outbox_parked"
    listener: Mapped[str] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True)
    subject: Mapped[str]
    attempts: Mapped[int] = mapped_column(Integer)
    next_at: Mapped[dt.datetime]
    why: Mapped[str]
    __table_args__ = (Index("ix_outbox_parked_subject", "listener", "subject", "seq"),)


class Seal(Base):
    """A signed link of a chain over committed rows (D10)."""

    __tablename__ = "seal"
    chain: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    from_txid: Mapped[int]
    to_txid: Mapped[int]
    rows: Mapped[int] = mapped_column(Integer)
    previous: Mapped[bytes]
    hash: Mapped[bytes]
    kid: Mapped[str]
    signature: Mapped[bytes]
    sealed_at: Mapped[dt.datetime]


class ResidentKey(Base):
    """A resident's own data key, wrapped; gone, every sealed column of the resident is noise."""

    __tablename__ = "resident_key"
    resident_id: Mapped[UUID] = mapped_column(primary_key=True)
    city_id: Mapped[int] = mapped_column(Integer)
    wrapped: Mapped[bytes | None]
    key_version: Mapped[int] = mapped_column(Integer)
    shredded_at: Mapped[dt.datetime | None]


class SigningKey(Base):
    """A signing key of the platform, wrapped, with its public half and the time it is used."""

    __tablename__ = "signing_key"
    kid: Mapped[str] = mapped_column(primary_key=True)
    purpose: Mapped[str]
    city_id: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    wrapped: Mapped[bytes]
    public_jwk: Mapped[dict[str, Any]]
    not_before: Mapped[dt.datetime]
    retired_at: Mapped[dt.datetime | None]


class File(Base):
    """An encrypted file of a resident; the bytes lie outside the database."""

    __tablename__ = "file"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    city_id: Mapped[int] = mapped_column(Integer)
    resident_id: Mapped[UUID] = mapped_column(index=True)
    media_type: Mapped[str]
    size: Mapped[int]
    sha256: Mapped[bytes]
    purpose: Mapped[str]
    created_at: Mapped[dt.datetime]
    deleted_at: Mapped[dt.datetime | None]
