"""Residents: who lives here, what names them (sealed), and the few ways in which a name leaves this floor."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from auth import rules
from auth.errors import AccountClosed, IdentityAlreadyHeld, IdentityAlreadyProven
from auth.models import IdentityEvidence, Resident
from auth.rules import Level, Method
from core import audit, clock, crypto, ids, outbox
from core.actors import Actor
from core.db import session
from core.errors import NotFound
from core.vocabulary import AuditEvent, Event

COLUMNS = {"phone": "phone_sealed", "name": "name_sealed", "citizen_number": "citizen_number_sealed", "birth_date": "birth_date_sealed"}


@dataclass(frozen=True, slots=True)
class Revealed:
    """What was opened of one resident; what was not asked for is None."""

    phone: str | None = field(default=None, repr=False)
    name: str | None = field(default=None, repr=False)
    citizen_number: str | None = field(default=None, repr=False)
    birth_date: str | None = field(default=None, repr=False)


def get(resident_id: UUID, *, lock: bool = False) -> Resident:
    """A living account; NotFound or AccountClosed."""
    found = session().get(Resident, resident_id, with_for_update=lock or None, populate_existing=lock)
    if found is None:
        raise NotFound()
    if found.state != "active":
        raise AccountClosed()
    return found


def identity_level(resident_id: UUID) -> int:
    """How surely the platform knows who this is, 1 to 4; NotFound."""
    found = session().scalar(select(Resident.identity_level).where(Resident.id == resident_id))
    if found is None:
        raise NotFound()
    return found


def by_phone(city_id: int, phone: str) -> Resident | None:
    """The account of a number in a city."""
    return session().scalar(select(Resident).where(Resident.city_id == city_id, Resident.phone_blind == crypto.blind("phone", phone)))


def by_citizen_number(city_id: int, number: str) -> Resident | None:
    """The living account of a person in a city."""
    blind = crypto.blind("citizen_number", number)
    theirs = select(Resident).where(Resident.city_id == city_id, Resident.citizen_number_blind == blind, Resident.state == "active")
    return session().scalar(theirs)


def admit(actor: Actor, city_id: int, phone: str) -> Resident:
    """The account of a number just proven by code: the one there is, or a new one at L1."""
    found = by_phone(city_id, phone)
    if found is not None:
        return found
    try:
        with session().begin_nested():
            return _admit_new(actor, city_id, phone)
    except IntegrityError:
        # Two phones proved the same number in the same moment; the other one made the account.
        other = by_phone(city_id, phone)
        if other is None:
            raise
        return other


def _admit_new(actor: Actor, city_id: int, phone: str) -> Resident:
    resident_id = ids.new_id()
    crypto.make_resident_key(resident_id, city_id)
    made = Resident(
        id=resident_id,
        city_id=city_id,
        state="active",
        phone_sealed=crypto.seal(resident_id, "phone", phone),
        phone_blind=crypto.blind("phone", phone),
        masked_name="",
        identity_level=int(Level.PHONE),
        created_at=clock.now(),
    )
    session().add(made)
    session().flush()
    add_evidence(actor, made, Method.PHONE)
    subject = ids.show("resident", resident_id)
    audit.record(actor, AuditEvent.RESIDENT_ADMITTED, city_id=city_id, subject=subject, resident_id=resident_id)
    outbox.emit(Event.RESIDENT_ADMITTED, city_id=city_id, subject=subject, payload={"resident": subject})
    return made


def add_evidence(actor: Actor, resident: Resident, method: Method, *, reference: str = "") -> None:
    """Put one more proof into the resident's list."""
    session().add(
        IdentityEvidence(
            id=ids.new_id(),
            city_id=resident.city_id,
            resident_id=resident.id,
            method=str(method),
            level=int(rules.GIVES_LEVEL[method]),
            proved_at=clock.now(),
            actor_kind=str(actor.kind),
            actor_id=actor.id,
            reference=reference,
        )
    )
    session().flush()


def evidence(resident_id: UUID) -> list[IdentityEvidence]:
    """Every proof of a resident, oldest first."""
    select_all = select(IdentityEvidence).where(IdentityEvidence.resident_id == resident_id).order_by(IdentityEvidence.id)
    return list(session().scalars(select_all))


def holds(resident: Resident, number: str) -> bool:
    """Whether this account's proven citizen number is this one."""
    return resident.citizen_number_blind == crypto.blind("citizen_number", number)


