"""The tables of working days: how single days differ from the week, and the week's hours."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import CheckConstraint, Integer, SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base


class CalendarDay(Base):
    """A public holiday, a make-up working day or a local day off; one only `expected` gives way to the year's notice."""

    __tablename__ = "calendar_day"
    city_id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    day: Mapped[dt.date] = mapped_column(primary_key=True)
    working: Mapped[bool]
    note: Mapped[str]
    expected: Mapped[bool] = mapped_column(server_default=text("false"))


class WorkingTime(Base):
    """One span of office hours on a weekday, Monday being 0, in the city's own time."""

    __tablename__ = "working_time"
    city_id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    weekday: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    opens: Mapped[dt.time] = mapped_column(primary_key=True)
    closes: Mapped[dt.time]
    __table_args__ = (
        CheckConstraint("weekday BETWEEN 0 AND 6", name="weekday"),
        CheckConstraint("opens < closes", name="forward"),
    )
