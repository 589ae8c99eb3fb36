"""The card floor over HTTP: the holder's cards, the clerk's counter, the terminal's presentation."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import auth
from cards import errors, history, issuing, lifecycle, loss, presenting, products
from cards.codes import pay_keys, releasing
from cards.schemas import (
    CardEventOut,
    CardOut,
    CardsOut,
    CodeIn,
    CounterCardOut,
    CounterCardsOut,
    CounterLossIn,
    IssueIn,
    LossIn,
    LossReportOut,
    PayKeyOut,
    PresentationOut,
    ProductsOut,
    ReasonIn,
    ReleaseIn,
    StepIn,
)
from core import audit
from core.actors import Actor, ActorKind
from core.db import transaction
from core.errors import Denied, NotFound, StepUpNeeded
from core.paging import Page
from core.web import PageQuery, Routes, either, page_of, resident, staff, terminal

routes = Routes("cards")

CODES = (
    errors.CodeMalformed,
    errors.CodeOfOtherCity,
    errors.CodeExpired,
    errors.CodeTooEarly,
    errors.CodeUnknown,
    errors.CodeUsed,
    errors.PayKeyRevoked,
    errors.TooManyWrongCodes,
    errors.CodesRecovering,
)
STOPPED = (
    errors.CardInactive,
    errors.CardLost,
    errors.CardFrozen,
    errors.CardLocked,
    errors.CardBad,
    errors.CardExpired,
    errors.CardCancelled,
    errors.CardReplaced,
    errors.CardRefusedByIssuer,
)


@routes.get("/api/products", operation="listProducts", access=resident(), gives=ProductsOut)
def list_products(actor: Actor) -> dict[str, Any]:
    """The kinds of card that the resident's city issues."""
    return {"items": products.products_of(actor.city_id)}


@routes.post(
    "/api/cards",
    operation="issueCard",
    access=resident(level=2),
    takes=IssueIn,
    gives=CardOut,
    status=201,
    idempotent=True,
    errors=(errors.ProductUnknown, errors.CardIssuedAlready, errors.NumbersExhausted, StepUpNeeded),
)
def issue_card(actor: Actor, body: dict[str, Any]) -> Any:
    """Issue a virtual card at once, with its wallet."""
    return issuing.issue_card(actor, body["product"])


@routes.get("/api/cards", operation="listCards", access=resident(strength=2), gives=CardsOut)
def list_cards(actor: Actor) -> dict[str, Any]:
    """The resident's cards with state, flags and why one is refused."""
    return {"items": lifecycle.cards_of(actor)}


@routes.get("/api/cards/<id:card>", operation="getCard", access=resident(strength=2), gives=CardOut, etag=True)
def get_card(actor: Actor, card: UUID) -> Any:
    """One card of the resident."""
    return lifecycle.card_of(actor, card)


@routes.get(
    "/api/cards/<id:card>/events",
    operation="listCardEvents",
    access=either(resident(strength=2), staff("cards:card:read")),
    query=PageQuery,
    gives=page_of(CardEventOut),
    mode="transaction",
)
def list_card_events(actor: Actor, card: UUID, query: dict[str, Any]) -> Page:
    """The history of a card, complete and in order; the resident can read that a clerk looked."""
    found = lifecycle.card_of(actor, card)
    if actor.kind is ActorKind.STAFF:
        audit.data_use(actor, city_id=found.city_id, resident_id=found.resident_id, purpose="counter", fields=["card_history"])
    return history.of(card, cursor=query["cursor"], limit=query["limit"])


@routes.post(
    "/api/cards/<id:card>/pay-key",
    operation="givePayKey",
    access=resident(level=2),
    gives=PayKeyOut,
    status=201,
    errors=(errors.DeviceNeeded, *STOPPED),
)
def give_pay_key(actor: Actor, card: UUID) -> Any:
    """Register this phone for the card's pay codes; asking again gives a new key and ends the old one."""
    return pay_keys.give(actor, lifecycle.held(actor, card))


@routes.post(
    "/api/cards/<id:card>/loss",
    operation="reportLoss",
    access=resident(strength=2),
    takes=LossIn,
    gives=CardOut,
    errors=(errors.CardStepForbidden,),
)
def report_loss(actor: Actor, card: UUID, body: dict[str, Any]) -> Any:
    """Report the card lost: from this answer on nothing presents or pays with it; repeating changes nothing."""
    return loss.report_loss(actor, card, kind=body["kind"])


@routes.post("/api/loss-reports", operation="reportEverythingLost", access=resident(), gives=LossReportOut, status=201)
def report_everything_lost(actor: Actor) -> dict[str, int]:
    """Report every living card of the caller lost at once, also from a phone that has nothing but a text message; repeatable."""
    return {"cards": loss.report_everything_lost(actor)}


@routes.delete(
    "/api/cards/<id:card>/loss",
    operation="takeBackLoss",
    access=resident(level=2),
    gives=CardOut,
    errors=(errors.LossNotReported, errors.LossIsFormal, errors.CardStepForbidden, StepUpNeeded),
)
def take_back_loss(actor: Actor, card: UUID) -> Any:
    """Take back a temporary report of loss, as the holder, with a face or a passkey given within five minutes, before a replacement."""
    return loss.take_back_loss(actor, card)


