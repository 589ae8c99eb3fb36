"""What brings a lost card's money back to a phone is asked of the person, not of the phone (threat 6)."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from sqlalchemy import select

import auth
from cards.models import Card
from cards.rules import LIVE
from core import clock
from core.actors import Actor
from core.db import session
from core.errors import StepUpNeeded

# An older proof may be one that a thief found on the phone; whoever gave a younger one is still there.
PROVED_WITHIN = dt.timedelta(minutes=5)


def need_fresh(actor: Actor) -> None:
    """StepUpNeeded unless the caller has just given a face or a passkey: what a text message and a stolen phone never give."""
    stale = actor.signed_in_at is None or clock.now() - actor.signed_in_at > PROVED_WITHIN
    if stale or actor.strength < auth.Strength.STRONG:
        raise StepUpNeeded(level=2, strength=int(auth.Strength.STRONG), max_age_seconds=int(PROVED_WITHIN.total_seconds()))


def need_fresh_while_lost(actor: Actor, resident_id: UUID) -> None:
    """The same as long as a living card of the resident is reported lost."""
    lost = select(Card.id).where(Card.resident_id == resident_id, Card.state.in_(LIVE), Card.lost_at.is_not(None))
    if session().scalar(lost.limit(1)) is not None:
        need_fresh(actor)
