"""What a resident was told."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

from sqlalchemy import Index, Integer
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base


class NoticeRow(Base):
    """One message to one resident: a kind with its facts, worded when it is read."""

    __tablename__ = "notice"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    city_id: Mapped[int] = mapped_column(Integer)
    resident_id: Mapped[UUID]
    fact_id: Mapped[UUID] = mapped_column(unique=True)
    kind: Mapped[str]
    facts: Mapped[dict[str, Any]]
    created_at: Mapped[dt.datetime]
    read_at: Mapped[dt.datetime | None]
    sms_sent_at: Mapped[dt.datetime | None]
    __table_args__ = (Index("ix_notice_resident_id", "resident_id", "id"),)
