"""Merchants, wallets, charges, top-ups and what undoes a charge; the books themselves are the ledger's."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, Integer, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base


class Merchant(Base):
    """Who is paid at terminals, with its ledger account."""

    __tablename__ = "merchant"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    city_id: Mapped[int] = mapped_column(Integer, index=True)
    zh: Mapped[str]
    en: Mapped[str]
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id", name="fk_merchant_account_id"), unique=True)
    refund_credit_fen: Mapped[int]
    opened_at: Mapped[dt.datetime]
    closed_at: Mapped[dt.datetime | None]
    __table_args__ = (CheckConstraint("refund_credit_fen >= 0", name="refund_credit"),)


class Wallet(Base):
    """A resident's wallet of one mode: whose money, in which account, within which limits, and what was spent of them."""

    __tablename__ = "wallet"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    city_id: Mapped[int] = mapped_column(Integer)
    resident_id: Mapped[UUID]
    mode: Mapped[str]
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id", name="fk_wallet_account_id"), unique=True)
    state: Mapped[str]
    single_limit_fen: Mapped[int]
    daily_limit_fen: Mapped[int]
    monthly_limit_fen: Mapped[int]
    daily_count_limit: Mapped[int | None] = mapped_column(Integer)
    spent_on: Mapped[dt.date | None] = mapped_column(Date)
    spent_day_fen: Mapped[int] = mapped_column(server_default=text("0"))
    spent_day_count: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    spent_month: Mapped[dt.date | None] = mapped_column(Date)
    spent_month_fen: Mapped[int] = mapped_column(server_default=text("0"))
    opened_at: Mapped[dt.datetime] = mapped_column(server_default=text("city_now()"))
    __table_args__ = (
        UniqueConstraint("resident_id", "city_id", "mode"),
        CheckConstraint("mode IN ('platform', 'bank', 'transport', 'subsidy')", name="mode"),
        CheckConstraint("state IN ('open', 'frozen', 'closed')", name="state"),
        CheckConstraint("mode <> 'platform' OR account_id IS NOT NULL", name="account"),
        CheckConstraint("single_limit_fen >= 0 AND daily_limit_fen >= 0 AND monthly_limit_fen >= 0", name="limits"),
        CheckConstraint("daily_count_limit > 0", name="count"),
        CheckConstraint("spent_day_fen >= 0 AND spent_day_count >= 0 AND spent_month_fen >= 0", name="spent"),
    )


class Charge(Base):
    """A payment at a terminal; made by `charge_post` alone."""

    __tablename__ = "charge"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    city_id: Mapped[int] = mapped_column(Integer)
    resident_id: Mapped[UUID]
    card_id: Mapped[UUID]
    terminal_id: Mapped[UUID]
    merchant_id: Mapped[UUID]
    amount_fen: Mapped[int]
    refunded_fen: Mapped[int] = mapped_column(server_default=text("0"))
    state: Mapped[str]
    transfer_id: Mapped[UUID]
    receipt_number: Mapped[str] = mapped_column(unique=True)
    occurred_at: Mapped[dt.datetime]
    recorded_at: Mapped[dt.datetime]
    facts: Mapped[dict[str, Any]]
    __table_args__ = (
        CheckConstraint("amount_fen > 0", name="amount"),
        CheckConstraint("refunded_fen BETWEEN 0 AND amount_fen", name="refunded"),
        CheckConstraint("state IN ('posted', 'reversed', 'refunded', 'partly_refunded')", name="state"),
        Index("ix_charge_resident_id", "resident_id", "id"),
        Index("ix_charge_merchant_id", "merchant_id", "id"),
    )


class TopUp(Base):
    """Money on its way from a payment provider into a wallet; reserved here before the provider is asked."""

    __tablename__ = "top_up"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    city_id: Mapped[int] = mapped_column(Integer)
    resident_id: Mapped[UUID]
    wallet_id: Mapped[UUID] = mapped_column(ForeignKey("wallet.id", name="fk_top_up_wallet_id"))
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
        Index("ix_top_up_wallet_id", "wallet_id", postgresql_where=text("decided_at IS NULL")),
        Index("ix_top_up_ask_at", "ask_at", postgresql_where=text("ask_at IS NOT NULL")),
    )


class Refund(Base):
    """What gives a charge back: its one reversal of the same day, or one of several refunds."""

    __tablename__ = "refund"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    city_id: Mapped[int] = mapped_column(Integer)
    charge_id: Mapped[UUID] = mapped_column(ForeignKey("charge.id", name="fk_refund_charge_id"), index=True)
    resident_id: Mapped[UUID]
    merchant_id: Mapped[UUID]
    terminal_id: Mapped[UUID]
    kind: Mapped[str]
    amount_fen: Mapped[int]
    reason: Mapped[str]
    transfer_id: Mapped[UUID] = mapped_column(unique=True)
    receipt_number: Mapped[str] = mapped_column(unique=True)
    balance_after_fen: Mapped[int]
    recorded_at: Mapped[dt.datetime]
    __table_args__ = (
        CheckConstraint("amount_fen > 0", name="amount"),
        CheckConstraint("kind IN ('reversal', 'refund')", name="kind"),
        Index("ix_refund_resident_id", "resident_id", "id"),
        Index("uq_refund_reversal", "charge_id", unique=True, postgresql_where=text("kind = 'reversal'")),
    )
