"""Posting: transfers handed to ``ledger_post``, which alone may write them (D7)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from operator import attrgetter
from typing import Any
from uuid import UUID

import msgspec
import psycopg

from core import db
from core.arrays import pack_rows
from core.prepared import Prepared

# In the order of ledger_post's parameters.
_TYPES = ("uuid", "integer", "text", "uuid", "uuid", "bigint", "uuid", "uuid", "timestamptz")
_FIELDS = attrgetter("id", "city_id", "kind", "debit", "credit", "amount_fen", "reference", "reverses", "occurred_at")
_CALL = f"ledger_post({', '.join(f'${place}::{kind}[]' for place, kind in enumerate(_TYPES, start=1))})"
_ANSWER = "array_to_json(statuses), array_to_json(debit_balances), array_to_json(credit_balances), recorded"
_POST = Prepared("ledger_post", f"SELECT {_ANSWER} FROM {_CALL}", binary=True)  # noqa: S608  # names are ours


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """A movement of money to be posted: ``amount_fen`` from the account debited to the account credited.

    ``id`` is a new UUIDv7 and the key of the transfer: posting the same id with the same content again changes nothing.
    ``reference`` is what it was done for (a charge, a top-up); ``reverses`` the transfer that a reversal undoes.
    """

    id: UUID
    city_id: int
    kind: str
    debit: UUID
    credit: UUID
    amount_fen: int
    occurred_at: dt.datetime
    reference: UUID | None = None
    reverses: UUID | None = None


class Why(IntEnum):
    """Why ``ledger_post`` refused a transfer; the numbers are its own."""

    INSUFFICIENT = 1
    UNKNOWN_ACCOUNT = 2
    ALREADY_REVERSED = 3
    OTHER_CONTENT = 5
    NOT_A_TRANSFER = 6


@dataclass(frozen=True, slots=True)
class Posted:
    """A transfer that stands in the books, with both balances after it in fen; ``known`` if it stood there before this call."""

    id: UUID
    debit_balance: int
    credit_balance: int
    recorded_at: dt.datetime
    known: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """A transfer that the books do not take, and why; nothing of it was written."""

    id: UUID
    why: Why


def post(transfers: Sequence[Transfer]) -> list[Posted | Refused]:
    """Post transfers in the current transaction, each decided as if it had come alone; the answers are in the same order.

    Locks the accounts until the transaction ends: post last, and lock wallets before.
    """
    return post_on(db.raw(db.session().connection()), transfers)


def post_on(connection: psycopg.Connection[Any], transfers: Sequence[Transfer]) -> list[Posted | Refused]:
    """Post over a connection of the application's role; without a transaction of its own they are one commit."""
    if not transfers:
        return []
    ((*lists, said),) = _POST.run(connection, pack_rows(_TYPES, map(_FIELDS, transfers)))
    assert said is not None  # the function always answers
    recorded = dt.datetime.fromisoformat(said.decode())
    statuses, debits, credited = (msgspec.json.decode(each or b"[]") for each in lists)
    return [_outcome(*each, recorded) for each in zip(transfers, statuses, debits, credited, strict=True)]


def _outcome(transfer: Transfer, status: int, debit: int, credit: int, recorded: dt.datetime) -> Posted | Refused:
    if status in (0, 4):
        return Posted(transfer.id, debit, credit, recorded, known=status == 4)
    return Refused(transfer.id, Why(status))
