"""Finding a resident at a counter, and opening what names them: each look is counted and written down (threat 22)."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from auth import residents, rules
from auth.errors import CitizenNumberInvalid, PhoneInvalid
from auth.installing import parts
from auth.models import Resident
from auth.policy import DAY
from auth.residents import Revealed
from core import audit, clock, ids, limits
from core.actors import Actor
from core.db import session
from core.errors import NotFound
from core.vocabulary import AuditEvent


def find(actor: Actor, *, phone: str | None, citizen_number: str | None) -> Resident:
    """The resident of the clerk's city with this number or phone; what the clerk sees of them is masked."""
    limits.count("residents_found", str(actor.id), per=DAY, at_most=parts().policy.residents_found_per_clerk_day)
    found = _by_number(actor.city_id, citizen_number) if citizen_number else _by_phone(actor.city_id, phone or "")
    if found is None:
        raise NotFound()
    subject = ids.show("resident", found.id)
    detail = {"by": "citizen_number" if citizen_number else "phone"}
    audit.record(actor, AuditEvent.RESIDENT_FOUND, city_id=found.city_id, subject=subject, resident_id=found.id, detail=detail)
    return found


def reveal(actor: Actor, resident_id: UUID, *, purpose: str, fields: Sequence[str]) -> Revealed:
    """Open fields of a resident of the clerk's city, for a stated purpose that the resident can read afterwards."""
    limits.count("persons_revealed", str(actor.id), per=DAY, at_most=parts().policy.persons_revealed_per_clerk_day)
    found = session().get(Resident, resident_id)
    if found is None or found.city_id != actor.city_id:
        raise NotFound()
    return residents.reveal(actor, resident_id, purpose=purpose, fields=fields)


def _by_number(city_id: int, text: str) -> Resident | None:
    number = rules.citizen_number(text, clock.today())
    if number is None:
        raise CitizenNumberInvalid()
    return residents.by_citizen_number(city_id, number.text)


def _by_phone(city_id: int, text: str) -> Resident | None:
    phone = rules.phone_number(text)
    if phone is None:
        raise PhoneInvalid()
    return residents.by_phone(city_id, phone)
