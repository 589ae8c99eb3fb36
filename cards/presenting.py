"""Presenting: a code is consumed and answers who stands there, as far as the terminal may see it (D11, D12, D18).

Codes that arrive together are presented together (core/poster.py), by one SQL statement that commits without waiting for the log: the table
of presented codes is UNLOGGED, and a crash that empties it is noticed by its missing sentinel. Whoever lost the connection asks again under
the same id, so that a code is consumed once and its answer is not lost with the line.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

import psycopg

from cards.codes.reading import read_code
from cards.errors import CodesRecovering, refusal
from cards.lifecycle import card_of
from cards.numbers import tail
from cards.viewing import CardView
from core import audit, clock, db, ids
from core.actors import Actor
from core.arrays import pack_one, pack_rows
from core.errors import Conflict, Unavailable
from core.poster import Ask, GroupPoster
from core.prepared import Prepared, Row
from core.vocabulary import AuditEvent

SEES_CONCESSION = "concession:read"
PATIENCE_SECONDS = 3.0  # nobody stands at a gate for longer; PostgreSQL is back from a crash by then, mostly
FIELDS = ("masked_name", "card_tail", "form", "product")
_SEEN, _SEEN_WITH_CONCESSION = f"{{{','.join(FIELDS)}}}", f"{{{','.join((*FIELDS, 'concession'))}}}"


class Shown(NamedTuple):
    """One code on its way to ``present_codes``: its fields are that function's arrays, one place each and in their order."""

    id: UUID
    city_id: int
    actor_kind: str
    actor_id: UUID
    handle: int
    generation: int
    step: int
    tap: int
    purpose: str
    fields: str


_TYPES = ("uuid", "integer", "text", "uuid", "bigint", "integer", "bigint", "smallint", "text", "text")
_CALL = f"present_codes({', '.join(f'${place}::{kind}[]' for place, kind in enumerate(_TYPES, start=1))}, ${len(_TYPES) + 1}::timestamptz)"
_PRESENT = Prepared(
    "present_codes",
    f"SELECT refusal, until, resident_id, card_id, masked_name, number, form, product, concession FROM {_CALL}",  # noqa: S608  # names are ours
    binary=True,
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
    identity, fields = ids.new_id(), _SEEN_WITH_CONCESSION if may_see_concession else _SEEN
    claimed = candidate.handle, candidate.generation, candidate.step, candidate.tap
    # After Unavailable the code may be consumed or not: the phone shows its next one.
    answer = _poster.ask(Shown(identity, actor.city_id, actor.kind, actor.id, *claimed, purpose, fields), patience=PATIENCE_SECONDS)
    refused, said_until, said_resident, said_card, name, number, form, product, concession = (
        said.decode() if said is not None else None for said in answer
    )
    until = dt.datetime.fromisoformat(said_until) if said_until else now
    resident_id, card_id = (UUID(known) if known else None for known in (said_resident, said_card))
    if refused == "codes_recovering":
        raise CodesRecovering(retry_after=max(1, int((until - now).total_seconds()) + 1))
    if refused is not None:
        _note(actor, refused, resident_id, card_id)
        raise refusal(refused)
    seen = concession if may_see_concession else None
    if name is None or number is None or form is None or product is None or resident_id is None or card_id is None:
        raise Unavailable()  # a code that is not refused has a card
    return Presentation(identity, until, name, tail(number), form, product, seen, resident_id, card_id)


def present_shown(connection: psycopg.Connection[Any], asks: Sequence[Ask[Shown, Row]]) -> list[Row]:
    """Present codes over a connection: without a transaction of its own they are one commit, for which nobody waits."""
    return _PRESENT.run(connection, [*pack_rows(_TYPES, [one.item for one in asks]), pack_one("timestamptz", clock.now())])


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


def _connect() -> psycopg.Connection[Any]:
    return db.private_connection(application_name="citycard presenter")


_poster: GroupPoster[Shown, Row] = GroupPoster("presentations", present_shown, lambda shown: (shown.id,), connect=_connect)
