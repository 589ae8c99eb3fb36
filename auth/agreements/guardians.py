"""A guardian agrees for a child under fourteen, in person at a counter (PIPL article 31)."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from auth import residents, rules
from auth.agreements import keeping
from auth.agreements.errors import GuardianMustAgree, GuardianUnfit, NotUnderFourteen
from auth.agreements.keeping import TO_NAME_A_CHILD, Guardian
from auth.agreements.texts import Kind
from auth.models import Resident
from auth.rules import AgeBand, CitizenNumber
from auth.verification import chips
from auth.verification.chips import ChipRead
from core import clock
from core.actors import Actor
from core.db import session, transaction
from core.errors import NotFound

# What the clerk was shown of who answers for the child.
DOCUMENTS = ("household_register", "birth_certificate", "guardianship_decision")


@dataclass(frozen=True, slots=True)
class Word:
    """What a guardian says at a counter: their chip, the document that shows who answers for the child, the texts agreed to."""

    chip: ChipRead
    document: str
    wanted: tuple[tuple[Kind, str], ...]


def agree_for(actor: Actor, child_id: UUID, word: Word) -> list[str]:
    """Write down that the person at the counter agrees for a child who is named; gives what is still due. Calls the register.

    Raises NotFound for a child of another city, NotUnderFourteen, GuardianUnfit for somebody who is no grown-up resident of the city,
    and AgreementOutdated.
    """
    number = chips.checked(actor, word.chip)
    with transaction():
        child = session().get(Resident, child_id)
        if child is None or child.city_id != actor.city_id or child.state != "active":
            raise NotFound()
        if residents.age_band(child.id) is not AgeBand.UNDER_14:
            raise NotUnderFourteen()
        write(actor, child.id, _fit(actor, number), word)
        return keeping.due(child.id)


def before_naming(actor: Actor, phone: str, number: CitizenNumber, word: Word | None) -> UUID | None:
    """The guardian who agrees before anything of a child is asked or kept; None where none is needed, or one agreed earlier.

    Calls the register, for the guardian alone. Raises GuardianMustAgree, GuardianUnfit, and NotUnderFourteen for a word about
    somebody older.
    """
    child = rules.age_band(number.born, clock.today()) is AgeBand.UNDER_14
    if word is None:
        if child:
            _need_earlier_word(actor, phone, number)
        return None
    if not child:
        raise NotUnderFourteen()
    if not {kind for kind, _ in word.wanted} >= set(TO_NAME_A_CHILD):
        raise GuardianMustAgree()
    own = chips.checked(actor, word.chip)
    with transaction():
        return _fit(actor, own)


def write(actor: Actor, child_id: UUID, guardian_id: UUID, word: Word) -> None:
    """Write a guardian's word down, in the current transaction; AgreementOutdated."""
    keeping.agree(actor, word.wanted, by=Guardian(child_id, guardian_id, word.document))


def _need_earlier_word(actor: Actor, phone: str, number: CitizenNumber) -> None:
    """GuardianMustAgree unless this number's account is this child's, and a guardian agreed for it."""
    with transaction():
        known = residents.by_phone(actor.city_id, phone)
        if known is None or not residents.holds(known, number.text):
            raise GuardianMustAgree()
        keeping.need_guardian(known.id)


def _fit(actor: Actor, number: CitizenNumber) -> UUID:
    """The resident with this number, who may be a guardian; GuardianUnfit otherwise."""
    found = residents.by_citizen_number(actor.city_id, number.text)
    grown = rules.age_band(number.born, clock.today()) in (AgeBand.ADULT, AgeBand.ELDER)
    if found is None or found.state != "active" or not grown:
        raise GuardianUnfit()
    return found.id
