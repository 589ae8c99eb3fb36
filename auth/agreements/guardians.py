"""A guardian agrees for a child under fourteen, in person at a counter (PIPL article 31)."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from auth import residents, rules
from auth.agreements import keeping
from auth.agreements.errors import GuardianUnfit, NotUnderFourteen
from auth.agreements.keeping import Guardian
from auth.agreements.texts import Kind
from auth.models import Resident
from auth.rules import AgeBand
from auth.verification import counter
from auth.verification.counter import ChipRead
from core import clock
from core.actors import Actor
from core.db import session, transaction
from core.errors import NotFound

# What the clerk was shown of who answers for the child.
DOCUMENTS = ("household_register", "birth_certificate", "guardianship_decision")


def agree_for(actor: Actor, child_id: UUID, *, chip: ChipRead, document: str, wanted: Iterable[tuple[Kind, str]]) -> list[str]:
    """Write down that the person at the counter agrees for a child; gives what is still due. Calls the register.

    Raises NotFound for a child of another city, NotUnderFourteen, GuardianUnfit for somebody who is no grown-up resident of the city,
    and AgreementOutdated.
    """
    number = counter.checked(actor, chip)
    with transaction():
        child, guardian = session().get(Resident, child_id), residents.by_citizen_number(actor.city_id, number.text)
        if child is None or child.city_id != actor.city_id or child.state != "active":
            raise NotFound()
        if residents.age_band(child.id) is not AgeBand.UNDER_14:
            raise NotUnderFourteen()
        grown = rules.age_band(number.born, clock.today()) in (AgeBand.ADULT, AgeBand.ELDER)
        if guardian is None or guardian.state != "active" or not grown:
            raise GuardianUnfit()
        keeping.agree(actor, wanted, by=Guardian(child.id, guardian.id, document))
        return keeping.due(child.id)
