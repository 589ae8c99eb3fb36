"""The sealer: once a second, chains the rows that were committed since and signs the new head (D10).

A row carries its own hash from the moment it is written. The sealer takes whole transactions below the snapshot's horizon, in order of
(transaction, id), so that every row is sealed exactly once whatever order they committed in. Between a commit and its seal (about a
second) an edit by a superuser would go unnoticed; after it, any changed, added or missing row breaks the chain.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import text

from core import clock, crypto, db

GENESIS = bytes(32)
BATCH = 20_000


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


def verify(name: str) -> list[Break]:
    """Recompute a chain from the rows as they are now; an empty list means that nothing was changed, added or removed."""
    chain, breaks, previous = _chains[name], [], GENESIS
    with db.transaction() as session:
        seals = session.execute(text("SELECT * FROM seal WHERE chain = :c ORDER BY number"), {"c": name}).all()
        for expected, seal in enumerate(seals, start=1):
            rows = session.execute(
                text(
                    f"SELECT {chain.kept} AS kept, {chain.true} AS true FROM {chain.table} t"  # noqa: S608  # names are ours
                    " WHERE txid > :a AND txid <= :b ORDER BY txid, id"
                ),
                {"a": seal.from_txid, "b": seal.to_txid},
            ).all()
            why = None
            if seal.number != expected or bytes(seal.previous) != previous:
                why = "link"
            elif any(bytes(row.kept) != bytes(row.true) for row in rows):
                why = "row"
            elif len(rows) != seal.rows or link(previous, (bytes(row.kept) for row in rows)) != bytes(seal.hash):
                why = "rows"
            elif not crypto.verify("seal", seal.kid, bytes(seal.hash), bytes(seal.signature)):
                why = "signature"
            if why:
                breaks.append(Break(name, seal.number, why))
            previous = bytes(seal.hash)
    return breaks


def chains() -> tuple[str, ...]:
    """The names of the tables under seal."""
    return tuple(_chains)
