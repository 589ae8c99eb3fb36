"""The steps of a card's life after its issue. Each is one of ``rules.STEPS``, locked, numbered, written down and told (F7, F9, F18)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import select

from cards import history, proving
from cards.authorisations import listing
from cards.codes import pay_keys
from cards.errors import CardFrozen, CardStepForbidden
from cards.issuing import begin, put_card
from cards.models import Card
from cards.products import product_of
from cards.rules import LIVE, STEPS, allowed
from cards.viewing import CardView, view
from cards.wiring import wired
from core import clock, ids
from core.actors import Actor, ActorKind
from core.db import session
from core.errors import NotFound
from core.vocabulary import AuditEvent

# Nobody holds more, and a list has an end.
MOST_CARDS = 100
# What a clerk may do with a card by name, and the field each sets or clears.
CLERK_STEPS: dict[str, dict[str, bool]] = {
    "activate": {},
    "freeze": {"frozen_at": True},
    "resume": {"frozen_at": False},
    "lock": {"locked_at": True},
    "unlock": {"locked_at": False},
    "mark_bad": {"bad_at": True},
    "cancel": {},
}


def cards_of(actor: Actor) -> list[CardView]:
    """The resident's cards, the newest first, those that ended included."""
    mine = select(Card).where(Card.resident_id == actor.id, Card.city_id == actor.city_id)
    return [view(card) for card in session().scalars(mine.order_by(Card.id.desc()).limit(MOST_CARDS))]


def cards_at_counter(actor: Actor, resident_id: UUID) -> list[CardView]:
    """The living cards of a resident of the clerk's city, who stands at the counter without one; NotFound where there is none."""
    theirs = select(Card).where(Card.resident_id == resident_id, Card.city_id == actor.city_id, Card.state.in_(LIVE))
    found = [view(card) for card in session().scalars(theirs.order_by(Card.id.desc()).limit(MOST_CARDS))]
    if not found:
        raise NotFound()
    return found


def card_of(actor: Actor, card_id: UUID) -> CardView:
    """One card the actor may see; NotFound for another's or another city's."""
    return view(held(actor, card_id, lock=False))


def held(actor: Actor, card_id: UUID, *, lock: bool = True) -> Card:
    """The row of a card: a resident reaches only their own, a clerk those of their city, the program itself every one."""
    card = session().get(Card, card_id, with_for_update=lock, populate_existing=lock)
    if card is None or not _reaches(actor, card):
        raise NotFound()
    return card


def _reaches(actor: Actor, card: Card) -> bool:
    if actor.kind is ActorKind.SYSTEM:
        return True
    if actor.city_id != card.city_id:
        return False
    return actor.kind is ActorKind.STAFF or (actor.kind is ActorKind.RESIDENT and actor.id == card.resident_id)


def take(
    actor: Actor, card: Card, name: str, *, reason: str | None = None, facts: dict[str, Any] | None = None, **changes: Any
) -> CardView:
    """Take one step with a locked card, or raise CardStepForbidden; ``changes`` are the fields it sets."""
    step, before = STEPS[name], card.state
    if not allowed(card, step):
        raise CardStepForbidden(state=before, step=name)
    for field, value in changes.items():
        setattr(card, field, value)
    if step.leads is not None:
        card.state = str(step.leads)
    card.version += 1
    history.write(actor, card, step.audit, step.event, before=before, reason=reason, facts=facts)
    session().flush()
    listing.follow(card)
    return view(card)


def take_by_name(actor: Actor, card_id: UUID, name: str, *, reason: str) -> CardView:
    """One of the clerk's steps, with the reason that stands in the history."""
    card = held(actor, card_id)
    if name == "cancel":
        return cancel(actor, card, reason=reason)
    changes: dict[str, Any] = {field: clock.now() if sets else None for field, sets in CLERK_STEPS[name].items()}
    return take(actor, card, name, reason=reason, **changes)


def stop(actor: Actor, card_id: UUID, *, reason: str) -> None:
    """Freeze a living card unless it is frozen: what the program itself does when it sees a card misused."""
    card = held(actor, card_id)
    if allowed(card, STEPS["freeze"]):
        take(actor, card, "freeze", reason=reason, frozen_at=clock.now())


def cancel(actor: Actor, card: Card, *, reason: str) -> CardView:
    """End a card for good; upper floors may refuse it (money left, rides open)."""
    if not allowed(card, STEPS["cancel"]):
        raise CardStepForbidden(state=card.state, step="cancel")
    for hook in wired().before_cancel:
        hook(actor, view(card))
    pay_keys.revoke_of_card(actor, card, reason="card_cancelled")
    # A report of loss stays with the card: gates still upload what was taken after it, and its holder does not bear that.
    return take(actor, card, "cancel", reason=reason)


def cancel_all(actor: Actor, resident_id: UUID) -> None:
    """End every living card of a resident whose account is closed; the hook that auth runs in the closing transaction."""
    theirs = select(Card).where(Card.resident_id == resident_id, Card.state.in_(LIVE)).order_by(Card.id)
    for card in session().scalars(theirs.with_for_update()).all():
        cancel(actor, card, reason="account_closed")


def replace_card(actor: Actor, card_id: UUID, *, reason: str) -> CardView:
    """A new virtual card with a new number in place of this one; the wallet stays the resident's and is linked anew (D13).

    In place of a lost one it asks for the proof that taking the report back asks for: it opens the same wallet to the same phone.

    A card in plastic is not replaced here: that waits for what terminals still hold of it. Nor is a frozen one: a court, or a supervisor
    who saw it misused, would have stopped nothing.
    """
    old = held(actor, card_id)
    if old.frozen_at is not None:
        raise CardFrozen()
    if old.form != "virtual" or not allowed(old, STEPS["replace"]):
        raise CardStepForbidden(state=old.state, step="replace")
    if old.lost_at is not None:
        proving.need_fresh(actor)
    for hook in wired().before_replace:
        hook(actor, view(old))
    kind = product_of(old.city_id, old.product)
    identity = ids.new_id()
    pay_keys.revoke_of_card(actor, old, reason="card_replaced")
    take(actor, old, "replace", reason=reason, facts={"replaced_by": ids.show("card", identity)}, replaced_by=identity)
    new = put_card(
        old.resident_id,
        kind,
        kind.form(old.form, clock.today()),
        masked_name=old.masked_name,
        id=identity,
        concession=old.concession,
        wallet_account_id=old.wallet_account_id,
    )
    return begin(actor, new, AuditEvent.CARD_ISSUED)


def mirror(actor: Actor, card_id: UUID, status: str) -> CardView:
    """Take over what the card's own issuer says of it: any status but ``active`` stops the card here at once (F16, F166)."""
    card = held(actor, card_id)
    return take(actor, card, "mirror", facts={"status": status}, mirrored_status=status, mirrored_at=clock.now())
