"""The outbox: facts written in the transaction that makes them true, told to listeners after it, in order per subject (D32).

A listener runs in a transaction of its own that also moves its cursor, so that what it does in the database happens once; what it does
outside happens at least once. A fact that fails is parked with its subject and tried again, later and later, while others go on; when it
succeeds, the facts behind it follow at once. Facts that every listener has passed are forgotten after a month.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import text

from core import clock, db, ids, jobs
from core.vocabulary import Event

log = structlog.get_logger("outbox")
BATCH = 200
STRIDE = 5_000  # transactions of nothing but others' facts after which a cursor follows: what lies behind it is read at every look
KEPT = dt.timedelta(days=31)
FORGOTTEN_AT_ONCE = 5_000
LAST = 2**63 - 1  # behind every fact of a transaction
# A listener without a cursor has heard nothing yet.
_FORGET = (
    "DELETE FROM outbox o WHERE o.seq = ANY(:old)"
    " AND NOT EXISTS (SELECT FROM outbox_parked p WHERE p.seq = o.seq)"
    " AND (SELECT count(*) FROM outbox_cursor c WHERE c.listener = ANY(:listeners) AND (o.txid, o.seq) <= (c.txid, c.seq)) = :count"
)
FIRST_PAUSE, LONGEST_PAUSE = 2, 3600


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that happened: ``event`` to ``subject`` (a shown id), with its ``payload``."""

    seq: int
    id: UUID
    city_id: int
    event: Event
    subject: str
    payload: dict[str, Any]
    occurred_at: dt.datetime


Listener = Callable[[Fact], None]
_listeners: dict[str, tuple[frozenset[Event], Listener]] = {}


def emit(event: Event, *, city_id: int, subject: str, payload: dict[str, Any]) -> None:
    """Write a fact in the current transaction; ``payload`` holds ids and amounts, no personal data."""
    db.session().execute(
        text(
            "INSERT INTO outbox (id, city_id, event, subject, payload, occurred_at)"
            " VALUES (:id, :city, :event, :subject, CAST(:payload AS jsonb), :at)"
        ),
        {
            "id": ids.new_id(),
            "city": city_id,
            "event": str(event),
            "subject": subject,
            "payload": json.dumps(payload, ensure_ascii=False, default=str),
            "at": clock.now(),
        },
    )


def listens(*events: Event) -> Callable[[Listener], Listener]:
    """Tell this function of these events; its name is the name of its cursor."""

    def register(listener: Listener) -> Listener:
        _listeners[f"{listener.__module__}.{listener.__qualname__}"] = (frozenset(events), listener)
        return listener

    return register


def deliver() -> int:
    """Tell every listener what it has not heard yet; returns how many facts were handled. Needs an application context."""
    return sum(_deliver_to(name, events, listener) for name, (events, listener) in _listeners.items())


def drain() -> None:
    """Deliver until nothing is left: for tests and for commands that advance the clock."""
    while deliver():
        pass


@jobs.every("core:outbox:forget", daily_at=dt.time(3, 20))
def forget() -> None:
    """Delete the facts that are older than a month, passed by every listener and parked for none."""
    behind, seen = clock.now() - KEPT, 0
    while True:
        with db.transaction() as session:
            window = session.execute(
                text("SELECT seq, occurred_at < :behind AS old FROM outbox WHERE seq > :seen ORDER BY seq LIMIT :most"),
                {"behind": behind, "seen": seen, "most": FORGOTTEN_AT_ONCE},
            ).all()
            old = [row.seq for row in window if row.old]
            if not old:
                return
            session.execute(text(_FORGET), {"listeners": list(_listeners), "count": len(_listeners), "old": old})
        seen = window[-1].seq


def _deliver_to(name: str, events: frozenset[Event], listener: Listener) -> int:
    handled = _retry_parked(name, listener)
    facts, horizon = _next_facts(name, events)
    for fact, txid in facts:
        _handle(name, listener, fact, txid)
        handled += 1
    if len(facts) < BATCH:
        _follow(name, horizon)
    return handled


def _next_facts(name: str, events: frozenset[Event]) -> tuple[list[tuple[Fact, int]], int]:
    """What was committed since the cursor, and the first transaction that may still be open: its facts, and all later ones, are left.

    Only transactions below that horizon count, so none is skipped that commits late.
    """
    with db.transaction() as session:
        session.execute(text("INSERT INTO outbox_cursor (listener, txid, seq) VALUES (:name, 0, 0) ON CONFLICT DO NOTHING"), {"name": name})
        horizon = session.execute(text("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")).scalar_one()
        rows = session.execute(
            text(
                "SELECT o.seq, o.id, o.city_id, o.event, o.subject, o.payload, o.occurred_at, o.txid FROM outbox o, outbox_cursor c"
                " WHERE c.listener = :name AND (o.txid, o.seq) > (c.txid, c.seq)"
                " AND o.txid < :horizon AND o.event = ANY(:events) ORDER BY o.txid, o.seq LIMIT :batch"
            ),
            {"name": name, "horizon": horizon, "events": [str(e) for e in events], "batch": BATCH},
        ).all()
    return [(_fact(row), row.txid) for row in rows], horizon


