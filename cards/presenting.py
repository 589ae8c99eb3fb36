"""Presenting: a code is consumed and answers who stands there, as far as the terminal may see it (D11, D12, D18).

One SQL statement on this thread's own connection, which commits without waiting for the log: the table of presented codes is UNLOGGED,
and a crash that empties it is noticed by its missing sentinel.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg
from psycopg.types.numeric import Int2, Int4, Int8

from cards.codes.reading import Candidate, read_code
from cards.errors import CodesRecovering, refusal
from cards.lifecycle import card_of
from cards.numbers import tail
from cards.viewing import CardView
from core import audit, clock, db, ids
from core.actors import Actor
from core.errors import Conflict, Unavailable
from core.vocabulary import AuditEvent

SEES_CONCESSION = "concession:read"
FIELDS = ("masked_name", "card_tail", "form", "product")

_PRESENT = (
    "SELECT refusal, until, resident_id, card_id, masked_name, number, form, product, concession"
    " FROM present_code_v1(%s, %s, %s, %s::text, %s, %s, %s, %s, %s, %s, %s, %s::text, %s)"
)


@dataclass(frozen=True, slots=True)
class Presentation:
    """A consumed code: bound to this terminal, good for at most one charge until it expires."""

    id: UUID
    expires_at: dt.datetime
    masked_name: str
    card_tail: str
    form: str
    product: str
    concession: str | None
    resident_id: UUID
    card_id: UUID


def present(actor: Actor, code: str, *, purpose: str = "present") -> Presentation:
    """Consume a scanned code and tell the terminal whom it may serve, or raise the precise refusal, which stands in the audit log."""
    now = clock.now()
    try:
        candidate = read_code(actor, code, now=now)
    except Conflict as found:
        _note(actor, found.code)
        raise
    may_see_concession = SEES_CONCESSION in actor.scopes
    identity, fields = ids.new_id(), [*FIELDS, "concession"] if may_see_concession else [*FIELDS]
    answer = _consume(actor, candidate, identity, now, purpose, fields)
    refused, until, resident_id, card_id, name, number, form, product, concession = answer
    if refused == "codes_recovering":
        raise CodesRecovering(retry_after=max(1, int((until - now).total_seconds()) + 1))
    if refused is not None:
        _note(actor, refused, resident_id, card_id)
        raise refusal(refused)
    seen = concession if may_see_concession else None
    return Presentation(identity, until, name, tail(number), form, product, seen, resident_id, card_id)


def _consume(actor: Actor, code: Candidate, identity: UUID, now: dt.datetime, purpose: str, fields: list[str]) -> tuple[Any, ...]:
    values = (
        identity,
        ids.new_id(),
        Int4(actor.city_id),
        str(actor.kind),
        actor.id,
        Int8(code.handle),
        Int4(code.generation),
        Int8(code.step),
        Int2(code.tap),
        now,
        now.astimezone(clock.CHINA).date(),
        purpose,
        fields,
    )
    try:
        with db.connection().cursor(binary=True) as cursor:
            row: tuple[Any, ...] | None = cursor.execute(_PRESENT, values).fetchone()
    except psycopg.OperationalError as fault:
        # The code may be consumed or not: the phone shows its next one.
        db.drop_connection()
        raise Unavailable() from fault
    if row is None:
        raise Unavailable()
    return row


def _note(actor: Actor, code: str, resident_id: UUID | None = None, card_id: UUID | None = None) -> None:
    """Write down what was refused, to whom and, where it is known, whose card it was."""
    detail = {"card": ids.show("card", card_id)} if card_id else None
    try:
        audit.refused(actor, operation="present", code=code, detail=detail, event=AuditEvent.PRESENT_REFUSED, resident_id=resident_id)
    except psycopg.OperationalError as fault:
        db.drop_connection()
        raise Unavailable() from fault


def find_at_counter(actor: Actor, code: str) -> CardView:
    """The card of the resident who shows a code to a clerk: the code is consumed and the look is written down like a terminal's."""
    given = present(actor, code, purpose="counter")
    with db.transaction():
        return card_of(actor, given.card_id)
