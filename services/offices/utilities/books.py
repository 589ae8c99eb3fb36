"""The office's books: who its customers are and what their meters said."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from psycopg import Connection

_TABLES = Path(__file__).with_name("tables.sql")

# A hundred thousand readings at the first start: on a busy machine more than what a request may take.
UNHURRIED = "SET LOCAL statement_timeout = '10min'; SET LOCAL lock_timeout = '10min'"


class Pool(Protocol):
    """Gives connections whose rows are dicts; the block is one transaction."""

    def connection(self) -> AbstractContextManager[Connection[dict[str, Any]]]: ...


@dataclass(frozen=True, slots=True)
class Customer:
    """A customer with a meter; `persons` live in the household."""

    company: str
    account: str
    owner: str
    address: str
    persons: int
    meter: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What a customer's meter showed on a day, in whole units since it was new."""

    company: str
    account: str
    read_on: dt.date
    value: int


def apply_tables(pool: Pool) -> None:
    """Make the tables that are missing; one starting process at a time."""
    with pool.connection() as connection:
        connection.execute(UNHURRIED)
        connection.execute("SELECT pg_advisory_xact_lock(7218)")
        connection.execute(_TABLES.read_bytes())


def enter(pool: Pool, customers: Iterable[Customer], readings: Iterable[Reading]) -> None:
    """Enter customers and readings; whoever is known already stays as they are."""
    with pool.connection() as connection, connection.cursor() as cursor:
        cursor.execute(UNHURRIED)
        cursor.execute("CREATE TEMP TABLE new_customer (LIKE utility_customer) ON COMMIT DROP")
        with cursor.copy("COPY new_customer (company, account, owner, address, persons, meter) FROM STDIN") as copy:
            for each in customers:
                copy.write_row((each.company, each.account, each.owner, each.address, each.persons, each.meter))
        cursor.execute("INSERT INTO utility_customer SELECT * FROM new_customer ON CONFLICT DO NOTHING")
        cursor.execute("CREATE TEMP TABLE new_reading (LIKE utility_reading) ON COMMIT DROP")
        with cursor.copy("COPY new_reading (company, account, read_on, value) FROM STDIN") as copy:
            for one in readings:
                copy.write_row((one.company, one.account, one.read_on, one.value))
        cursor.execute("INSERT INTO utility_reading SELECT * FROM new_reading ON CONFLICT DO NOTHING")


def last_readings(pool: Pool) -> dict[str, dt.date]:
    """The day of the newest reading of each company in the books."""
    with pool.connection() as connection:
        connection.execute(UNHURRIED)
        rows = connection.execute("SELECT company, max(read_on) AS day FROM utility_reading GROUP BY company").fetchall()
    return {row["company"]: row["day"] for row in rows}
