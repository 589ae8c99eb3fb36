"""The chip of an identity card, read at a counter: what stands on it, and whether the register knows it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

from auth.errors import DocumentExpired, IdentityMismatch
from auth.installing import parts
from auth.rules import CitizenNumber
from auth.verification import evidence
from auth.verification.police import IdentityResult
from core import clock
from core.actors import Actor


@dataclass(frozen=True, slots=True)
class ChipRead:
    """What the reader at the counter took from the chip of an identity card."""

    name: str = field(repr=False)
    citizen_number: str = field(repr=False)
    valid_until: dt.date | None
    reader: str


def written(chip: ChipRead) -> tuple[str, CitizenNumber]:
    """The name and number on a card that is valid today; nobody is asked. DocumentExpired, NameInvalid, CitizenNumberInvalid."""
    if chip.valid_until is not None and chip.valid_until < clock.today():
        raise DocumentExpired()
    return evidence.read(chip.name, chip.citizen_number)


def checked(actor: Actor, chip: ChipRead) -> CitizenNumber:
    """The number on a card that is valid today and that the register knows."""
    name, number = written(chip)
    evidence.count_counter_try(actor)
    if parts().police.check_identity(name=name, citizen_number=number.text) is not IdentityResult.MATCH:
        raise IdentityMismatch()
    return number
