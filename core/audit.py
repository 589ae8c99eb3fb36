"""The audit log: who did what to which thing, with which outcome. Written in the transaction of the deed, never changed after.

The database stamps time and row hash itself (trigger ``audit_stamp``), refuses change and deletion, and the sealer chains the rows.
A refusal has no transaction left to write in, so ``refused`` writes its line in a short one of its own.
"""

from __future__ import annotations

import contextvars
import json
from typing import Any
from uuid import UUID

from sqlalchemy import text

from core import db, ids
from core.actors import Actor
from core.vocabulary import AuditEvent

# The request a line belongs to, so that one id leads from the caller's answer to every line it caused.
request_id: contextvars.ContextVar[UUID | None] = contextvars.ContextVar("request_id", default=None)

_INSERT = (
    "INSERT INTO audit (id, city_id, actor_kind, actor_id, event, subject, resident_id, outcome, detail, request_id)"
    " VALUES ({0}, {1}, {2}, {3}, {4}, {5}, {6}, {7}, CAST({8} AS jsonb), {9})"
)
_FIELDS = ("id", "city_id", "actor_kind", "actor_id", "event", "subject", "resident_id", "outcome", "detail", "request_id")
_NAMED = text(_INSERT.format(*(f":{field}" for field in _FIELDS)))
_PLACED = _INSERT.format(*("%s" for _ in _FIELDS))


def record(
    actor: Actor,
    event: AuditEvent,
    *,
    city_id: int,
    subject: str,
    resident_id: UUID | None = None,
    outcome: str = "done",
    detail: dict[str, Any] | None = None,
) -> None:
    """Write one line in the current transaction; ``subject`` is a shown id, ``detail`` holds no personal data."""
    values = _values(actor, event, city_id, subject, resident_id, outcome, detail)
    db.session().execute(_NAMED, dict(zip(_FIELDS, values, strict=True)))


def refused(
    actor: Actor,
    *,
    operation: str,
    code: str,
    detail: dict[str, Any] | None = None,
    event: AuditEvent = AuditEvent.REQUEST_REFUSED,
    resident_id: UUID | None = None,
) -> None:
    """Write the line of a refused request, in a transaction of its own; a hot path names its own event and whose thing it was."""
    values = _values(actor, event, actor.city_id, operation, resident_id, code, detail)
    db.connection().execute(_PLACED, values)


def data_use(actor: Actor, *, city_id: int, resident_id: UUID, purpose: str, fields: list[str]) -> None:
    """Write, in the current transaction, that ``actor`` saw these fields of a resident, for the resident to read."""
    db.session().execute(
        text(
            "INSERT INTO data_use (id, city_id, resident_id, actor_kind, actor_id, purpose, fields)"
            " VALUES (:id, :city, :resident, :kind, :actor, :purpose, :fields)"
        ),
        {
            "id": ids.new_id(),
            "city": city_id,
            "resident": resident_id,
            "kind": actor.kind,
            "actor": actor.id,
            "purpose": purpose,
            "fields": fields,
        },
    )


def _values(
    actor: Actor, event: AuditEvent, city_id: int, subject: str, resident_id: UUID | None, outcome: str, detail: dict[str, Any] | None
) -> tuple[Any, ...]:
    facts = json.dumps(detail or {}, ensure_ascii=False, default=str)
    return (ids.new_id(), city_id, str(actor.kind), actor.id, str(event), subject, resident_id, outcome, facts, request_id.get())
