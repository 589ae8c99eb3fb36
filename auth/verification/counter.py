"""In person at a counter: the card's chip is read and the clerk looks at the person. L4 without any camera (D27, F62)."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from auth import devices, residents, sessions, sign_in_codes, signing_in
from auth.agreements import guardians
from auth.agreements.guardians import Word
from auth.models import Resident
from auth.rules import Method
from auth.verification import chips, displacing
from auth.verification.chips import ChipRead
from core.actors import Actor
from core.db import transaction
from core.errors import NotFound


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


def prove(actor: Actor, *, phone: str, code: str, chip: ChipRead, address: str, word: Word | None = None) -> Proven:
    """Prove the person at the counter by chip and code; a number that is new to the city becomes a resident at once.

    An account that holds the name by name and number alone is closed (`displacing.give_way`); AccountHoldsMoney.

    Of a child under fourteen nothing is kept, and nothing asked of the register, before a guardian agreed: now (`word`) or earlier
    (PIPL article 31; the refusals are those of `guardians.before_naming`, and AgreementOutdated).
    """
    _, number = chips.written(chip)
    asked = sign_in_codes.asker(city_id=actor.city_id, phone=phone, binding=binding(actor), address=address)
    # Before the register, so that whoever only guesses a phone learns nothing of a child.
    mac = sign_in_codes.check(asked, code)
    guardian_id = guardians.before_naming(actor, asked.phone, number, word)
    chips.checked(actor, chip)
    with transaction():
        sign_in_codes.use(asked, mac)
        resident = residents.get(residents.admit(actor, asked.city_id, asked.phone).id, lock=True)
        displacing.give_way(actor, resident, number)
        if word is not None and guardian_id is not None:
            # First, so that nothing is written of a guardian whose own number this is.
            residents.refuse_foreign_identity(resident, number.text)
            guardians.write(actor, resident.id, guardian_id, word)
        residents.prove(actor, resident, name=chip.name, number=number, method=Method.COUNTER_CHIP, reference=chip.reader)
        return _proven(resident)


def approve_sign_in(actor: Actor, request_id: UUID, chip: ChipRead) -> Proven:
    """Let a new device in for the person at the counter, whose chip names the owner of the account; NotFound for another's."""
    number = chips.checked(actor, chip)
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
    number = chips.checked(actor, chip)
    with transaction():
        resident = residents.by_citizen_number(actor.city_id, number.text)
        if resident is None:
            raise NotFound()
        # Requests before devices before sessions, as a claim locks them.
        signing_in.refuse_all(actor, resident.id)
        return devices.remove_all(actor, resident.id) + sessions.end_all("counter", resident_id=resident.id)


def present_holder(actor: Actor, chip: ChipRead) -> UUID:
    """Whose chip lies on the reader of a counter; NotFound for a person who has no account in the clerk's city."""
    number = chips.checked(actor, chip)
    with transaction():
        resident = residents.by_citizen_number(actor.city_id, number.text)
        if resident is None:
            raise NotFound()
        return resident.id


def _proven(resident: Resident) -> Proven:
    return Proven(resident.id, resident.identity_level, resident.masked_name)
