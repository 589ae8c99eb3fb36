"""The tables of the card floor: columns and constraints only."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Computed, ForeignKeyConstraint, Identity, Index, Integer, SmallInteger, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base


class CardProduct(Base):
    """A kind of card as the city's data describes it; ``terms`` holds its dated forms and loss rules."""

    __tablename__ = "card_product"
    city_id: Mapped[int] = mapped_column(Integer, primary_key=True)
    code: Mapped[str] = mapped_column(primary_key=True)
    zh: Mapped[str]
    en: Mapped[str]
    issuer: Mapped[str]
    number_prefix: Mapped[str | None]
    wallet_mode: Mapped[str]
    terms: Mapped[dict[str, Any]]
    withdrawn_at: Mapped[dt.datetime | None]


class CardRange(Base):
    """A range of card numbers with the database sequence that numbers it; several products may share one."""

    __tablename__ = "card_range"
    id: Mapped[int] = mapped_column(Integer, Identity(always=True), primary_key=True)
    issuer: Mapped[str]
    prefix: Mapped[str]
    width: Mapped[int] = mapped_column(SmallInteger)
    first_number: Mapped[int]
    last_number: Mapped[int]
    sequence: Mapped[str]
    __table_args__ = (
        UniqueConstraint("issuer", "prefix"),
        CheckConstraint("prefix ~ '^[0-9]{1,12}$' AND width BETWEEN 1 AND 17 AND length(prefix) + width <= 18", name="digits"),
        CheckConstraint("first_number >= 0 AND first_number <= last_number AND last_number < 10::numeric ^ width", name="bounds"),
    )


class Card(Base):
    """A card of ours or of another issuer, keyed by issuer and number; five flags stand beside its state (F7, F166)."""

    __tablename__ = "card"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    city_id: Mapped[int] = mapped_column(Integer)
    resident_id: Mapped[UUID] = mapped_column(index=True)
    product: Mapped[str]
    issuer: Mapped[str]
    number: Mapped[str]
    form: Mapped[str]
    state: Mapped[str]
    lost_at: Mapped[dt.datetime | None]
    loss_kind: Mapped[str | None]
    loss_lapses_at: Mapped[dt.datetime | None]
    loss_lapse: Mapped[str | None]
    frozen_at: Mapped[dt.datetime | None]
    locked_at: Mapped[dt.datetime | None]
    bad_at: Mapped[dt.datetime | None]
    expires_on: Mapped[dt.date]
    masked_name: Mapped[str]
    concession: Mapped[str | None]
    wallet_account_id: Mapped[UUID | None]
    bound_by: Mapped[str | None]
    mirrored_status: Mapped[str | None]
    mirrored_at: Mapped[dt.datetime | None]
    replaced_by: Mapped[UUID | None]
    issued_at: Mapped[dt.datetime]
    version: Mapped[int] = mapped_column(Integer)
    __table_args__ = (
        UniqueConstraint("issuer", "number"),
        ForeignKeyConstraint(["city_id", "product"], ["card_product.city_id", "card_product.code"], name="fk_card_product"),
        # The record as it stands has its event: nothing changes a card without leaving one (F18).
        ForeignKeyConstraint(
            ["id", "version"],
            ["card_event.card_id", "card_event.ordinal"],
            name="fk_card_version",
            deferrable=True,
            initially="DEFERRED",
            use_alter=True,
        ),
        Index(
            "uq_card_live_virtual",
            "city_id",
            "resident_id",
            "product",
            unique=True,
            postgresql_where=text("form = 'virtual' AND state IN ('inactive', 'active')"),
        ),
        Index("ix_card_loss_lapses_at", "loss_lapses_at", postgresql_where=text("loss_lapses_at IS NOT NULL")),
        CheckConstraint("form IN ('virtual', 'physical')", name="form"),
        CheckConstraint("state IN ('inactive', 'active', 'replaced', 'cancelled')", name="state"),
        CheckConstraint("number ~ '^[0-9A-Z]{4,32}$'", name="number"),
        CheckConstraint("(lost_at IS NULL) = (loss_kind IS NULL)", name="loss_kind"),
        CheckConstraint("loss_kind IN ('temporary', 'formal')", name="loss_kind_known"),
        CheckConstraint("(loss_kind IS NOT DISTINCT FROM 'temporary') = (loss_lapses_at IS NOT NULL)", name="loss_lapses"),
        CheckConstraint("(loss_lapses_at IS NULL) = (loss_lapse IS NULL) AND loss_lapse IN ('release', 'cancel')", name="loss_lapse"),
        CheckConstraint("(state = 'replaced') = (replaced_by IS NOT NULL)", name="replaced_by"),
        CheckConstraint("version >= 1", name="version"),
    )