def refuse_foreign_identity(resident: Resident, number: str) -> None:
    """One person has one account in a city, and an account is one person for good."""
    if resident.citizen_number_blind is not None:
        if not holds(resident, number):
            raise IdentityAlreadyProven()
        return
    other = by_citizen_number(resident.city_id, number)
    if other is not None:
        raise IdentityAlreadyHeld()


def prove(actor: Actor, resident: Resident, *, name: str, number: rules.CitizenNumber, method: Method, reference: str = "") -> None:
    """Write a proven identity and its evidence; the level rises and never falls. The resident's row is locked by the caller."""
    refuse_foreign_identity(resident, number.text)
    before = resident.identity_level
    try:
        with session().begin_nested():
            if resident.citizen_number_blind is None:
                _name(resident, name, number)
            resident.identity_level = max(before, int(rules.GIVES_LEVEL[method]))
            resident.version += 1
            session().flush()
    except IntegrityError as fault:
        raise IdentityAlreadyHeld() from fault
    add_evidence(actor, resident, method, reference=reference)
    tell_proved(actor, resident, before, method)


def tell_proved(actor: Actor, resident: Resident, before: int, method: Method) -> None:
    """Audit a proof, and tell the other floors when the level rose."""
    subject = ids.show("resident", resident.id)
    detail = {"method": str(method), "level": resident.identity_level, "before": before}
    audit.record(actor, AuditEvent.IDENTITY_PROVED, city_id=resident.city_id, subject=subject, resident_id=resident.id, detail=detail)
    if resident.identity_level > before:
        payload = {"resident": subject, "level": resident.identity_level}
        outbox.emit(Event.IDENTITY_RAISED, city_id=resident.city_id, subject=subject, payload=payload)


def _name(resident: Resident, name: str, number: rules.CitizenNumber) -> None:
    values = [
        (resident.id, "name", name),
        (resident.id, "citizen_number", number.text),
        (resident.id, "birth_date", number.born.isoformat()),
    ]
    resident.name_sealed, resident.citizen_number_sealed, resident.birth_date_sealed = crypto.seal_many(values)
    resident.citizen_number_blind = crypto.blind("citizen_number", number.text)
    resident.birth_year = number.born.year
    resident.masked_name = rules.masked_name(name)


def masked_name(resident_id: UUID) -> str:
    """``王*明``; empty before the person is named. NotFound for nobody."""
    found = session().scalar(select(Resident.masked_name).where(Resident.id == resident_id))
    if found is None:
        raise NotFound()
    return found


def age_band(resident_id: UUID, on: dt.date | None = None) -> rules.AgeBand | None:
    """Which rules of age hold for a resident on a day; None before the person is named."""
    blob = session().scalar(select(Resident.birth_date_sealed).where(Resident.id == resident_id))
    if blob is None:
        return None
    born = dt.date.fromisoformat(crypto.open_sealed(resident_id, "birth_date", blob))
    return rules.age_band(born, on or clock.today())


def reveal(actor: Actor, resident_id: UUID, *, purpose: str, fields: Sequence[str]) -> Revealed:
    """Open what names a resident, for an outgoing message or a stated need (D23); audited, and shown to the resident."""
    found = session().get(Resident, resident_id)
    if found is None or unknown_field(fields):
        raise NotFound()
    opened = {name: _open(found, name) for name in fields}
    subject = ids.show("resident", resident_id)
    detail = {"purpose": purpose, "fields": sorted(fields)}
    audit.record(actor, AuditEvent.PERSON_REVEALED, city_id=found.city_id, subject=subject, resident_id=resident_id, detail=detail)
    audit.data_use(actor, city_id=found.city_id, resident_id=resident_id, purpose=purpose, fields=sorted(fields))
    return Revealed(**opened)


def unknown_field(fields: Sequence[str]) -> bool:
    """Whether something is asked for that no resident has."""
    return not fields or not COLUMNS.keys() >= set(fields)


def _open(resident: Resident, name: str) -> str | None:
    blob: bytes | None = getattr(resident, COLUMNS[name])
    return None if blob is None else crypto.open_sealed(resident.id, name, blob)


def own_phone(resident: Resident) -> str:
    """The number of an account, masked, for the resident's own eyes."""
    phone = _open(resident, "phone")
    return rules.masked_phone(phone) if phone else ""
