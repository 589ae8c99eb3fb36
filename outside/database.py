"""The outside world's own PostgreSQL database."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from psycopg import Connection
from psycopg.rows import dict_row
from psycopg_pool import ConnectionPool

Row = dict[str, Any]
Pool = ConnectionPool[Connection[Row]]

_SCHEMA = Path(__file__).with_name("schema.sql")
_LIMITS = "-c statement_timeout=5000 -c lock_timeout=3000 -c idle_in_transaction_session_timeout=10000 -c timezone=UTC"

# The start's own work keeps nobody waiting but itself, so the limits of a request do not hold for it.
UNHURRIED = "SET LOCAL statement_timeout = '10min'; SET LOCAL lock_timeout = '10min'"
STARTS_WITHIN = 120.0


def open_pool(url: str, *, connections: int = 10) -> Pool:
    """Connections that give rows as dicts; `with pool.connection()` is one transaction, committed at its end."""
    pool: Pool = ConnectionPool(
        url,
        min_size=1,
        max_size=connections,
        timeout=5,
        kwargs={"row_factory": dict_row, "options": _LIMITS, "connect_timeout": 5},
        open=True,
    )
    pool.wait(STARTS_WITHIN)
    return pool


def apply_schema(pool: Pool) -> None:
    """Make the tables that are missing; one starting process at a time."""
    with pool.connection() as connection:
        connection.execute(UNHURRIED)
        connection.execute("SELECT pg_advisory_xact_lock(7217)")
        connection.execute(_SCHEMA.read_bytes())
