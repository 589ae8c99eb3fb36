"""The rules of a card's life as data and pure decisions: which step from which state, why a card is refused, when a loss lapses."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from core.vocabulary import AuditEvent, Event


class State(StrEnum):
    """The record's state; loss, freeze, lock, damage and expiry are flags beside it and never change it."""

    INACTIVE = "inactive"
    ACTIVE = "active"
    REPLACED = "replaced"
    CANCELLED = "cancelled"


LIVE = frozenset({State.INACTIVE, State.ACTIVE})


class Form(StrEnum):
    """What the card is made of."""

    VIRTUAL = "virtual"
    PHYSICAL = "physical"


class LossKind(StrEnum):
    """How strong a report of loss is: a temporary one lapses by the product's rule, a formal one stands until taken back."""

    TEMPORARY = "temporary"
    FORMAL = "formal"


class Lapse(StrEnum):
    """What a temporary loss turns into when nobody confirms it."""

    RELEASE = "release"
    CANCEL = "cancel"


@dataclass(frozen=True, slots=True)
class Step:
    """One allowed step: the states it may start in, the state it leads to (None: stays), the flag it needs and its events."""

    name: str
    starts: frozenset[State]
    leads: State | None
    audit: AuditEvent
    event: Event
    needs: str | None = None
    refuses: str | None = None


_STEPS = (
    Step("activate", frozenset({State.INACTIVE}), State.ACTIVE, AuditEvent.CARD_ACTIVATED, Event.CARD_CHANGED),
    Step("report_loss", LIVE, None, AuditEvent.CARD_LOST, Event.CARD_LOST),
    Step("take_back_loss", LIVE, None, AuditEvent.CARD_FOUND, Event.CARD_FOUND, needs="lost_at"),
    Step("release_loss", LIVE, None, AuditEvent.CARD_LOSS_LAPSED, Event.CARD_LOSS_LAPSED, needs="lost_at"),
    Step("freeze", LIVE, None, AuditEvent.CARD_FROZEN, Event.CARD_CHANGED, refuses="frozen_at"),
    Step("resume", LIVE, None, AuditEvent.CARD_RESUMED, Event.CARD_CHANGED, needs="frozen_at"),
    Step("lock", LIVE, None, AuditEvent.CARD_LOCKED, Event.CARD_CHANGED, refuses="locked_at"),
    Step("unlock", LIVE, None, AuditEvent.CARD_UNLOCKED, Event.CARD_CHANGED, needs="locked_at"),
    Step("mark_bad", LIVE, None, AuditEvent.CARD_DAMAGED, Event.CARD_CHANGED, refuses="bad_at"),
    Step("mirror", LIVE, None, AuditEvent.CARD_MIRRORED, Event.CARD_CHANGED),
    Step("replace", LIVE, State.REPLACED, AuditEvent.CARD_REPLACED, Event.CARD_CHANGED),
    Step("cancel", LIVE, State.CANCELLED, AuditEvent.CARD_CANCELLED, Event.CARD_CHANGED),
)
STEPS: dict[str, Step] = {step.name: step for step in _STEPS}


class CardFacts(Protocol):
    """What a decision about a card reads: its state and its five flags."""

    state: str
    lost_at: dt.datetime | None
    frozen_at: dt.datetime | None
    locked_at: dt.datetime | None
    bad_at: dt.datetime | None
    expires_on: dt.date
    mirrored_status: str | None


def allowed(card: CardFacts, step: Step) -> bool:
    """Whether the card may take this step now."""
    if card.state not in step.starts:
        return False
    if step.needs is not None and getattr(card, step.needs) is None:
        return False
    return step.refuses is None or getattr(card, step.refuses) is None


def why_refused(card: CardFacts, now: dt.datetime, today: dt.date) -> str | None:
    """The code of the first reason for which a card is refused, or None; ``card_refusal_v1`` says the same in SQL.

    Flags take effect at their own time, so that one set for a later moment does not refuse yet.
    """
    by_state = {
        State.CANCELLED: "card_cancelled",
        State.REPLACED: "card_replaced",
        State.INACTIVE: "card_inactive",
    }.get(State(card.state))
    if by_state is not None:
        return by_state
    flags = (
        ("card_lost", card.lost_at),
        ("card_frozen", card.frozen_at),
        ("card_locked", card.locked_at),
        ("card_bad", card.bad_at),
    )
    for code, since in flags:
        if since is not None and since <= now:
            return code
    if card.expires_on < today:
        return "card_expired"
    return "card_refused_by_issuer" if card.mirrored_status not in (None, "active") else None


def expiry(issued: dt.date, years: int) -> dt.date:
    """The last day on which a card issued today is valid; one of 29 February ends on 28 February."""
    try:
        return issued.replace(year=issued.year + years)
    except ValueError:
        return issued.replace(year=issued.year + years, day=28)
