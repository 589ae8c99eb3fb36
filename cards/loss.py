"""Loss of a card: reported in one call, in force at once, lapsing by the product's rule unless formal, taken back by the holder alone."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

from sqlalchemy import select

from cards import proving
from cards.errors import CardStepForbidden, LossIsFormal, LossNotReported, NotTheHolder
from cards.lifecycle import cancel, held, take
from cards.models import Card
from cards.products import terms_of
from cards.rules import LIVE, Lapse, LossKind
from cards.viewing import CardView, view
from cards.wiring import wired
from core import clock, workdays
from core.actors import Actor, ActorKind
from core.db import session
from core.fields import rfc3339

_FOUND = {"lost_at": None, "loss_kind": None, "loss_lapses_at": None, "loss_lapse": None}


def report_loss(actor: Actor, card_id: UUID, *, kind: str = LossKind.TEMPORARY, reason: str | None = None) -> CardView:
    """Refuse the card everywhere from this commit on, because each use reads its row.

    Reporting again changes nothing, except that a formal report confirms a temporary one, so that it no longer lapses.
    """
    card = held(actor, card_id)
    if card.loss_kind in (LossKind.FORMAL, kind):
        return view(card)
    now = clock.now()
    lapses_at, lapse = _lapse(card, now) if kind == LossKind.TEMPORARY else (None, None)
    facts = {"kind": str(kind), "lapses_at": rfc3339(lapses_at) if lapses_at else None, "then": lapse}
    changes = {"lost_at": card.lost_at or now, "loss_kind": str(kind), "loss_lapses_at": lapses_at, "loss_lapse": lapse}
    return take(actor, card, "report_loss", reason=reason, facts=facts, **changes)


def report_everything_lost(actor: Actor) -> int:
    """Report every living card of the caller lost; returns how many are lost now, and shows nothing else of them.

    Whoever has nothing but the number of a stolen phone may do this: it stops the thief, and only its holder takes it back.
    """
    mine = select(Card.id).where(Card.resident_id == actor.id, Card.city_id == actor.city_id, Card.state.in_(LIVE))
    # In one order, so that two reports at once wait for each other instead of locking each other out.
    found = session().scalars(mine.order_by(Card.id)).all()
    for card_id in found:
        report_loss(actor, card_id)
    return len(found)


def take_back_loss(actor: Actor, card_id: UUID) -> CardView:
    """Bring the card back to life: by its holder alone, inside the period, before a replacement; what was taken since is theirs again.

    Whoever holds the phone and reads its messages is not yet the holder of the card: a face or a passkey must have been given just now,
    and a formal report is taken back at a counter alone (LossIsFormal).
    """
    card = held(actor, card_id)
    if actor.kind is not ActorKind.RESIDENT or actor.id != card.resident_id:
        raise NotTheHolder()
    if card.loss_kind == LossKind.FORMAL:
        raise LossIsFormal()
    if card.lost_at is not None:
        proving.need_fresh(actor)
    return _take_back(actor, card)


def take_back_at_counter(actor: Actor, card_id: UUID, holder: UUID, *, reader: str) -> CardView:
    """Bring the card of the person at the counter back to life, whatever the report was; NotTheHolder for another's chip."""
    card = held(actor, card_id)
    if card.resident_id != holder:
        raise NotTheHolder()
    return _take_back(actor, card, facts={"chip_reader": reader})


def _take_back(actor: Actor, card: Card, *, facts: dict[str, Any] | None = None) -> CardView:
    if card.lost_at is None:
        raise LossNotReported()
    if card.loss_lapse == Lapse.CANCEL and card.loss_lapses_at is not None and card.loss_lapses_at <= clock.now():
        raise CardStepForbidden(state=card.state, step="take_back_loss")
    found = take(actor, card, "take_back_loss", facts=facts, **_FOUND)
    for hook in wired().after_found:
        hook(actor, found)
    return found


def lapse_losses(actor: Actor, *, most: int = 500) -> int:
    """Release or cancel, in the current transaction, the cards whose temporary loss has run out; returns how many."""
    due = (
        session()
        .scalars(
            select(Card)
            .where(Card.loss_lapses_at <= clock.now(), Card.state.in_(("inactive", "active")))
            .order_by(Card.loss_lapses_at)
            .limit(most)
            .with_for_update(skip_locked=True)
        )
        .all()
    )
    for card in due:
        if card.loss_lapse == Lapse.CANCEL:
            cancel(actor, card, reason="loss_lapsed")
        else:
            take(actor, card, "release_loss", reason="loss_lapsed", **_FOUND)
    return len(due)


def _lapse(card: Card, now: dt.datetime) -> tuple[dt.datetime, str]:
    """When a temporary loss reported now runs out, and what then."""
    today = now.astimezone(clock.CHINA).date()
    terms = terms_of(card.city_id, card.product).loss(today)
    if not terms.working:
        return now + dt.timedelta(days=terms.days), str(terms.lapse)
    last = workdays.add_working_days(card.city_id, today, terms.days)
    return dt.datetime.combine(last + dt.timedelta(days=1), dt.time(), clock.CHINA).astimezone(dt.UTC), str(terms.lapse)
