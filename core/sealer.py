"""The sealer: once a second, chains the rows that were committed since and signs the new head (D10).

A row carries its own hash from the moment it is written. The sealer takes whole transactions below the snapshot's horizon, in order of
(transaction, id), so that every row is sealed exactly once whatever order they committed in. Between a commit and its seal (about a
second) an edit by a superuser would go unnoticed; after it, any changed, added or missing row breaks the chain.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Row, text

from core import clock, crypto, db

GENESIS = bytes(32)
BATCH = 20_000
# So many links, or about so many rows under them, are read at once when a chain is checked.
LINKS = 5_000
ROWS = 50_000


@dataclass(frozen=True, slots=True)
class Chain:
    """A table under seal: its name and the SQL expressions of the hash a row carries and of the hash its content gives now."""

    name: str
    table: str
    kept: str
    true: str


@dataclass(frozen=True, slots=True)
class Break:
    """Where a chain does not hold: the link's number and why (``row``, ``rows``, ``link`` or ``signature``)."""

    chain: str
    number: int
    why: str


AUDIT = Chain("audit", "audit", "row_hash", "audit_row_hash(t)")
_chains: dict[str, Chain] = {AUDIT.name: AUDIT}


def add(chain: Chain) -> None:
    """Put another append-only table under seal."""
    _chains[chain.name] = chain


def seal_all() -> int:
    """Seal what is not sealed yet in every chain; returns the number of rows. Needs an application context."""
    return sum(_seal(chain) for chain in _chains.values())


def _seal(chain: Chain) -> int:
    with db.transaction() as session:
        # One sealer at a time: a second one would fork the chain.
        if not session.execute(text("SELECT pg_try_advisory_xact_lock(hashtext(:name))"), {"name": f"seal:{chain.name}"}).scalar():
            return 0
        last = session.execute(
            text("SELECT number, to_txid, hash FROM seal WHERE chain = :c ORDER BY number DESC LIMIT 1"), {"c": chain.name}
        ).first()
        number, after, previous = (last.number + 1, last.to_txid, bytes(last.hash)) if last else (1, 0, GENESIS)
        horizon = session.execute(text("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")).scalar_one()
        rows = session.execute(
            text(
                f"SELECT {chain.kept} AS kept, txid FROM {chain.table} t WHERE txid > :after AND txid < :horizon"  # noqa: S608  # names are ours
                " ORDER BY txid, id LIMIT :batch"
            ),
            {"after": after, "horizon": horizon, "batch": BATCH},
        ).all()
        if len(rows) == BATCH:
            # A transaction is sealed whole or not yet.
            rows = [row for row in rows if row.txid < rows[-1].txid] or rows
        if not rows:
            return 0
        head = link(previous, (bytes(row.kept) for row in rows))
        key = crypto.signing_key("seal")
        session.execute(
            text("INSERT INTO seal VALUES (:c, :n, :a, :b, :rows, :previous, :hash, :kid, :signature, :at)"),
            {
                "c": chain.name,
                "n": number,
                "a": after,
                "b": rows[-1].txid,
                "rows": len(rows),
                "previous": previous,
                "hash": head,
                "kid": key.kid,
                "signature": key.sign(head),
                "at": clock.now(),
            },
        )
    return len(rows)


def link(previous: bytes, rows: Iterable[bytes]) -> bytes:
    """The hash of a link: SHA-256 over the previous head and every row's hash in order."""
    digest = hashlib.sha256(previous)
    for row in rows:
        digest.update(row)
    return digest.digest()


@dataclass(slots=True)
class Checked:
    """What a check of a chain looked at (links, rows under them, rows that wait for their seal), and where the chain does not hold."""

    links: int = 0
    rows: int = 0
    unsealed: int = 0
    breaks: list[Break] = field(default_factory=list)


def verify(name: str) -> list[Break]:
    """Where a chain does not hold; an empty list means that nothing was changed, added or removed."""
    return check(name).breaks


def check(name: str) -> Checked:
    """Recompute a chain from the rows as they are now, some links a transaction and without a limit of time: it reads the whole table."""
    chain, checked, before = _chains[name], Checked(), _Link(0, 0, GENESIS)
    while True:
        with db.unhurried() as session:
            seals = session.execute(text(_NEXT_SEALS), {"c": name, "after": before.number, "most": LINKS, "rows": ROWS}).all()
            under = _rows_under(chain, seals)
            for seal, rows in zip(seals, under, strict=True):
                why = _fault(seal, rows, before, number=checked.links + 1)
                if why == "rows":
                    # Rows too many under an earlier link may have crowded out this one's: it is looked at alone.
                    why = _fault(seal, _rows_under(chain, [seal])[0], before, number=checked.links + 1)
                if why:
                    checked.breaks.append(Break(name, seal.number, why))
                checked.links, checked.rows = checked.links + 1, checked.rows + len(rows)
                before = _Link(seal.number, seal.to_txid, bytes(seal.hash))
            if not seals:
                waiting = text(f"SELECT count(*) FROM {chain.table} t WHERE txid > :after")  # noqa: S608  # names are ours
                checked.unsealed = session.execute(waiting, {"after": before.to_txid}).scalar_one()
                return checked


# The next links, as far as about so many rows lie under them; one at least, whatever lies under it.
_NEXT_SEALS = """
SELECT * FROM (SELECT s.*, sum(s.rows) OVER (ORDER BY s.number) - s.rows AS rows_before
                 FROM (SELECT * FROM seal WHERE chain = :c AND number > :after ORDER BY number LIMIT :most) AS s) AS counted
 WHERE rows_before < :rows ORDER BY number
"""


@dataclass(frozen=True, slots=True)
class _Link:
    number: int
    to_txid: int
    hash: bytes


def _rows_under(chain: Chain, seals: Sequence[Row[Any]]) -> list[Sequence[Row[Any]]]:
    """The rows under each of some links that follow one another, read at once, and at most one more than they say they cover."""
    if not seals:
        return []
    rows = (
        db.session()
        .execute(
            text(
                f"SELECT {chain.kept} AS kept, {chain.true} AS true, txid FROM {chain.table} t"  # noqa: S608  # names are ours
                " WHERE txid > :a AND txid <= :b ORDER BY txid, id LIMIT :most"
            ),
            {"a": seals[0].from_txid, "b": seals[-1].to_txid, "most": sum(seal.rows for seal in seals) + 1},
        )
        .all()
    )
    txids = [row.txid for row in rows]
    return [rows[bisect_right(txids, seal.from_txid) : bisect_right(txids, seal.to_txid)] for seal in seals]


def _fault(seal: Row[Any], rows: Sequence[Row[Any]], before: _Link, *, number: int) -> str | None:
    """Why a link does not hold, or None."""
    if seal.number != number or bytes(seal.previous) != before.hash or seal.from_txid != before.to_txid:
        return "link"
    if any(bytes(row.kept) != bytes(row.true) for row in rows):
        return "row"
    if len(rows) != seal.rows or link(before.hash, (bytes(row.kept) for row in rows)) != bytes(seal.hash):
        return "rows"
    return None if crypto.verify("seal", seal.kid, bytes(seal.hash), bytes(seal.signature)) else "signature"


def chains() -> tuple[str, ...]:
    """The names of the tables under seal."""
    return tuple(_chains)
