"""Money on its way back to where a top-up was paid from: reserved first, and then the provider's or the wallet's again."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base


class TopUpRefund(Base):
    """What a resident takes back of a top-up; `refund_number` is the provider's way to name it."""

    __tablename__ = "top_up_refund"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    city_id: Mapped[int] = mapped_column(Integer)
    resident_id: Mapped[UUID]
    top_up_id: Mapped[UUID] = mapped_column(ForeignKey("top_up.id", name="fk_top_up_refund_top_up_id"), index=True)
    amount_fen: Mapped[int]
    provider: Mapped[str]
    refund_number: Mapped[str]
    state: Mapped[str]
    reason: Mapped[str] = mapped_column(server_default="")
    reserve_id: Mapped[UUID] = mapped_column(unique=True)
    transfer_id: Mapped[UUID | None]
    receipt_number: Mapped[str | None]
    reserved_at: Mapped[dt.datetime]
    decided_at: Mapped[dt.datetime | None]
    ask_at: Mapped[dt.datetime | None]
    asked: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    __table_args__ = (
        CheckConstraint("amount_fen > 0", name="amount"),
        CheckConstraint("state IN ('reserved', 'posted', 'voided')", name="state"),
        CheckConstraint("(state = 'reserved') = (decided_at IS NULL)", name="decided"),
        CheckConstraint("(state = 'reserved') = (transfer_id IS NULL)", name="transfer"),
        CheckConstraint("(state = 'posted') = (receipt_number IS NOT NULL)", name="receipt"),
        UniqueConstraint("provider", "refund_number"),
        UniqueConstraint("receipt_number"),
        Index("ix_top_up_refund_resident_id", "resident_id", "id"),
        Index("ix_top_up_refund_ask_at", "ask_at", postgresql_where=text("ask_at IS NOT NULL")),
    )
