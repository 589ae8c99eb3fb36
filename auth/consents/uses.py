"""Every use of a resident's data, for the resident to read: who looked, when, for what, and at which fields."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from auth.models import Terminal
from auth.partners.models import Partner
from core.actors import Actor, ActorKind
from core.db import session
from core.models import DataUse
from core.paging import Page, page


@dataclass(frozen=True, slots=True)
class Use:
    """One look at a resident's data."""

    id: UUID
    at: datetime
    by: str
    by_name: str | None
    purpose: str
    fields: list[str]


def of_resident(actor: Actor, *, cursor: str | None, limit: int) -> Page:
    """Who looked at the caller's data, newest first; a staff member is named by office, not by person."""
    found = page(select(DataUse).where(DataUse.resident_id == actor.id), DataUse.id, cursor=cursor, limit=limit)
    names = _names(found.items)
    items = [Use(row.id, row.at, row.actor_kind, names.get(row.actor_id), row.purpose, list(row.fields)) for row in found.items]
    return Page(items, found.next_cursor)


def _names(rows: Iterable[DataUse]) -> dict[UUID, str]:
    kinds: dict[str, set[UUID]] = {}
    for row in rows:
        kinds.setdefault(row.actor_kind, set()).add(row.actor_id)
    wanted: list[Any] = [
        select(Partner.id, Partner.zh).where(Partner.id.in_(kinds.get(ActorKind.PARTNER, set()))),
        select(Terminal.id, Terminal.name).where(Terminal.id.in_(kinds.get(ActorKind.TERMINAL, set()))),
    ]
    return {identity: name for each in wanted for identity, name in session().execute(each)}
