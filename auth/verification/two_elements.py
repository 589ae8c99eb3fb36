"""Name and citizen number against the police register: L2, and the second proof of a session (S2)."""

from __future__ import annotations

from auth import residents, rules
from auth.agreements import keeping as agreements
from auth.agreements.texts import Kind
from auth.errors import IdentityMismatch, NotForMinors
from auth.installing import parts
from auth.rules import AgeBand, Method
from auth.tokens import Issued
from auth.verification import evidence
from auth.verification.police import IdentityResult
from core import clock
from core.actors import Actor
from core.db import transaction


def prove(actor: Actor, *, name: str, citizen_number: str) -> Issued | None:
    """Prove the caller's identity; the register is asked between two transactions, never inside one.

    Raises IdentityMismatch in the same words for a wrong name and for a number nobody has, IdentityAlreadyHeld,
    NotForMinors, SeparateConsentNeeded.
    """
    written, number = evidence.read(name, citizen_number)
    if rules.age_band(number.born, clock.today()) is AgeBand.UNDER_14:
        raise NotForMinors()
    evidence.count_try(actor.id, number)
    with transaction():
        agreements.need(actor, Kind.IDENTITY_DATA)
        resident = residents.get(actor.id)
        city_id = resident.city_id
        if resident.citizen_number_blind is not None:
            residents.refuse_foreign_identity(resident, number.text)
    if parts().police.check_identity(name=written, citizen_number=number.text) is not IdentityResult.MATCH:
        evidence.note_failure(actor, actor.id, city_id, Method.TWO_ELEMENTS, "mismatch")
        raise IdentityMismatch()
    with transaction():
        return evidence.accept(actor, name=written, number=number, method=Method.TWO_ELEMENTS)
