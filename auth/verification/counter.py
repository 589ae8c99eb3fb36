"""In person at a counter: the card's chip is read and the clerk looks at the person. L4 without any camera (D27, F62)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from uuid import UUID

from auth import devices, residents, sessions, sign_in_codes, signing_in
from auth.errors import DocumentExpired, IdentityMismatch
from auth.installing import parts
from auth.models import Resident
from auth.rules import CitizenNumber, Method
from auth.verification import displacing, evidence
from auth.verification.police import IdentityResult
from core import clock
from core.actors import Actor
from core.db import transaction
from core.errors import NotFound


@dataclass(frozen=True, slots=True)
class ChipRead:
    """What the reader at the counter took from the chip of an identity card."""

    name: str = field(repr=False)
    citizen_number: str = field(repr=False)
    valid_until: dt.date | None
    reader: str


@dataclass(frozen=True, slots=True)
class Proven:
    """The outcome of a check at a counter."""

    resident: UUID
    identity_level: int
    masked_name: str


def binding(actor: Actor) -> str:
    """What a code sent from a counter is bound to: the clerk who asked for it."""
    return f"{sign_in_codes.CLERK}{actor.id}"


def send_code(actor: Actor, *, phone: str, address: str, language: str) -> None:
    """Send a code to the number of the person before the clerk, who reads it out: so the number is theirs."""
    asked = sign_in_codes.asker(city_id=actor.city_id, phone=phone, binding=binding(actor), address=address)
    sign_in_codes.send(asked, language=language)


def prove(actor: Actor, *, phone: str, code: str, chip: ChipRead, address: str) -> Proven:
    """Prove the person at the counter by chip and code; a number that is new to the city becomes a resident at once.

    An account that holds the name by name and number alone is closed (`displacing.give_way`); AccountHoldsMoney.
    """
    number = checked(actor, chip)
    asked = sign_in_codes.asker(city_id=actor.city_id, phone=phone, binding=binding(actor), address=address)
    mac = sign_in_codes.check(asked, code)
    with transaction():
        sign_in_codes.use(asked, mac)
        resident = residents.get(residents.admit(actor, actor.city_id, asked.phone).id, lock=True)
        displacing.give_way(actor, resident, number)
        residents.prove(actor, resident, name=chip.name, number=number, method=Method.COUNTER_CHIP, reference=chip.reader)
        return _proven(resident)


def approve_sign_in(actor: Actor, request_id: UUID, chip: ChipRead) -> Proven:
    """Let a new device in for the person at the counter, whose chip names the owner of the account; NotFound for another's."""
    number = checked(actor, chip)
    with transaction():
        asked = signing_in.at_counter(actor, request_id)
        resident = residents.get(asked.resident_id, lock=True)
        if not residents.holds(resident, number.text):
            raise NotFound()
        residents.prove(actor, resident, name=chip.name, number=number, method=Method.COUNTER_CHIP, reference=chip.reader)
        signing_in.decide(actor, asked, by="counter", approve=True)
        return _proven(resident)


def sign_out_everywhere(actor: Actor, chip: ChipRead) -> int:
    """End every session of the person at the counter, who lost the phone; returns how many.

    Every device loses its trust and every request to enter is refused with it: whoever holds the phone reads its messages, too.
    """
    number = checked(actor, chip)
    with transaction():
        resident = residents.by_citizen_number(actor.city_id, number.text)
        if resident is None:
            raise NotFound()
        # Requests before devices before sessions, as a claim locks them.
        signing_in.refuse_all(actor, resident.id)
        return devices.remove_all(actor, resident.id) + sessions.end_all("counter", resident_id=resident.id)


def present_holder(actor: Actor, chip: ChipRead) -> UUID:
    """Whose chip lies on the reader of a counter; NotFound for a person who has no account in the clerk's city."""
    number = checked(actor, chip)
    with transaction():
        resident = residents.by_citizen_number(actor.city_id, number.text)
        if resident is None:
            raise NotFound()
        return resident.id


def checked(actor: Actor, chip: ChipRead) -> CitizenNumber:
    """The number on a card that is valid today and that the register knows."""
    if chip.valid_until is not None and chip.valid_until < clock.today():
        raise DocumentExpired()
    written, number = evidence.read(chip.name, chip.citizen_number)
    evidence.count_counter_try(actor)
    if parts().police.check_identity(name=written, citizen_number=number.text) is not IdentityResult.MATCH:
        raise IdentityMismatch()
    return number


def _proven(resident: Resident) -> Proven:
    return Proven(resident.id, resident.identity_level, resident.masked_name)
