"""One key, one answer (D4): the row is written in the same commit as the work, a replay updates it, so that the replay's own commit
waits for the standby too and nobody is told of a payment that a failover then loses."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from psycopg import OperationalError as OperationalFault
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from core import clock, db, ids, jobs
from core.errors import InProgress, KeyMissing, KeyReused, Malformed, Unavailable

KEPT = dt.timedelta(days=30)
RUNNING = 0
# A request that calls outside and whose process died is taken over by a repetition after this time.
ABANDONED = dt.timedelta(seconds=30)
_FORM = re.compile(r"[\x21-\x7e]{8,128}")


class KeyMalformed(Malformed):
    code = "idempotency_key_malformed"
    zh, en = "Idempotency-Key 应为 8 到 128 个可见字符", "An Idempotency-Key is 8 to 128 visible ASCII characters"


@dataclass(frozen=True, slots=True)
class Once:
    """The right to do one thing once: whose key, and the hash of what was asked under it."""

    principal: UUID
    key: str
    body_hash: bytes


@dataclass(frozen=True, slots=True)
class Kept:
    """The answer given the first time: an HTTP status and a body, or a refusal's problem document."""

    status: int
    body: dict[str, Any] | None


def once(principal: UUID, key: str | None, *, method: str, path: str, body: bytes) -> Once:
    """The key of a request with what it stands for; raises KeyMissing or KeyMalformed."""
    if not key:
        raise KeyMissing()
    if not _FORM.fullmatch(key):
        raise KeyMalformed()
    return Once(principal, key, hashlib.sha256(b"\n".join((method.encode(), path.encode(), body))).digest())


def claim(once: Once) -> Kept | None:
    """Claim the key in the current transaction: None for the first, the kept answer for a repetition.

    Raises InProgress while the first is still running and KeyReused when something else was asked under this key.
    """
    session = db.session()
    try:
        with session.begin_nested():
            session.execute(text("SET LOCAL lock_timeout = '250ms'"))
            first = session.execute(
                text(
                    "INSERT INTO idempotency (principal, key, body_hash, status) VALUES (:p, :k, :h, 0) ON CONFLICT DO NOTHING RETURNING 1"
                ),
                {"p": once.principal, "k": once.key, "h": once.body_hash},
            ).first()
            session.execute(text("SET LOCAL lock_timeout = '3s'"))
    except OperationalError as fault:
        if "lock timeout" in str(fault.orig):
            raise InProgress() from fault
        raise
    return None if first else _replay(once)


def _replay(once: Once) -> Kept:
    row = (
        db.session()
        .execute(
            text("UPDATE idempotency SET replays = replays + 1 WHERE principal = :p AND key = :k RETURNING body_hash, status, answer"),
            {"p": once.principal, "k": once.key},
        )
        .one()
    )
    if bytes(row.body_hash) != once.body_hash:
        raise KeyReused()
    if row.status == RUNNING:
        raise InProgress()
    return Kept(row.status, row.answer)


def answered(once: Once) -> bool:
    """Whether this very request has an answer already: the same principal, key and content; asked outside any transaction."""
    asked = "SELECT FROM idempotency WHERE principal = %s AND key = %s AND body_hash = %s AND status > %s"
    try:
        return db.connection().execute(asked, (once.principal, once.key, once.body_hash, RUNNING)).fetchone() is not None
    except OperationalFault as fault:
        db.drop_connection()
        raise Unavailable() from fault


def keep(once: Once, kept: Kept) -> None:
    """Keep the answer in the current transaction, which also holds the work."""
    db.session().execute(
        text(
            "INSERT INTO idempotency (principal, key, body_hash, status, answer) VALUES (:p, :k, :h, :s, CAST(:a AS jsonb))"
            " ON CONFLICT (principal, key) DO UPDATE SET status = excluded.status, answer = excluded.answer WHERE idempotency.status = 0"
        ),
        {"p": once.principal, "k": once.key, "h": once.body_hash, "s": kept.status, "a": json.dumps(kept.body, ensure_ascii=False)},
    )


def claim_long(once: Once) -> tuple[UUID, Kept | None]:
    """Claim the key in a transaction of its own, for work that calls outside in between.

    Returns the id under which this work runs, the same for whoever takes an abandoned one over, and the kept answer of a repetition.
    """
    work_id = ids.new_id()
    with db.transaction() as session:
        row = session.execute(
            text(
                "INSERT INTO idempotency (principal, key, body_hash, status, answer) VALUES (:p, :k, :h, 0, CAST(:w AS jsonb))"
                " ON CONFLICT (principal, key) DO UPDATE SET replays = idempotency.replays + 1, created_at ="
                " CASE WHEN idempotency.status = 0 AND idempotency.created_at < :abandoned THEN city_now() ELSE idempotency.created_at END"
                " RETURNING body_hash, status, answer, created_at >= :now AS ours"
            ),
            {
                "p": once.principal,
                "k": once.key,
                "h": once.body_hash,
                "w": json.dumps({"work_id": str(work_id)}),
                "abandoned": clock.now() - ABANDONED,
                "now": session.execute(text("SELECT city_now()")).scalar_one(),
            },
        ).one()
    if bytes(row.body_hash) != once.body_hash:
        raise KeyReused()
    if row.status != RUNNING:
        return work_id, Kept(row.status, row.answer)
    if not row.ours:
        raise InProgress()
    return UUID(row.answer["work_id"]), None


def release(once: Once) -> None:
    """Free a claimed key whose work did not happen, so that the same key may be tried again."""
    with db.transaction() as session:
        session.execute(
            text("DELETE FROM idempotency WHERE principal = :p AND key = :k AND status = 0"), {"p": once.principal, "k": once.key}
        )


@jobs.every("core:idempotency:forget", daily_at=dt.time(3, 10))
def forget_old() -> None:
    """Forget answers older than the time in which a repetition is promised the first answer, and windows of limits that are over."""
    with db.transaction() as session:
        session.execute(text("DELETE FROM idempotency WHERE created_at < :t"), {"t": clock.now() - KEPT})
        session.execute(text("DELETE FROM limit_counter WHERE expires_at < :t"), {"t": clock.now()})
        session.execute(text("DELETE FROM revocation WHERE expires_at < :t"), {"t": clock.now() - dt.timedelta(hours=1)})
