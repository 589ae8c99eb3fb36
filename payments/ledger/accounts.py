"""Opening accounts and reading what the books say about them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Row, text

from core import ids
from core.db import session
from core.errors import NotFound


class AccountKind(StrEnum):
    """The kinds of accounts. Money enters and leaves the city through those without a floor."""

    WALLET = "wallet"
    MERCHANT = "merchant"
    CLEARING = "clearing"
    BANK = "bank"
    REVENUE = "revenue"
    SUBSIDY = "subsidy"
    SUSPENSE = "suspense"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of an account's statement: amount and balance in fen, ``number`` counts the account's entries from 1."""

    number: int
    transfer_id: UUID
    kind: str
    amount_fen: int
    balance_fen: int
    other_account: UUID
    reference: UUID | None
    occurred_at: dt.datetime
    recorded_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Recorded:
    """A transfer as it stands in the books."""

    id: UUID
    city_id: int
    kind: str
    debit: UUID
    credit: UUID
    amount_fen: int
    reference: UUID | None
    reverses: UUID | None
    occurred_at: dt.datetime
    recorded_at: dt.datetime


def open_account(account_id: UUID, *, city_id: int, kind: str, owner_id: UUID | None = None, credit_line_fen: int = 0) -> UUID:
    """Open an empty account in the current transaction; opening it again with the same content is no error.

    Only a merchant may have a credit line, for refunds: its balance may fall that far below zero.
    """
    opened = session().execute(
        text("SELECT ledger_open(:id, :city, :kind, :owner, :line)"),
        {"id": account_id, "city": city_id, "kind": str(AccountKind(kind)), "owner": owner_id, "line": credit_line_fen},
    )
    return UUID(str(opened.scalar_one()))


def balance(account_id: UUID) -> int:
    """What the platform owes the account's owner now, in fen; NotFound for an unknown account."""
    found = session().execute(text("SELECT balance FROM account WHERE id = :id"), {"id": account_id}).scalar()
    if found is None:
        raise NotFound()
    return int(found)


def balance_at(account_id: UUID, moment: dt.datetime) -> int:
    """The balance after the last entry recorded at or before a moment, in fen: read from that entry, never summed."""
    balance(account_id)
    # Ids are made before they are recorded, so later months need not be looked into.
    latest = ids.floor_id(moment + dt.timedelta(days=1))
    where = text(_ENTRIES.format("e.recorded_at <= :moment AND e.id < :latest", 1))
    last = session().execute(where, {"account": account_id, "moment": moment, "latest": latest}).first()
    return 0 if last is None else int(last.balance_fen)


def statement(account_id: UUID, *, before: int | None = None, limit: int = 50) -> list[Entry]:
    """Entries of an account, newest first; ``before`` is the number of the last entry of the page before."""
    where = "e.number < :before" if before is not None else "true"
    rows = session().execute(text(_ENTRIES.format(where, min(limit, 500))), {"account": account_id, "before": before})
    return [_entry(row) for row in rows]


def transfer(transfer_id: UUID) -> Recorded:
    """A transfer by its id; NotFound for an unknown one."""
    row = session().execute(text(_TRANSFER), {"id": transfer_id}).first()
    if row is None:
        raise NotFound()
    return Recorded(*row)


# Both sides by their index, each already in the order of the account's entries, so that a page costs what it shows.
_ENTRIES = """
SELECT * FROM (
  SELECT debit_entry AS number, id, kind, -amount_fen AS amount_fen, debit_balance_after AS balance_fen, credit_account AS other,
         reference, occurred_at, recorded_at FROM transfer WHERE debit_account = :account
  UNION ALL
  SELECT credit_entry, id, kind, amount_fen, credit_balance_after, debit_account, reference, occurred_at, recorded_at
    FROM transfer WHERE credit_account = :account
) AS e WHERE {0} ORDER BY e.number DESC LIMIT {1}
"""
_TRANSFER = """
SELECT id, city_id, kind, debit_account, credit_account, amount_fen, reference, reverses, occurred_at, recorded_at
  FROM transfer WHERE id = :id
"""


def _entry(row: Row[tuple[object, ...]]) -> Entry:
    return Entry(
        number=row.number,
        transfer_id=row.id,
        kind=row.kind,
        amount_fen=row.amount_fen,
        balance_fen=row.balance_fen,
        other_account=row.other,
        reference=row.reference,
        occurred_at=row.occurred_at,
        recorded_at=row.recorded_at,
    )
