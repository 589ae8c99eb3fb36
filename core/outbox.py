"""The outbox: facts written in the transaction that makes them true, told to listeners after it, in order per subject (D32).

A listener runs in a transaction of its own that also moves its cursor, so that what it does in the database happens once; what it does
outside happens at least once. A fact that fails is parked with its subject and tried again, later and later, while others go on.
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

from core import clock, db, ids
from core.vocabulary import Event

log = structlog.get_logger("outbox")
BATCH = 200
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


def _deliver_to(name: str, events: frozenset[Event], listener: Listener) -> int:
    handled = _retry_parked(name, listener)
    for fact, txid in _next_facts(name, events):
        _handle(name, listener, fact, txid)
        handled += 1
    return handled


def _next_facts(name: str, events: frozenset[Event]) -> list[tuple[Fact, int]]:
    """What was committed since the cursor. Only transactions below the snapshot's horizon count, so none is skipped that commits late."""
    with db.transaction() as session:
        session.execute(text("INSERT INTO outbox_cursor (listener, txid, seq) VALUES (:name, 0, 0) ON CONFLICT DO NOTHING"), {"name": name})
        rows = session.execute(
            text(
                "SELECT o.seq, o.id, o.city_id, o.event, o.subject, o.payload, o.occurred_at, o.txid FROM outbox o, outbox_cursor c"
                " WHERE c.listener = :name AND (o.txid, o.seq) > (c.txid, c.seq)"
                " AND o.txid < pg_snapshot_xmin(pg_current_snapshot())::text::bigint AND o.event = ANY(:events)"
                " ORDER BY o.txid, o.seq LIMIT :batch"
            ),
            {"name": name, "events": [str(e) for e in events], "batch": BATCH},
        ).all()
    return [(_fact(row), row.txid) for row in rows]


def _handle(name: str, listener: Listener, fact: Fact, txid: int) -> None:
    try:
        with db.transaction() as session:
            # Two workers never tell one fact twice: the cursor row is the lock, and who comes second finds it moved.
            moved = session.execute(
                text("UPDATE outbox_cursor SET txid = :txid, seq = :seq WHERE listener = :name AND (txid, seq) < (:txid, :seq)"),
                {"txid": txid, "seq": fact.seq, "name": name},
            )
            if moved.rowcount == 0:  # type: ignore[attr-defined]  # CursorResult at run time
                return
            if _is_parked(name, fact.subject):
                _park(name, fact, attempts=0, why="behind an earlier one")
            else:
                listener(fact)
    except Exception as fault:  # noqa: BLE001  # whatever a listener raises, the fact is kept and the others go on
        log.warning("fact_parked", listener=name, about=str(fact.event), seq=fact.seq, fault=type(fault).__name__)
        with db.transaction() as session:
            session.execute(
                text("UPDATE outbox_cursor SET txid = :txid, seq = :seq WHERE listener = :name AND (txid, seq) < (:txid, :seq)"),
                {"txid": txid, "seq": fact.seq, "name": name},
            )
            _park(name, fact, attempts=1, why=type(fault).__name__)


def _is_parked(name: str, subject: str) -> bool:
    known = text("SELECT 1 FROM outbox_parked WHERE listener = :n AND subject = :s LIMIT 1")
    return db.session().execute(known, {"n": name, "s": subject}).first() is not None


def _park(name: str, fact: Fact, *, attempts: int, why: str) -> None:
    db.session().execute(
        text(
            "INSERT INTO outbox_parked (listener, seq, subject, attempts, next_at, why) VALUES (:n, :seq, :s, :a, :at, :why)"
            " ON CONFLICT (listener, seq) DO UPDATE SET attempts = :a, next_at = :at, why = :why"
        ),
        {"n": name, "seq": fact.seq, "s": fact.subject, "a": attempts, "at": clock.now() + _pause(attempts), "why": why},
    )


def _pause(attempts: int) -> dt.timedelta:
    return dt.timedelta(seconds=min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(attempts, 12)) if attempts else 0)


def _retry_parked(name: str, listener: Listener) -> int:
    """Try again the oldest parked fact of each subject whose time has come."""
    with db.transaction() as session:
        rows = session.execute(
            text(
                "SELECT DISTINCT ON (p.subject) o.seq, o.id, o.city_id, o.event, o.subject, o.payload, o.occurred_at, p.attempts, p.next_at"
                " FROM outbox_parked p JOIN outbox o USING (seq) WHERE p.listener = :n ORDER BY p.subject, p.seq LIMIT :batch"
            ),
            {"n": name, "batch": BATCH},
        ).all()
    due = [row for row in rows if row.next_at <= clock.now()]
    for row in due:
        fact = _fact(row)
        try:
            with db.transaction() as session:
                gone = session.execute(text("DELETE FROM outbox_parked WHERE listener = :n AND seq = :seq"), {"n": name, "seq": fact.seq})
                if gone.rowcount:  # type: ignore[attr-defined]  # CursorResult at run time
                    listener(fact)
        except Exception as fault:  # noqa: BLE001  # it stays parked; the pause grows
            log.warning("fact_failed_again", listener=name, seq=fact.seq, attempts=row.attempts + 1, fault=type(fault).__name__)
            with db.transaction():
                _park(name, fact, attempts=row.attempts + 1, why=type(fault).__name__)
    return len(due)


def _fact(row: Any) -> Fact:
    return Fact(row.seq, row.id, row.city_id, Event(row.event), row.subject, row.payload, row.occurred_at)
