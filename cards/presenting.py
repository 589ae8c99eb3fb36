"""Presenting: a code is consumed and answers who stands there, as far as the terminal may see it (D11, D12, D18).

One SQL statement on this thread's own connection, which commits without waiting for the log: the table of presented codes is UNLOGGED,
and a crash that empties it is noticed by its missing sentinel.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

import psycopg

from cards.codes.reading import Candidate, read_code
from cards.errors import CodesRecovering, refusal
from cards.lifecycle import card_of
from cards.numbers import tail
from cards.viewing import CardView
from core import audit, clock, db, ids
from core.actors import Actor
from core.errors import Conflict, Unavailable
from core.prepared import Prepared
from core.vocabulary import AuditEvent

SEES_CONCESSION = "concession:read"
FIELDS = ("masked_name", "card_tail", "form", "product")

_PRESENT = Prepared(
    "present_code",
    "SELECT refusal, until, resident_id, card_id, masked_name, number, form, product, concession"
    " FROM present_code_v1($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
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
    refused, said_until, said_resident, said_card, name, number, form, product, concession = answer
    until = dt.datetime.fromisoformat(said_until) if said_until else now
    resident_id, card_id = (UUID(said) if said else None for said in (said_resident, said_card))
    if refused == "codes_recovering":
        raise CodesRecovering(retry_after=max(1, int((until - now).total_seconds()) + 1))
    if refused is not None:
        _note(actor, refused, resident_id, card_id)
        raise refusal(refused)
    seen = concession if may_see_concession else None
    if name is None or number is None or form is None or product is None or resident_id is None or card_id is None:
        raise Unavailable()  # a code that is not refused has a card
    return Presentation(identity, until, name, tail(number), form, product, seen, resident_id, card_id)


def _consume(actor: Actor, code: Candidate, identity: UUID, now: dt.datetime, purpose: str, fields: list[str]) -> tuple[str | None, ...]:
    # One id for the presentation and for the line that the resident reads about it.
    values = (
        *(identity, identity, actor.city_id, actor.kind, actor.id),
        *(code.handle, code.generation, code.step, code.tap),
        *(now.isoformat(), now.astimezone(clock.CHINA).date(), purpose, "{" + ",".join(fields) + "}"),
    )
    try:
        rows = _PRESENT.run(db.connection(), [str(value).encode() for value in values])
    except psycopg.OperationalError as fault:
        # The code may be consumed or not: the phone shows its next one.
        db.drop_connection()
        raise Unavailable() from fault
    if not rows:
        raise Unavailable()
    return tuple(value.decode() if value is not None else None for value in rows[0])


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
