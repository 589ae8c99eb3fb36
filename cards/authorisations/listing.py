"""The hotlist: what a card that is refused at the centre must not do at gates without network either (F46).

A card's living authorisations go onto the list in the same transaction in which the card is refused, and come off it when the card is
well again. A version belongs to one change of a city; gates ask for what came after theirs.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import delete, func, insert, select, text
from sqlalchemy.dialects.postgresql import insert as upsert

from cards.authorisations.identities import identity
from cards.authorisations.models import AuthorisationBatch, HotlistAck, HotlistChange, HotlistVersion
from cards.models import Card
from cards.rules import why_refused
from citycode.hotlist import entry
from core import clock
from core.actors import Actor
from core.db import session
from core.errors import NotFound

# A change is kept this much longer than what it refuses, for gates whose clock is behind.
KEPT = dt.timedelta(days=1)


# What was said last of each entry after a version.
_LAST = text(
    "SELECT DISTINCT ON (entry) entry, listed FROM hotlist_change WHERE city_id = :city AND version > :since AND version <= :version"
    " AND expires_at > :now ORDER BY entry, version DESC"
)


@dataclass(frozen=True, slots=True)
class Changes:
    """What a gate does to its list; ``full`` if ``added`` is the whole of it."""

    city_id: int
    version: int
    full: bool
    made_at: dt.datetime
    added: list[bytes]
    removed: list[bytes]


def follow(card: Card) -> None:
    """Bring the list to what the card is now, in the current transaction, which has locked the card."""
    refused = why_refused(card, clock.now(), clock.today()) is not None
    changed = [batch for batch in _living(AuthorisationBatch.card_id == card.id) if (batch.listed_at is not None) != refused]
    _set(card.city_id, [batch for batch in changed if refused or batch.ended_at is None], listed=refused)


def end_device(device_id: UUID) -> int:
    """End what a phone fetched, for good; returns how many batches."""
    ended = [batch for batch in _living(AuthorisationBatch.device_id == device_id) if batch.ended_at is None]
    for batch in ended:
        batch.ended_at = clock.now()
    for city_id in {batch.city_id for batch in ended}:
        _set(city_id, [batch for batch in ended if batch.city_id == city_id and batch.listed_at is None], listed=True)
    session().flush()
    return len(ended)


def changes(city_id: int, since: int) -> Changes:
    """What happened to a city's list after a version; the whole list for a gate that has none, or one of another world."""
    version = session().scalar(select(HotlistVersion.version).where(HotlistVersion.city_id == city_id)) or 0
    full = since == 0 or since > version
    wanted = {"city": city_id, "since": 0 if full else since, "version": version, "now": clock.now()}
    rows = session().execute(_LAST, wanted).all()
    added = [bytes(row.entry) for row in rows if row.listed]
    removed = [] if full else [bytes(row.entry) for row in rows if not row.listed]
    return Changes(city_id, version, full, clock.now(), added, removed)


def acknowledge(actor: Actor, version: int) -> None:
    """Keep that a terminal has the list up to a version; NotFound for a version that there is not."""
    newest = session().scalar(select(HotlistVersion.version).where(HotlistVersion.city_id == actor.city_id)) or 0
    if version > newest:
        raise NotFound()
    row = upsert(HotlistAck).values(terminal_id=actor.id, city_id=actor.city_id, version=version, acknowledged_at=clock.now())
    later = {"version": row.excluded.version, "acknowledged_at": row.excluded.acknowledged_at}
    session().execute(row.on_conflict_do_update(index_elements=[HotlistAck.terminal_id], set_=later))


def acknowledged(terminal_id: UUID) -> dt.datetime | None:
    """When a terminal last said that it has the list."""
    return session().scalar(select(HotlistAck.acknowledged_at).where(HotlistAck.terminal_id == terminal_id))


def sweep() -> int:
    """Forget changes about authorisations that ended a day ago; returns how many."""
    gone = session().execute(delete(HotlistChange).where(HotlistChange.expires_at < clock.now() - KEPT))
    return int(gone.rowcount)  # type: ignore[attr-defined]  # a CursorResult at run time


def _living(whose: object) -> Sequence[AuthorisationBatch]:
    living = select(AuthorisationBatch).where(whose, AuthorisationBatch.expires_at > clock.now())  # type: ignore[arg-type]  # a comparison
    return session().scalars(living.order_by(AuthorisationBatch.number).with_for_update()).all()


def _set(city_id: int, batches: Iterable[AuthorisationBatch], *, listed: bool) -> None:
    batches = list(batches)
    if not batches:
        return
    version = _next_version(city_id)
    rows = []
    for batch in batches:
        batch.listed_at = clock.now() if listed else None
        entries = {entry(identity(batch.number, place)) for place in range(batch.size)}
        rows += [
            {"city_id": city_id, "version": version, "entry": each, "listed": listed, "expires_at": batch.expires_at} for each in entries
        ]
    # Two ids that share an entry are one line; the later end is the one that counts.
    single = {row["entry"]: row for row in sorted(rows, key=lambda row: row["expires_at"])}  # type: ignore[arg-type, return-value]  # a datetime
    session().execute(insert(HotlistChange), list(single.values()))
    session().flush()


def _next_version(city_id: int) -> int:
    """The next version; its row stays locked until the commit, so that no later version is seen before an earlier one."""
    first = upsert(HotlistVersion).values(city_id=city_id, version=1, changed_at=clock.now())
    following = {"version": HotlistVersion.version + 1, "changed_at": func.city_now()}
    made = first.on_conflict_do_update(index_elements=[HotlistVersion.city_id], set_=following).returning(HotlistVersion.version)
    return int(session().execute(made).scalar_one())
