"""Trades that terminals took without network: columns and constraints only."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, text
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base


class OfflineRepayment(Base):
    """What a resident made good at once of trades that the city had paid; its id is its transfer's, and its trades name it."""

    __tablename__ = "offline_repayment"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    city_id: Mapped[int] = mapped_column(Integer)
    resident_id: Mapped[UUID]
    amount_fen: Mapped[int]
    receipt_number: Mapped[str] = mapped_column(unique=True)
    recorded_at: Mapped[dt.datetime]
    __table_args__ = (
        Index("ix_offline_repayment_resident_id", "resident_id", "id"),
        CheckConstraint("amount_fen > 0", name="amount"),
    )


class OfflineTrade(Base):
    """One trade of a terminal by its serial number, and what became of it; ``authorisation`` is a keyed hash of the id shown.

    ``result``: ``paid`` by the wallet, ``risk`` when the city's risk account paid, ``noted`` when no money was asked, ``refused``.
    ``repaid_by`` is the repayment with which the resident made good what the city had paid.
    """

    __tablename__ = "offline_trade"
    terminal_id: Mapped[UUID] = mapped_column(primary_key=True)
    serial: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    id: Mapped[UUID] = mapped_column(unique=True)
    city_id: Mapped[int] = mapped_column(Integer)
    resident_id: Mapped[UUID | None]
    card_id: Mapped[UUID | None]
    merchant_id: Mapped[UUID | None]
    authorisation: Mapped[bytes | None]
    content_hash: Mapped[bytes]
    amount_fen: Mapped[int]
    result: Mapped[str]
    reason: Mapped[str | None]
    transfer_id: Mapped[UUID | None]
    receipt_number: Mapped[str | None] = mapped_column(unique=True)
    repaid_by: Mapped[UUID | None] = mapped_column(ForeignKey("offline_repayment.id", name="fk_offline_trade_repaid_by"))
    occurred_at: Mapped[dt.datetime]
    recorded_at: Mapped[dt.datetime]
    __table_args__ = (
        Index("uq_offline_trade_first", "authorisation", unique=True, postgresql_where=text("result IN ('paid', 'noted')")),
        Index("ix_offline_trade_authorisation", "authorisation"),
        Index("ix_offline_trade_resident_id", "resident_id", "id"),
        Index("ix_offline_trade_repaid_by", "repaid_by", postgresql_where=text("repaid_by IS NOT NULL")),
        CheckConstraint("amount_fen >= 0", name="amount"),
        CheckConstraint("result IN ('paid', 'risk', 'noted', 'refused')", name="result"),
        CheckConstraint("(result IN ('paid', 'risk')) = (transfer_id IS NOT NULL)", name="transfer"),
        CheckConstraint("(result = 'paid') = (receipt_number IS NOT NULL)", name="receipt"),
        CheckConstraint("(result IN ('risk', 'refused')) = (reason IS NOT NULL)", name="reason"),
        CheckConstraint("repaid_by IS NULL OR result = 'risk'", name="repaid"),
    )
