"""Pure decisions of the auth floor: how people, numbers and levels look. No database, no clock, no request."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from enum import IntEnum, StrEnum

_PHONE = re.compile(r"(?:\+?86[- ]?)?(1[3-9][0-9]{9})")
_CITIZEN = re.compile(r"[1-9][0-9]{16}[0-9X]")
_NAME = re.compile(r"[\u3400-\u9fff\U00020000-\U0003134f·]{2,40}")
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10X98765432"
_OLDEST = 150
"""Years; nobody alive was born earlier."""


class Level(IntEnum):
    """How surely the person is known (D27): L0 nobody, L1 a phone, L2 name and number, L3 bank or counter, L4 face or chip."""

    NOBODY = 0
    PHONE = 1
    NAMED = 2
    BANK = 3
    PERSON = 4


class Strength(IntEnum):
    """How strongly this session was signed in (D27): S1 SMS on a new device, S2 two proofs, S3 face, chip or passkey."""

    NONE = 0
    SMS = 1
    TWO = 2
    STRONG = 3


class Method(StrEnum):
    """How a person proved something; stands in the evidence list."""

    PHONE = "phone"
    TWO_ELEMENTS = "police_two_elements"
    COUNTER_DOCUMENT = "counter_document"
    LIVE_FACE = "live_face"
    COUNTER_CHIP = "counter_chip"


class AgeBand(StrEnum):
    """What the law distinguishes by age: under 14, 14 to 17, adult, and 60 or over."""

    UNDER_14 = "under_14"
    MINOR = "14_to_17"
    ADULT = "adult"
    ELDER = "60_or_over"


GIVES_LEVEL = {
    Method.PHONE: Level.PHONE,
    Method.TWO_ELEMENTS: Level.NAMED,
    Method.COUNTER_DOCUMENT: Level.BANK,
    Method.LIVE_FACE: Level.PERSON,
    Method.COUNTER_CHIP: Level.PERSON,
}
GIVES_STRENGTH = {
    Method.PHONE: Strength.SMS,
    Method.TWO_ELEMENTS: Strength.TWO,
    Method.COUNTER_DOCUMENT: Strength.TWO,
    Method.LIVE_FACE: Strength.STRONG,
    Method.COUNTER_CHIP: Strength.STRONG,
}


@dataclass(frozen=True, slots=True)
class CitizenNumber:
    """A citizen number that is well formed (GB 11643): region, birth date and the whole text."""

    text: str
    region: str
    born: dt.date
    male: bool


def acr(level: int, strength: int) -> str:
    """Both axes of D27 as one claim: ``L2.S1``."""
    return f"L{level}.S{strength}"


def phone_number(text: str) -> str | None:
    """The eleven digits of a mainland mobile number, or None."""
    found = _PHONE.fullmatch(text.strip())
    return found[1] if found else None


def masked_phone(phone: str) -> str:
    """``199****1234``."""
    return f"{phone[:3]}****{phone[-4:]}"


def person_name(text: str) -> str | None:
    """A name as it stands on a card: Han characters and the middle dot, which has several look-alikes; or None."""
    name = re.sub(r"[•・‧∙.]", "·", "".join(text.split()))
    return name if _NAME.fullmatch(name) and not name.startswith("·") and not name.endswith("·") else None


def masked_name(name: str) -> str:
    """``王*明``: first and last character stay; of two only the first."""
    return f"{name[0]}*" if len(name) == 2 else f"{name[0]}{'*' * (len(name) - 2)}{name[-1]}"


def citizen_number(text: str, today: dt.date) -> CitizenNumber | None:
    """Read a citizen number (GB 11643): form, check digit (ISO 7064 MOD 11-2) and a birth date that can be; or None."""
    number = text.strip().upper()
    if not number.isascii() or not _CITIZEN.fullmatch(number):
        return None
    if check_digit(number[:17]) != number[17]:
        return None
    try:
        born = dt.date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return None
    if born > today or born.year < today.year - _OLDEST:
        return None
    return CitizenNumber(number, number[:6], born, int(number[16]) % 2 == 1)


def check_digit(seventeen: str) -> str:
    """The eighteenth character of a citizen number (ISO 7064 MOD 11-2)."""
    return _CHECKS[sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, seventeen, strict=True)) % 11]


def age(born: dt.date, today: dt.date) -> int:
    """Whole years on a day; the birthday itself counts, and 29 February comes on 1 March in other years."""
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


def age_band(born: dt.date, today: dt.date) -> AgeBand:
    """Which rules of age hold on a day."""
    years = age(born, today)
    if years < 14:
        return AgeBand.UNDER_14
    if years < 18:
        return AgeBand.MINOR
    return AgeBand.ADULT if years < 60 else AgeBand.ELDER
