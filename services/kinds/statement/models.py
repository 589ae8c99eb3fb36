"""Accounts that residents bound, their bills, the payments of bills, and what the days' reconciliation found."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, Integer, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base


class Binding(Base):
    """An account at an agency that a resident has shown to know: the only way to its bills."""

    __tablename__ = "account_binding"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    city_id: Mapped[int] = mapped_column(Integer)
    resident_id: Mapped[UUID]
    item: Mapped[str]
    account_number: Mapped[str]
    alias: Mapped[str]
    relation: Mapped[str]
    masked_owner: Mapped[str]
    masked_address: Mapped[str]
    persons: Mapped[int] = mapped_column(Integer)
    shared_from: Mapped[UUID | None] = mapped_column(ForeignKey("account_binding.id", name="fk_account_binding_shared_from"), index=True)
    bound_at: Mapped[dt.datetime]
    unbound_at: Mapped[dt.datetime | None]
    __table_args__ = (
        CheckConstraint("relation IN ('owner', 'tenant', 'family', 'other')", name="relation"),
        Index("uq_account_binding_live", "resident_id", "item", "account_number", unique=True, postgresql_where=text("unbound_at IS NULL")),
    )


class BindingShare(Base):
    """A code by which somebody else may bind the same account, once and for a day; only its MAC is kept."""

    __tablename__ = "binding_share"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    city_id: Mapped[int] = mapped_column(Integer)
    resident_id: Mapped[UUID] = mapped_column(index=True)
    binding_id: Mapped[UUID] = mapped_column(ForeignKey("account_binding.id", name="fk_binding_share_binding_id"))
    code_mac: Mapped[bytes] = mapped_column(unique=True)
    made_at: Mapped[dt.datetime]
    expires_at: Mapped[dt.datetime]
    used_at: Mapped[dt.datetime | None]


class Bill(Base):
    """A bill as the agency last told it to this binding; `facts` hold what was measured and each line."""

    __tablename__ = "bill"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    city_id: Mapped[int] = mapped_column(Integer)
    resident_id: Mapped[UUID]
    binding_id: Mapped[UUID] = mapped_column(ForeignKey("account_binding.id", name="fk_bill_binding_id"))
    number: Mapped[str]
    period: Mapped[str]
    amount_fen: Mapped[int]
    state: Mapped[str]
    facts: Mapped[dict[str, Any]]
    fetched_at: Mapped[dt.datetime]
    __table_args__ = (
        UniqueConstraint("binding_id", "number"),
        CheckConstraint("amount_fen > 0", name="amount"),
        CheckConstraint("state IN ('due', 'paid')", name="state"),
        Index("ix_bill_resident_id", "resident_id", "id"),
        Index("ix_bill_city_id_number", "city_id", "number"),
    )


class BillOrder(Base):
    """A payment of a bill on its way to the agency; its id is that of the money's reservation and, shown, the number we tell."""

    __tablename__ = "bill_order"
    id: Mapped[UUID] = mapped_column(ForeignKey("bill_payment.id", name="fk_bill_order_id"), primary_key=True)
    city_id: Mapped[int] = mapped_column(Integer)
    resident_id: Mapped[UUID]
    binding_id: Mapped[UUID] = mapped_column(ForeignKey("account_binding.id", name="fk_bill_order_binding_id"))
    item: Mapped[str]
    account_number: Mapped[str]
    bill_number: Mapped[str]
    period: Mapped[str]
    amount_fen: Mapped[int]
    state: Mapped[str]
    reason: Mapped[str] = mapped_column(server_default=text("''"))
    day: Mapped[dt.date | None] = mapped_column(Date)
    company_number: Mapped[str | None]
    told: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    ask_at: Mapped[dt.datetime | None]
    asked: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    created_at: Mapped[dt.datetime]
    decided_at: Mapped[dt.datetime | None]
    __table_args__ = (
        CheckConstraint("amount_fen > 0", name="amount"),
        CheckConstraint("state IN ('reserved', 'paid', 'refused', 'given_back')", name="state"),
        CheckConstraint("(state = 'reserved') = (decided_at IS NULL)", name="decided"),
        CheckConstraint("(state IN ('paid', 'given_back')) = (company_number IS NOT NULL AND day IS NOT NULL)", name="paid"),
        # One bill is paid once in the whole city, whoever bound the account.
        Index("uq_bill_order_live", "city_id", "item", "bill_number", unique=True, postgresql_where=text("state IN ('reserved', 'paid')")),
        Index("ix_bill_order_resident_id", "resident_id", "id"),
        Index("ix_bill_order_day", "city_id", "item", "day"),
        Index("ix_bill_order_ask_at", "ask_at", postgresql_where=text("ask_at IS NOT NULL")),
    )


class Reconciliation(Base):
    """One reading of an agency's day against our own."""

    __tablename__ = "reconciliation"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    city_id: Mapped[int] = mapped_column(Integer)
    item: Mapped[str]
    day: Mapped[dt.date] = mapped_column(Date)
    state: Mapped[str]
    file_hash: Mapped[bytes]
    equal: Mapped[int] = mapped_column(Integer)
    ours_fen: Mapped[int]
    theirs_fen: Mapped[int]
    differences: Mapped[int] = mapped_column(Integer)
    at: Mapped[dt.datetime]
    __table_args__ = (
        CheckConstraint("state IN ('equal', 'different', 'damaged')", name="state"),
        Index("ix_reconciliation_city_id", "city_id", "item", "day"),
    )


class Difference(Base):
    """A difference that somebody must look into; repaired by one who proposes and another who approves.

    `reconciliation_id` is the last reading that found it; `gone` when a later one, of a whole file, did not.
    """

    __tablename__ = "difference"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    city_id: Mapped[int] = mapped_column(Integer)
    reconciliation_id: Mapped[UUID] = mapped_column(ForeignKey("reconciliation.id", name="fk_difference_reconciliation_id"))
    item: Mapped[str]
    day: Mapped[dt.date] = mapped_column(Date)
    kind: Mapped[str]
    number: Mapped[str]
    ours_fen: Mapped[int | None]
    theirs_fen: Mapped[int | None]
    company_number: Mapped[str | None]
    note: Mapped[str]
    state: Mapped[str]
    remedy: Mapped[str | None]
    reason: Mapped[str] = mapped_column(server_default=text("''"))
    proposed_by: Mapped[UUID | None]
    proposed_at: Mapped[dt.datetime | None]
    approved_by: Mapped[UUID | None]
    approved_at: Mapped[dt.datetime | None]
    transfer_id: Mapped[UUID | None]
    __table_args__ = (
        UniqueConstraint("city_id", "item", "day", "kind", "number"),
        CheckConstraint("kind IN ('missing', 'extra', 'differ', 'damaged')", name="kind"),
        CheckConstraint("state IN ('open', 'proposed', 'repaired', 'gone')", name="state"),
        CheckConstraint("remedy IN ('give_back', 'adjust', 'accept', 'void', 'note')", name="remedy"),
        CheckConstraint("(state IN ('open', 'gone')) = (proposed_by IS NULL)", name="proposed"),
        CheckConstraint("(state = 'repaired') = (approved_by IS NOT NULL)", name="approved"),
        CheckConstraint("approved_by <> proposed_by", name="two_people"),
        Index("ix_difference_city_id", "city_id", "id"),
    )
