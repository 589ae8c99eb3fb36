"""The history of a card: every step numbered, told to the audit log and to the outbox in the same transaction (F18)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import select

from cards.models import Card, CardEvent
from core import audit, clock, ids, outbox
from core.actors import Actor
from core.db import session
from core.paging import Page, page
from core.vocabulary import AuditEvent, Event


def write(
    actor: Actor,
    card: Card,
    happened: AuditEvent,
    told: Event,
    *,
    before: str | None,
    reason: str | None = None,
    facts: dict[str, Any] | None = None,
) -> None:
    """Write the step that made the card what it is now; ``facts`` hold no personal data."""
    facts = facts or {}
    session().add(
        CardEvent(
            card_id=card.id,
            ordinal=card.version,
            id=ids.new_id(),
            city_id=card.city_id,
            resident_id=card.resident_id,
            event=str(happened),
            state_before=before,
            state_after=card.state,
            actor_kind=str(actor.kind),
            actor_id=actor.id,
            reason=reason,
            facts=facts,
            occurred_at=clock.now(),
        )
    )
    subject = ids.show("card", card.id)
    audit.record(actor, happened, city_id=card.city_id, subject=subject, resident_id=card.resident_id, detail=facts)
    outbox.emit(
        told,
        city_id=card.city_id,
        subject=subject,
        payload={"card_id": str(card.id), "resident_id": str(card.resident_id), "step": str(happened), "state": card.state, **facts},
    )


def of(card_id: UUID, *, cursor: str | None = None, limit: int = 50) -> Page:
    """The steps of a card, the first one first."""
    return page(select(CardEvent).where(CardEvent.card_id == card_id), CardEvent.ordinal, cursor=cursor, limit=limit, descending=False)
