"""Wallets, charges, top-ups and what undoes a charge; the books themselves are the ledger's."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Date, Index, Integer, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base


class TopUp(Base):
    """Money on its way from a payment provider into a wallet; reserved here before the provider is asked."""

    __tablename__ = "top_up"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    city_id: Mapped[int] = mapped_column(Integer)
    resident_id: Mapped[UUID]
    wallet_id: Mapped[UUID]
    amount_fen: Mapped[int]
    provider: Mapped[str]
    order_number: Mapped[str]
    provider_number: Mapped[str | None]
    pay_url: Mapped[str | None]
    state: Mapped[str]
    reason: Mapped[str] = mapped_column(server_default=text("''"))
    receipt_number: Mapped[str | None]
    transfer_id: Mapped[UUID | None]
    created_at: Mapped[dt.datetime]
    expires_at: Mapped[dt.datetime]
    decided_at: Mapped[dt.datetime | None]
    ask_at: Mapped[dt.datetime | None]
    asked: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    __table_args__ = (
        CheckConstraint("amount_fen > 0", name="amount"),
        CheckConstraint("state IN ('created', 'pending', 'credited', 'failed', 'expired')", name="state"),
        CheckConstraint("(state = 'credited') = (transfer_id IS NOT NULL)", name="credited"),
        CheckConstraint("(state = 'credited') = (receipt_number IS NOT NULL)", name="receipt"),
        CheckConstraint("(state IN ('created', 'pending')) = (decided_at IS NULL)", name="decided"),
        UniqueConstraint("provider", "order_number"),
        UniqueConstraint("receipt_number"),
        Index("ix_top_up_resident_id", "resident_id", "id"),
        Index("ix_top_up_ask_at", "ask_at", postgresql_where=text("ask_at IS NOT NULL")),
    )


class Refund(Base):
    """What gives a charge back: its one reversal of the same day, or one of several refunds."""

    __tablename__ = "refund"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    city_id: Mapped[int] = mapped_column(Integer)
    charge_id: Mapped[UUID]
    resident_id: Mapped[UUID]
    terminal_id: Mapped[UUID]
    merchant_id: Mapped[UUID]
    kind: Mapped[str]
    amount_fen: Mapped[int]
    reason: Mapped[str]
    transfer_id: Mapped[UUID]
    receipt_number: Mapped[str]
    occurred_at: Mapped[dt.datetime]
    recorded_at: Mapped[dt.datetime]
    __table_args__ = (
        CheckConstraint("amount_fen > 0", name="amount"),
        CheckConstraint("kind IN ('reversal', 'refund')", name="kind"),
        UniqueConstraint("transfer_id"),
        UniqueConstraint("receipt_number"),
        Index("ix_refund_charge_id", "charge_id"),
        Index("ix_refund_resident_id", "resident_id", "id"),
        Index("uq_refund_reversal", "charge_id", unique=True, postgresql_where=text("kind = 'reversal'")),
    )
