"""Money for a bill: reserved before the agency is told, and then posted to it or given back."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base


class BillPayment(Base):
    """What a resident pays to an agency out of the wallet; `purpose` is the item and the bill in the agency's words."""

    __tablename__ = "bill_payment"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    city_id: Mapped[int] = mapped_column(Integer)
    resident_id: Mapped[UUID]
    wallet_id: Mapped[UUID] = mapped_column(ForeignKey("wallet.id", name="fk_bill_payment_wallet_id"))
    merchant_id: Mapped[UUID] = mapped_column(ForeignKey("merchant.id", name="fk_bill_payment_merchant_id"))
    amount_fen: Mapped[int]
    purpose: Mapped[str]
    state: Mapped[str]
    reserve_id: Mapped[UUID] = mapped_column(unique=True)
    transfer_id: Mapped[UUID | None]
    refund_id: Mapped[UUID | None]
    receipt_number: Mapped[str | None]
    reserved_at: Mapped[dt.datetime]
    decided_at: Mapped[dt.datetime | None]
    __table_args__ = (
        CheckConstraint("amount_fen > 0", name="amount"),
        CheckConstraint("state IN ('reserved', 'posted', 'voided', 'given_back')", name="state"),
        CheckConstraint("(state = 'reserved') = (decided_at IS NULL)", name="decided"),
        CheckConstraint("(state IN ('posted', 'given_back')) = (receipt_number IS NOT NULL)", name="receipt"),
        CheckConstraint("(state = 'reserved') = (transfer_id IS NULL)", name="transfer"),
        CheckConstraint("(state = 'given_back') = (refund_id IS NOT NULL)", name="refund"),
        UniqueConstraint("receipt_number"),
        Index("ix_bill_payment_resident_id", "resident_id", "id"),
        Index("ix_bill_payment_reserved", "id", postgresql_where=text("state = 'reserved'")),
    )
