"""What was switched off."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from sqlalchemy import Integer
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base


class ItemSwitch(Base):
    """Whether a city's item is switched off, by whom and why; no row is on."""

    __tablename__ = "item_switch"
    city_id: Mapped[int] = mapped_column(Integer, primary_key=True)
    item: Mapped[str] = mapped_column(primary_key=True)
    off: Mapped[bool]
    reason: Mapped[str]
    staff_id: Mapped[UUID]
    at: Mapped[dt.datetime]