class CardEvent(Base):
    """One step in a card's life. Each names the one before it, so that the history has no gap and no second beginning."""

    __tablename__ = "card_event"
    card_id: Mapped[UUID] = mapped_column(primary_key=True)
    ordinal: Mapped[int] = mapped_column(Integer, primary_key=True)
    previous: Mapped[int | None] = mapped_column(Integer, Computed("nullif(ordinal - 1, 0)", persisted=True))
    id: Mapped[UUID]
    city_id: Mapped[int] = mapped_column(Integer)
    resident_id: Mapped[UUID]
    event: Mapped[str]
    state_before: Mapped[str | None]
    state_after: Mapped[str]
    actor_kind: Mapped[str]
    actor_id: Mapped[UUID]
    reason: Mapped[str | None]
    facts: Mapped[dict[str, Any]]
    occurred_at: Mapped[dt.datetime]
    __table_args__ = (
        UniqueConstraint("id"),
        Index("ix_card_event_resident_id", "resident_id", "id"),
        ForeignKeyConstraint(["card_id"], ["card.id"], name="fk_card_event_card_id", deferrable=True, initially="DEFERRED"),
        ForeignKeyConstraint(["card_id", "previous"], ["card_event.card_id", "card_event.ordinal"], name="fk_card_event_previous"),
        CheckConstraint("ordinal >= 1", name="ordinal"),
    )


class PayHandle(Base):
    """The number under which one phone makes codes for one card; its secret is derived from handle and generation, never stored."""

    __tablename__ = "pay_handle"
    handle: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    city_id: Mapped[int] = mapped_column(Integer)
    device_id: Mapped[UUID]
    card_id: Mapped[UUID]
    resident_id: Mapped[UUID] = mapped_column(index=True)
    generation: Mapped[int] = mapped_column(Integer)
    given_at: Mapped[dt.datetime]
    revoked_at: Mapped[dt.datetime | None]
    __table_args__ = (
        ForeignKeyConstraint(["card_id"], ["card.id"]),
        Index("uq_pay_handle_live", "device_id", "card_id", unique=True, postgresql_where=text("revoked_at IS NULL")),
        Index("ix_pay_handle_card_id", "card_id"),
        Index("ix_pay_handle_revoked_at", "revoked_at", postgresql_where=text("revoked_at IS NOT NULL")),
        CheckConstraint("handle >= 0 AND handle < 50000000", name="handle"),
        CheckConstraint("generation >= 1", name="generation"),
    )


class CodeUsed(Base):
    """A code that moved value, consumed in the commit that moved it (D11), or, with a charge of zeros, one that was told too early."""

    __tablename__ = "code_used"
    handle: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    step: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    tap: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    charge_id: Mapped[UUID]
    at: Mapped[dt.datetime]


class Presented(Base):
    """A code that was presented for identity. UNLOGGED: a crash empties it, and the missing sentinel (handle -1) tells of that."""

    __tablename__ = "presented"
    handle: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    step: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    tap: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    id: Mapped[UUID]
    terminal_id: Mapped[UUID]
    card_id: Mapped[UUID]
    at: Mapped[dt.datetime]
    expires_at: Mapped[dt.datetime]
    __table_args__ = (UniqueConstraint("id"), {"prefixes": ["UNLOGGED"]})
