"""Issuing a card: at once for a resident who is known by name, in bulk for a city that starts, or bound from another issuer."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert

import auth
from cards import history, proving
from cards.errors import CardIssuedAlready, CardNumberWrong
from cards.models import Card
from cards.products import FormTerms, Product, draw_numbers, product_of
from cards.rules import Form, State, expiry
from cards.viewing import CardView, view
from cards.wiring import wired
from core import clock, ids
from core.actors import Actor
from core.db import session
from core.errors import StepUpNeeded
from core.vocabulary import AuditEvent, Event


def issue_card(actor: Actor, product: str, *, form: str = Form.VIRTUAL) -> CardView:
    """Issue a card of the product to the resident who asks, active at once unless its terms want an activation.

    One live virtual card per product: CardIssuedAlready. StepUpNeeded below the identity level of the terms.
    """
    kind = product_of(actor.city_id, product)
    terms = kind.form(form, clock.today())
    if actor.identity_level < terms.minimum_identity_level:
        raise StepUpNeeded(level=terms.minimum_identity_level, strength=1)
    # A second card opens the wallet of the lost one.
    proving.need_fresh_while_lost(actor, actor.id)
    card = put_card(actor.id, kind, terms, masked_name=auth.masked_name(actor.id))
    return begin(actor, card, AuditEvent.CARD_ISSUED)


def put_card(resident_id: UUID, product: Product, terms: FormTerms, *, masked_name: str, **more: Any) -> Card:
    """Write the card's row with a new number; the database decides whether the resident holds a live one already."""
    today = clock.today()
    values = {
        "number": draw_numbers(product)[0],
        "state": State.INACTIVE if terms.needs_activation else State.ACTIVE,
        "expires_on": expiry(today, terms.validity_years),
        **more,
    }
    return _insert(resident_id, product, terms.form, masked_name, values)


def bind_card(actor: Actor, product: str, *, number: str, expires_on: dt.date, bound_by: str, form: str = Form.PHYSICAL) -> CardView:
    """Take a card of another issuer into the resident's hands here, by its number and a proof (F166).

    ``bound_by`` names the proof ("issuer_register:…"). A number that another resident bound is refused like a wrong one.
    """
    kind = product_of(actor.city_id, product)
    values = {"number": number, "state": State.ACTIVE, "expires_on": expires_on, "bound_by": bound_by, "mirrored_status": "active"}
    held = session().scalar(text("SELECT count(*) FROM card WHERE issuer = :i AND number = :n"), {"i": kind.issuer, "n": number})
    if held:
        raise CardNumberWrong()
    card = _insert(actor.id, kind, form, auth.masked_name(actor.id), {**values, "mirrored_at": clock.now()})
    return begin(actor, card, AuditEvent.CARD_BOUND)


def begin(actor: Actor, card: Card, happened: AuditEvent) -> CardView:
    """Write the first event of a card and take along what upper floors do with a new one, such as opening its wallet."""
    history.write(actor, card, happened, Event.CARD_ISSUED, before=None, facts={"product": card.product, "form": card.form})
    session().flush()
    for hook in wired().after_issue:
        hook(actor, view(card))
    session().refresh(card)
    return view(card)


def link_wallet(card_id: UUID, account_id: UUID | None) -> None:
    """Tie a card to the wallet account that charges with it debit; the wallet is the resident's, the card only points to it (D13)."""
    session().execute(text("UPDATE card SET wallet_account_id = :account WHERE id = :card"), {"account": account_id, "card": card_id})


def _insert(resident_id: UUID, product: Product, form: str, masked_name: str, values: dict[str, Any]) -> Card:
    row = {
        "id": ids.new_id(),
        "city_id": product.city_id,
        "resident_id": resident_id,
        "product": product.code,
        "issuer": product.issuer,
        "form": str(form),
        "masked_name": masked_name,
        "issued_at": clock.now(),
        "version": 1,
        **values,
    }
    live = text("form = 'virtual' AND state IN ('inactive', 'active')")
    added = insert(Card).values(row).on_conflict_do_nothing(index_elements=["city_id", "resident_id", "product"], index_where=live)
    card = session().scalars(added.returning(Card)).one_or_none()
    if card is None:
        raise CardIssuedAlready()
    return card
