"""Admitting many residents at once: from the city's own register, or invented for a demo."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import insert

from auth import rules
from auth.errors import CitizenNumberInvalid, NameInvalid, PhoneInvalid
from auth.models import IdentityEvidence, Resident
from auth.residents import COLUMNS
from auth.rules import Level, Method
from core import clock, crypto, ids
from core.actors import Actor, system
from core.db import session

Person = tuple["Newcomer", rules.CitizenNumber | None]
METHOD_OF_LEVEL = {1: Method.PHONE, 2: Method.TWO_ELEMENTS, 3: Method.COUNTER_DOCUMENT, 4: Method.COUNTER_CHIP}


@dataclass(frozen=True, slots=True)
class Newcomer:
    """Somebody to be admitted in bulk: from the city's own register, or invented for a demo."""

    id: UUID = field(default_factory=ids.new_id)
    phone: str | None = field(default=None, repr=False)
    name: str | None = field(default=None, repr=False)
    citizen_number: str | None = field(default=None, repr=False)
    identity_level: int = 1


def admit_many(city_id: int, newcomers: Sequence[Newcomer], *, actor: Actor | None = None) -> list[UUID]:
    """Admit many at once in the current transaction: one statement per table; a level above L1 needs name and number."""
    people = [_checked(newcomer) for newcomer in newcomers]
    crypto.make_resident_keys(city_id, [newcomer.id for newcomer, _ in people])
    rows = _rows(city_id, people)
    if rows:
        session().execute(insert(Resident), rows)
        session().execute(insert(IdentityEvidence), _evidence_rows(city_id, people, actor or system("admission", city_id)))
    return [newcomer.id for newcomer, _ in people]


def _checked(newcomer: Newcomer) -> Person:
    if newcomer.phone is not None and rules.phone_number(newcomer.phone) != newcomer.phone:
        raise PhoneInvalid()
    if newcomer.identity_level < Level.NAMED:
        if newcomer.phone is None:
            raise PhoneInvalid()
        return newcomer, None
    number = rules.citizen_number(newcomer.citizen_number or "", clock.today())
    if number is None:
        raise CitizenNumberInvalid()
    if newcomer.name is None or rules.person_name(newcomer.name) != newcomer.name:
        raise NameInvalid()
    return newcomer, number


def _rows(city_id: int, people: Sequence[Person]) -> list[dict[str, object]]:
    secrets = [
        (newcomer.id, column, text)
        for newcomer, number in people
        for column, text in (
            ("phone", newcomer.phone),
            ("name", newcomer.name if number else None),
            ("citizen_number", number.text if number else None),
            ("birth_date", number.born.isoformat() if number else None),
        )
        if text is not None
    ]
    sealed = {(owner, column): blob for (owner, column, _), blob in zip(secrets, crypto.seal_many(secrets), strict=True)} if secrets else {}
    now = clock.now()
    return [_row(city_id, newcomer, number, sealed, now) for newcomer, number in people]


def _row(
    city_id: int, newcomer: Newcomer, number: rules.CitizenNumber | None, sealed: dict[tuple[UUID, str], bytes], now: dt.datetime
) -> dict[str, object]:
    return {
        "id": newcomer.id,
        "city_id": city_id,
        "state": "active",
        **{f"{column}_sealed": sealed.get((newcomer.id, column)) for column in COLUMNS},
        "phone_blind": crypto.blind("phone", newcomer.phone) if newcomer.phone else None,
        "citizen_number_blind": crypto.blind("citizen_number", number.text) if number else None,
        "birth_year": number.born.year if number else None,
        "masked_name": rules.masked_name(newcomer.name) if number and newcomer.name else "",
        "identity_level": newcomer.identity_level,
        "created_at": now,
    }


def _evidence_rows(city_id: int, people: Sequence[Person], actor: Actor) -> list[dict[str, object]]:
    now = clock.now()
    return [
        {
            "id": ids.new_id(),
            "city_id": city_id,
            "resident_id": newcomer.id,
            "method": str(METHOD_OF_LEVEL[newcomer.identity_level]),
            "level": newcomer.identity_level,
            "proved_at": now,
            "actor_kind": str(actor.kind),
            "actor_id": actor.id,
            "reference": "admission",
        }
        for newcomer, _ in people
    ]
