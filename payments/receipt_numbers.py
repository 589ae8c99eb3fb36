"""Receipt numbers: city 6, day 6, running number 9, two check digits (ISO 7064 MOD 97-10)."""

from __future__ import annotations

from sqlalchemy import text

from core import clock
from core.db import session


def next_number(city_id: int) -> str:
    """The next receipt number of a city today, drawn in the current transaction; numbers may skip but never repeat."""
    drawn = session().execute(text("SELECT receipt_number(:city, :today)"), {"city": city_id, "today": clock.today()})
    return str(drawn.scalar_one())
