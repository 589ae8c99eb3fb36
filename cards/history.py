"""The history of a card: every step numbered, told to the audit log and to the outbox in the same transaction (F18)."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select

from cards.models import Card, CardEvent
from core import audit, clock, ids, outbox
from core.actors import Actor
from core.db import session
from core.paging import Page, page
from core.vocabulary import AuditEvent, Event

_REPORTED: Final = str(AuditEvent.CARD_LOST)
_ENDED: Final = {str(AuditEvent.CARD_FOUND): True, str(AuditEvent.CARD_LOSS_LAPSED): False}


@dataclass(frozen=True, slots=True)
class Loss:
    """One report of loss, however often it was repeated or confirmed: since when, until when, and whether its holder took it back.

    One that stands, or that went with its card, has no end.
    """

    since: dt.datetime
    until: dt.datetime | None = None
    taken_back: bool = False

    @property
    def lapsed(self) -> bool:
        """Whether it ended by itself, and its card lives on."""
        return self.until is not None and not self.taken_back


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


def losses_of(card_ids: Iterable[UUID]) -> dict[UUID, list[Loss]]:
    """The reports of loss of some cards, each card's first one first."""
    told = CardEvent.card_id.in_(set(card_ids)), CardEvent.event.in_((_REPORTED, *_ENDED))
    steps = select(CardEvent.card_id, CardEvent.event, CardEvent.occurred_at).where(*told)
    found: dict[UUID, list[Loss]] = defaultdict(list)
    for card_id, event, at in session().execute(steps.order_by(CardEvent.card_id, CardEvent.ordinal)):
        losses = found[card_id]
        stands = bool(losses) and losses[-1].until is None
        if event == _REPORTED and not stands:
            losses.append(Loss(at))
        elif event != _REPORTED and stands:
            losses[-1] = replace(losses[-1], until=at, taken_back=_ENDED[event])
    return found