def _follow(name: str, horizon: int) -> None:
    """Bring a cursor up to what was looked through, once that is far ahead of it: all that it should hear below it was handled."""
    with db.transaction() as session:
        session.execute(
            text("UPDATE outbox_cursor SET txid = :passed, seq = :last WHERE listener = :name AND txid < :passed - :stride"),
            {"passed": horizon - 1, "last": LAST, "name": name, "stride": STRIDE},
        )


def _handle(name: str, listener: Listener, fact: Fact, txid: int) -> None:
    try:
        with db.transaction():
            if not _move(name, fact, txid):
                return
            if _is_parked(name, fact.subject):
                _park(name, fact, attempts=0, why="behind an earlier one")
            else:
                listener(fact)
    except Exception as fault:  # noqa: BLE001  # whatever a listener raises, the fact is kept and the others go on
        log.warning("fact_parked", listener=name, about=str(fact.event), seq=fact.seq, fault=type(fault).__name__)
        with db.transaction():
            if _move(name, fact, txid):
                _park(name, fact, attempts=1, why=type(fault).__name__)


def _move(name: str, fact: Fact, txid: int) -> bool:
    """Take a fact for its listener: the cursor's row is the lock, and who comes second finds it moved, also after another's failure."""
    moved = db.session().execute(
        text("UPDATE outbox_cursor SET txid = :txid, seq = :seq WHERE listener = :name AND (txid, seq) < (:txid, :seq)"),
        {"txid": txid, "seq": fact.seq, "name": name},
    )
    return bool(moved.rowcount)  # type: ignore[attr-defined]  # CursorResult at run time


def _is_parked(name: str, subject: str) -> bool:
    known = text("SELECT 1 FROM outbox_parked WHERE listener = :n AND subject = :s LIMIT 1")
    return db.session().execute(known, {"n": name, "s": subject}).first() is not None


def _park(name: str, fact: Fact, *, attempts: int, why: str) -> None:
    db.session().execute(
        text("INSERT INTO outbox_parked (listener, seq, subject, attempts, next_at, why) VALUES (:n, :seq, :s, :a, :at, :why)"),
        {"n": name, "seq": fact.seq, "s": fact.subject, "a": attempts, "at": clock.now() + _pause(attempts), "why": why},
    )


def _pause(attempts: int) -> dt.timedelta:
    return dt.timedelta(seconds=min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(attempts, 12)) if attempts else 0)


def _retry_parked(name: str, listener: Listener) -> int:
    """Try again the oldest parked fact of each subject whose time has come, and after a success the ones behind it."""
    tried = 0
    for subject in _parked_subjects(name):
        while (row := _oldest_parked(name, subject)) is not None and row.next_at <= clock.now():
            tried += 1
            if not _retry(name, listener, row):
                break
    return tried


def _parked_subjects(name: str) -> list[str]:
    """The subjects that wait longest for their next try."""
    with db.transaction() as session:
        due = text(
            "SELECT subject FROM"
            " (SELECT DISTINCT ON (subject) subject, next_at FROM outbox_parked WHERE listener = :n ORDER BY subject, seq) AS oldest"
            " WHERE next_at <= :now ORDER BY next_at LIMIT :batch"
        )
        return list(session.execute(due, {"n": name, "now": clock.now(), "batch": BATCH}).scalars())


def _oldest_parked(name: str, subject: str) -> Any:
    with db.transaction() as session:
        return session.execute(
            text(
                "SELECT o.seq, o.id, o.city_id, o.event, o.subject, o.payload, o.occurred_at, p.attempts, p.next_at"
                " FROM outbox_parked p JOIN outbox o USING (seq) WHERE p.listener = :n AND p.subject = :s ORDER BY p.seq LIMIT 1"
            ),
            {"n": name, "s": subject},
        ).first()


def _retry(name: str, listener: Listener, row: Any) -> bool:
    fact = _fact(row)
    try:
        with db.transaction() as session:
            gone = session.execute(text("DELETE FROM outbox_parked WHERE listener = :n AND seq = :seq"), {"n": name, "seq": fact.seq})
            if gone.rowcount:  # type: ignore[attr-defined]  # CursorResult at run time
                listener(fact)
    except Exception as fault:  # noqa: BLE001  # it stays parked; the pause grows
        log.warning("fact_failed_again", listener=name, seq=fact.seq, attempts=row.attempts + 1, fault=type(fault).__name__)
        with db.transaction() as session:
            attempts = row.attempts + 1
            session.execute(
                # Not written anew: another worker may have told it meanwhile.
                text("UPDATE outbox_parked SET attempts = :a, next_at = :at, why = :why WHERE listener = :n AND seq = :seq"),
                {"a": attempts, "at": clock.now() + _pause(attempts), "why": type(fault).__name__, "n": name, "seq": fact.seq},
            )
        return False
    return True


def _fact(row: Any) -> Fact:
    return Fact(row.seq, row.id, row.city_id, Event(row.event), row.subject, row.payload, row.occurred_at)