@routes.post(
    "/api/cards/<id:card>/replacement",
    operation="replaceCard",
    access=resident(level=2),
    takes=ReasonIn,
    gives=CardOut,
    status=201,
    idempotent=True,
    errors=(errors.CardFrozen, errors.CardStepForbidden, errors.ProductUnknown, errors.NumbersExhausted, StepUpNeeded),
)
def replace_card(actor: Actor, card: UUID, body: dict[str, Any]) -> Any:
    """A new virtual card with a new number in place of this one; the wallet moves along. A lost one asks for a proof just given."""
    return lifecycle.replace_card(actor, card, reason=body["reason"])


@routes.post(
    "/api/presentations",
    operation="present",
    access=terminal("presentation:create"),
    takes=CodeIn,
    gives=PresentationOut,
    status=201,
    mode="posts",
    errors=(*CODES, *STOPPED),
)
def present(actor: Actor, body: dict[str, Any]) -> dict[str, Any]:
    """Present a scanned pay code: it is consumed, and answers who stands there as far as this terminal may see."""
    given = presenting.present(actor, body["code"])
    card = {"tail": given.card_tail, "form": given.form, "product": given.product, "concession": given.concession}
    return {"id": given.id, "expires_at": given.expires_at, "masked_name": given.masked_name, "card": card}


@routes.post(
    "/api/counter/presentations",
    operation="presentAtCounter",
    access=staff("cards:card:read"),
    takes=CodeIn,
    gives=CounterCardOut,
    mode="calls",
    errors=(*CODES, *STOPPED),
)
def present_at_counter(actor: Actor, body: dict[str, Any]) -> Any:
    """Find the card of the resident who shows a code at the counter; the code is consumed."""
    return presenting.find_at_counter(actor, body["code"])


@routes.get(
    "/api/counter/residents/<id:resident>/cards",
    operation="listCardsAtCounter",
    access=staff("cards:card:read"),
    gives=CounterCardsOut,
    mode="transaction",
    errors=(NotFound,),
)
def list_cards_at_counter(actor: Actor, resident: UUID) -> dict[str, Any]:
    """The living cards of a resident who was found at the counter; the resident can read that a clerk looked."""
    found = lifecycle.cards_at_counter(actor, resident)
    audit.data_use(actor, city_id=actor.city_id, resident_id=resident, purpose="counter", fields=[*presenting.FIELDS])
    return {"items": found}


@routes.get(
    "/api/counter/cards/<id:card>",
    operation="getCardAtCounter",
    access=staff("cards:card:read"),
    gives=CounterCardOut,
    mode="transaction",
)
def get_card_at_counter(actor: Actor, card: UUID) -> Any:
    """One card of the clerk's city; the resident can read that a clerk looked."""
    found = lifecycle.card_of(actor, card)
    audit.data_use(actor, city_id=found.city_id, resident_id=found.resident_id, purpose="counter", fields=[*presenting.FIELDS])
    return found


@routes.post(
    "/api/counter/cards/<id:card>/loss",
    operation="reportLossAtCounter",
    access=staff("cards:loss:report"),
    takes=CounterLossIn,
    gives=CounterCardOut,
    errors=(errors.CardStepForbidden,),
)
def report_loss_at_counter(actor: Actor, card: UUID, body: dict[str, Any]) -> Any:
    """Report a card lost on behalf of its holder, formally unless said otherwise."""
    return loss.report_loss(actor, card, kind=body["kind"], reason=body["reason"])


@routes.post(
    "/api/counter/cards/<id:card>/loss-withdrawal",
    operation="takeBackLossAtCounter",
    access=staff("cards:loss:report"),
    takes=auth.CounterChipIn,
    gives=CounterCardOut,
    mode="calls",
    errors=(errors.LossNotReported, errors.NotTheHolder, errors.CardStepForbidden, NotFound, *auth.CHIP_REFUSALS),
)
def take_back_loss_at_counter(actor: Actor, card: UUID, body: dict[str, Any]) -> Any:
    """Take back any report of loss for the person at the counter, whose chip names the holder of the card."""
    chip = auth.ChipRead(**body["chip"])
    holder = auth.present_holder(actor, chip)
    with transaction():
        return loss.take_back_at_counter(actor, card, holder, reader=chip.reader)


@routes.post(
    "/api/counter/cards/<id:card>/steps",
    operation="stepAtCounter",
    access=staff("cards:card:freeze"),
    takes=StepIn,
    gives=CounterCardOut,
    errors=(errors.CardStepForbidden, NotFound, Denied),
)
def step_at_counter(actor: Actor, card: UUID, body: dict[str, Any]) -> Any:
    """Activate, freeze, resume, lock, unlock, mark as damaged or cancel a card, with the reason."""
    if body["step"] == "cancel" and "cards:card:cancel" not in actor.scopes:
        raise Denied(needed="cards:card:cancel")
    return lifecycle.take_by_name(actor, card, body["step"], reason=body["reason"])


@routes.post(
    "/api/terminals/<id:terminal>/release",
    operation="releaseTerminal",
    access=staff("cards:terminal:release"),
    takes=ReleaseIn,
    status=204,
    errors=(NotFound, errors.TerminalNotStopped),
)
def release_terminal(actor: Actor, terminal: UUID, body: dict[str, Any]) -> None:
    """Let a terminal read codes again that was stopped by too many wrong ones."""
    releasing.release(actor, terminal, **body)
