"""Room for the transfers of the months to come."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import text

from core import clock, db, jobs

MONTHS_AHEAD = 13


@jobs.every("payments:ledger:keep_months", daily_at=dt.time(2, 20))
def keep_months() -> None:
    """See that every month from the last one to a year ahead has its partition; also called when the city's clock is moved."""
    with db.transaction():
        add_months(clock.now())


def add_months(now: dt.datetime) -> int:
    """Make the partitions that are missing around a moment, in the current transaction; returns how many."""
    made = db.session().execute(text(_ADD), {"now": now, "ahead": MONTHS_AHEAD})
    return int(made.scalar_one())


_ADD = """
SELECT count(*) FILTER (WHERE ledger_add_month(month::date))
  FROM date_trunc('month', CAST(:now AS timestamptz) AT TIME ZONE 'UTC') AS this,
       generate_series(this - interval '1 month', this + make_interval(months => :ahead), interval '1 month') AS month
"""
