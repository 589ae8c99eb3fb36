"""The tables of the books; written by the ledger's SQL functions alone, read by everybody's right to see."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, Integer, text
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base


class Account(Base):
    """One account: what the platform owes its owner, in fen (credits less debits), and how many entries made that sum."""

    __tablename__ = "account"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    city_id: Mapped[int] = mapped_column(Integer)
    kind: Mapped[str]
    owner_id: Mapped[UUID | None]
    balance: Mapped[int]
    floor: Mapped[int | None]
    entries: Mapped[int]
    opened_at: Mapped[dt.datetime]
    __table_args__ = (
        CheckConstraint("kind IN ('wallet', 'merchant', 'clearing', 'bank', 'revenue', 'subsidy', 'suspense')", name="kind"),
        CheckConstraint("floor IS NULL OR balance >= floor", name="floor"),
        Index("ix_account_owner_id", "owner_id", postgresql_where=text("owner_id IS NOT NULL")),
    )


class TransferRow(Base):
    """One movement of money, whole in one row (D6); partitioned by month through the UUIDv7 range."""

    __tablename__ = "transfer"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    city_id: Mapped[int] = mapped_column(Integer)
    kind: Mapped[str]
    debit_account: Mapped[UUID]
    credit_account: Mapped[UUID]
    amount_fen: Mapped[int]
    debit_balance_after: Mapped[int]
    credit_balance_after: Mapped[int]
    debit_entry: Mapped[int]
    credit_entry: Mapped[int]
    reference: Mapped[UUID | None]
    reverses: Mapped[UUID | None]
    occurred_at: Mapped[dt.datetime]
    recorded_at: Mapped[dt.datetime]
    txid: Mapped[int]
    row_hash: Mapped[bytes]
    __table_args__ = (
        CheckConstraint("amount_fen BETWEEN 1 AND 100000000000", name="amount"),
        CheckConstraint("debit_account <> credit_account", name="sides"),
        CheckConstraint(
            "kind IN ('top_up', 'charge', 'refund', 'reversal', 'settlement', 'fee', 'subsidy', 'adjustment', 'reserve', 'bill')",
            name="kind",
        ),
        CheckConstraint("(kind = 'reversal') = (reverses IS NOT NULL)", name="reversal"),
        Index("ix_transfer_debit_account", "debit_account", "debit_entry"),
        Index("ix_transfer_credit_account", "credit_account", "credit_entry"),
        Index("ix_transfer_txid", "txid", postgresql_using="brin", postgresql_with={"pages_per_range": 16}),
        {"postgresql_partition_by": "RANGE (id)"},
    )


class ReversedTransfer(Base):
    """A transfer that was reversed, and by which: its key is what lets a transfer be reversed only once."""

    __tablename__ = "reversed_transfer"
    transfer_id: Mapped[UUID] = mapped_column(primary_key=True)
    reversed_by: Mapped[UUID]
