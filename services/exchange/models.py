"""The tables of webhooks."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base


class WebhookEndpoint(Base):
    """An address at which a partner wants to be told of some events; two secrets while one is being replaced."""

    __tablename__ = "webhook_endpoint"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    city_id: Mapped[int] = mapped_column(Integer)
    partner_id: Mapped[UUID] = mapped_column(ForeignKey("partner.id"))
    url: Mapped[str]
    events: Mapped[list[str]]
    state: Mapped[str]
    note: Mapped[str | None]
    secret_sealed: Mapped[bytes]
    earlier_secret_sealed: Mapped[bytes | None]
    earlier_until: Mapped[dt.datetime | None]
    failing_since: Mapped[dt.datetime | None]
    created_at: Mapped[dt.datetime]
    __table_args__ = (
        UniqueConstraint("partner_id", "url", name="uq_webhook_endpoint_partner_id_url"),
        CheckConstraint("state IN ('active', 'disabled')", name="state"),
        CheckConstraint("(state = 'disabled') = (note IS NOT NULL)", name="note"),
        CheckConstraint("(earlier_secret_sealed IS NULL) = (earlier_until IS NULL)", name="earlier"),
    )


class WebhookDelivery(Base):
    """One event for one endpoint: what is sent, how often it was tried, and what came of it."""

    __tablename__ = "webhook_delivery"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    city_id: Mapped[int] = mapped_column(Integer)
    endpoint_id: Mapped[UUID] = mapped_column(ForeignKey("webhook_endpoint.id", ondelete="CASCADE"))
    fact_id: Mapped[UUID | None]
    event: Mapped[str]
    body: Mapped[dict[str, Any]]
    state: Mapped[str]
    attempts: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    next_at: Mapped[dt.datetime | None]
    last_at: Mapped[dt.datetime | None]
    last_status: Mapped[int | None] = mapped_column(Integer)
    last_fault: Mapped[str | None]
    created_at: Mapped[dt.datetime]
    __table_args__ = (
        UniqueConstraint("endpoint_id", "fact_id", name="uq_webhook_delivery_endpoint_id_fact_id"),
        CheckConstraint("state IN ('waiting', 'delivered', 'dead', 'dropped')", name="state"),
        CheckConstraint("(state = 'waiting') = (next_at IS NOT NULL)", name="next_at"),
        Index("ix_webhook_delivery_next_at", "next_at", postgresql_where=text("state = 'waiting'")),
        Index("ix_webhook_delivery_endpoint_id", "endpoint_id", "id"),
        Index("ix_webhook_delivery_created_at", "created_at"),
    )
