"""Thousands of cards at once, for a demo city and for the takeover of cards that exist: COPY, no hooks, no messages."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from cards.products import Product, draw_numbers, product_of
from cards.rules import STEPS, Form, Lapse, LossKind, State, expiry
from core import audit, clock, db, ids
from core.actors import Actor
from core.vocabulary import AuditEvent

_CARD = (
    "id, city_id, resident_id, product, issuer, number, form, state, lost_at, loss_kind, loss_lapses_at, loss_lapse, frozen_at, locked_at,"
    " bad_at, expires_on, masked_name, concession, wallet_account_id, issued_at, version"
)
_EVENT = "card_id, ordinal, id, city_id, resident_id, event, state_before, state_after, actor_kind, actor_id, reason, facts, occurred_at"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCard:
    """One card to be made: whose it is, and in which state it stands from the start."""

    resident_id: UUID
    masked_name: str
    state: str = State.ACTIVE
    issued_at: dt.datetime | None = None
    expires_on: dt.date | None = None
    lost_at: dt.datetime | None = None
    loss_lapses_at: dt.datetime | None = None
    frozen_at: dt.datetime | None = None
    locked_at: dt.datetime | None = None
    bad_at: dt.datetime | None = None
    concession: str | None = None
    wallet_account_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class MadeCard:
    """What became of a NewCard."""

    id: UUID
    resident_id: UUID
    number: str


def issue_many(actor: Actor, city_id: int, product: str, cards: Iterable[NewCard], *, form: str = Form.VIRTUAL) -> list[MadeCard]:
    """Make cards of one product in the current transaction, each with the history that its state implies, and one audit line for all."""
    kind, wanted = product_of(city_id, product), list(cards)
    years = kind.form(form, clock.today()).validity_years
    made = [MadeCard(ids.new_id(), card.resident_id, number) for card, number in zip(wanted, draw_numbers(kind, len(wanted)), strict=True)]
    steps = [_steps(card) for card in wanted]
    rows = (_row(kind, form, years, *three) for three in zip(wanted, made, steps, strict=True))
    _copy(f"COPY card ({_CARD}) FROM STDIN", rows)
    events = (event for three in zip(wanted, made, steps, strict=True) for event in _events(actor, city_id, *three))
    _copy(f"COPY card_event ({_EVENT}) FROM STDIN", events)
    audit.record(actor, AuditEvent.CARD_ISSUED, city_id=city_id, subject=f"product:{product}", detail={"cards": len(made)})
    return made


def link_wallets(pairs: Iterable[tuple[UUID, UUID]]) -> None:
    """Tie many cards to their wallet accounts: (card, account) each."""
    known = list(pairs)
    db.raw(db.session().connection()).execute(
        "UPDATE card SET wallet_account_id = x.account FROM unnest(%s::uuid[], %s::uuid[]) AS x(card, account) WHERE id = x.card",
        ([card for card, _ in known], [account for _, account in known]),
    )


def _steps(card: NewCard) -> list[tuple[AuditEvent, str | None, str, dt.datetime]]:
    """The steps that led to the wanted state: (event, state before, state after, moment)."""
    began = card.issued_at or clock.now()
    first = State.INACTIVE if card.state == State.INACTIVE else State.ACTIVE
    steps: list[tuple[AuditEvent, str | None, str, dt.datetime]] = [(AuditEvent.CARD_ISSUED, None, first, began)]
    flags = (("report_loss", card.lost_at), ("freeze", card.frozen_at), ("lock", card.locked_at), ("mark_bad", card.bad_at))
    steps += [(STEPS[name].audit, first, first, at) for name, at in flags if at is not None]
    if card.state == State.CANCELLED:
        steps.append((AuditEvent.CARD_CANCELLED, first, State.CANCELLED, clock.now()))
    return steps


def _row(kind: Product, form: str, years: int, card: NewCard, made: MadeCard, steps: list[Any]) -> tuple[Any, ...]:
    issued = card.issued_at or clock.now()
    loss = LossKind.TEMPORARY if card.loss_lapses_at else LossKind.FORMAL if card.lost_at else None
    return (
        made.id,
        kind.city_id,
        card.resident_id,
        kind.code,
        kind.issuer,
        made.number,
        str(form),
        str(card.state),
        card.lost_at,
        None if loss is None else str(loss),
        card.loss_lapses_at,
        str(Lapse.RELEASE) if card.loss_lapses_at else None,
        card.frozen_at,
        card.locked_at,
        card.bad_at,
        card.expires_on or expiry(issued.astimezone(clock.CHINA).date(), years),
        card.masked_name,
        card.concession,
        card.wallet_account_id,
        issued,
        len(steps),
    )


def _events(actor: Actor, city_id: int, card: NewCard, made: MadeCard, steps: list[Any]) -> Iterable[tuple[Any, ...]]:
    for place, (event, before, after, at) in enumerate(steps, start=1):
        yield (
            made.id,
            place,
            ids.new_id(),
            city_id,
            card.resident_id,
            str(event),
            None if before is None else str(before),
            str(after),
            str(actor.kind),
            actor.id,
            None,
            json.dumps({}),
            at,
        )


def _copy(statement: str, rows: Iterable[tuple[Any, ...]]) -> None:
    with db.raw(db.session().connection()).cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)
