"""The residents of a demo city, who do not exist: the same people from the same seed on every machine."""

import datetime as dt
from dataclasses import dataclass
from functools import lru_cache

from config.cities.chance import Chance, Weighted
from config.cities.families import Draft, settle, years_between
from config.cities.loading import load
from config.cities.naming import Namer
from config.cities.shapes import CardState, Cell, City, Form, Person, Point

WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)  # GB 11643-1999 section 4.2
HAS_A_PHONE_FROM = 12
OF_AGE = 18  # Civil Code article 17
LEVELS = Weighted({1: 30, 2: 250, 3: 120, 4: 600})
STATES: Weighted[CardState] = Weighted(
    {"active": 900, "inactive": 20, "lost": 20, "frozen": 10, "locked": 8, "expired": 15, "cancelled": 15, "none": 12}
)
TOP_UPS_FEN = Weighted({0: 10, 1000: 8, 2000: 12, 5000: 30, 10000: 25, 20000: 10, 30000: 4, 50000: 1})
BUILDINGS = 3  # of every cell
FLOORS, FLATS = 18, 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Resident:
    """An invented resident: what the police know, where the household lives, and how far the demo has come with them."""

    key: str
    city_id: int
    name: str
    pinyin: str
    sex: str
    birth: dt.date
    citizen_number: str
    phone: str | None
    guardian: str | None  # key of the parent who answers for a minor
    household: int
    cell: str
    point: Point  # WGS-84
    address: str
    identity_level: int
    card: CardState
    form: Form
    top_up_fen: int
    role: str = ""


@dataclass(frozen=True, slots=True)
class Home:
    cell: str
    point: Point
    address: str


def check_digit(digits: str) -> str:
    """Give the eighteenth character for seventeen digits (GB 11643-1999, ISO 7064 MOD 11-2)."""
    total = sum(weight * int(digit) for weight, digit in zip(WEIGHTS, digits, strict=True))
    return "10X98765432"[total % 11]


def homes(city: City, count: int, chance: Chance) -> list[Home]:
    """Give each household a flat in a building of a cell."""
    names = {each.code: each.zh for each in city.regions}
    return [_home(city, chance.pick(city.cells), names, chance) for _ in range(count)]


def _home(city: City, cell: Cell, names: dict[str, str], chance: Chance) -> Home:
    building = chance.between(1, BUILDINGS)
    corner, (middle_x, middle_y) = cell.ring[building - 1], cell.centre
    point = (round((corner[0] + middle_x) / 2, 6), round((corner[1] + middle_y) / 2, 6))
    flat = f"{chance.between(1, FLOORS)}{chance.between(1, FLATS):02}"
    community = names[cell.code[:12]]
    road = f"{community.removesuffix('社区')}路{int(cell.code[12:]) * 2 + 6}号{building}幢"
    area = city.facts.zh + names[cell.code[:6]] + names[cell.code[:9]] + community
    return Home(cell.code, point, f"{area}{road}{flat}室")


class Numbers:
    """Gives out citizen numbers and phones, each once."""

    def __init__(self, city: City, chance: Chance) -> None:
        self._districts = [each.code for each in city.regions if each.level == "district"]
        self._chance = chance
        self._numbers: set[str] = set()
        self._phones = {each.phone for each in city.cast}
        self._phone_start = f"1990{str(city.id)[3]}"

    def citizen_number(self, sex: str, birth: dt.date) -> str:
        """Draw a number: district, day of birth, a sequence odd for men and even for women, check digit."""
        while True:
            sequence = self._chance.below(500) * 2 + (sex == "m")
            digits = f"{self._chance.pick(self._districts)}{birth:%Y%m%d}{sequence:03}"
            if digits not in self._numbers:
                self._numbers.add(digits)
                return digits + check_digit(digits)

    def phone(self) -> str:
        """Draw a phone number of the range that the demo uses."""
        while True:
            phone = f"{self._phone_start}{self._chance.between(10_000, 999_999):06}"
            if phone not in self._phones:
                self._phones.add(phone)
                return phone


@dataclass(frozen=True, slots=True)
class Standing:
    """How far somebody has come in the demo."""

    level: int
    card: CardState
    form: Form
    top_up_fen: int


def standing(age: int, chance: Chance) -> Standing:
    """Draw identity level, card and money; a small child has a plastic card and no wallet of its own."""
    level, card, money = LEVELS.draw(chance), STATES.draw(chance), TOP_UPS_FEN.draw(chance)
    plastic = age < HAS_A_PHONE_FROM or age >= 75 or chance.once_in(6) or card == "inactive"
    if age < HAS_A_PHONE_FROM:
        level = 3
    if level == 1:
        card = "none"
    if plastic and card != "none":
        level = max(level, 3)
    if card in ("none", "inactive", "cancelled"):
        money = 0
    return Standing(level, card, "physical" if plastic else "virtual", money)


def _cast_member(person: Person, city: City, home: Home, draft: Draft, guardian: str | None, number: str) -> Resident:
    return Resident(
        key=person.key,
        city_id=city.id,
        name=person.name,
        pinyin=person.pinyin,
        sex=person.sex,
        birth=person.birth,
        citizen_number=number,
        phone=person.phone,
        guardian=guardian,
        household=draft.household,
        cell=home.cell,
        point=home.point,
        address=home.address,
        identity_level=person.identity_level,
        card=person.card,
        form=person.form,
        top_up_fen=person.top_up_fen,
        role=person.role,
    )


class Registry:
    """Turns drafts into residents, one after the other, since a child needs its parent's name first."""

    def __init__(self, city: City, drafts: list[Draft]) -> None:
        self.city, self.drafts = city, drafts
        self.namer, self.chance = Namer(), Chance(city.facts.seed, "people")
        self.numbers = Numbers(city, Chance(city.facts.seed, "numbers"))
        count = max((each.household for each in drafts), default=-1) + 1
        self.homes = homes(city, count, Chance(city.facts.seed, "homes"))
        self.surnames = [self.namer.surname(self.chance) for _ in drafts]
        for draft, person in zip(drafts, city.cast, strict=False):
            if draft.parent >= len(city.cast):
                self.surnames[draft.parent] = self.namer.surname_of(person.name)

    def key(self, place: int) -> str:
        cast = self.city.cast
        return cast[place].key if place < len(cast) else f"{self.city.slug}-{place + 1:05}"

    def resident(self, place: int) -> Resident:
        draft = self.drafts[place]
        home = self.homes[draft.household]
        age = years_between(draft.birth, self.city.facts.start)
        number = self.numbers.citizen_number(draft.sex, draft.birth)
        guardian = self.key(draft.parent) if age < OF_AGE and draft.parent >= 0 else None
        if place < len(self.city.cast):
            return _cast_member(self.city.cast[place], self.city, home, draft, guardian, number)
        stands = standing(age, self.chance)
        surname = self.surname(place)
        given = self.namer.given(draft.sex, draft.birth, self.chance)
        return Resident(
            key=self.key(place),
            city_id=self.city.id,
            name=surname + given,
            pinyin=self.namer.pinyin(surname, given),
            sex=draft.sex,
            birth=draft.birth,
            citizen_number=number,
            phone=None if age < HAS_A_PHONE_FROM and guardian else self.numbers.phone(),
            guardian=guardian,
            household=draft.household,
            cell=home.cell,
            point=home.point,
            address=home.address,
            identity_level=stands.level,
            card=stands.card,
            form=stands.form,
            top_up_fen=stands.top_up_fen,
        )

    def surname(self, place: int) -> str:
        """Give a child the surname of its parent."""
        parent = self.drafts[place].parent
        if parent < 0:
            return self.surnames[place]
        if parent < len(self.city.cast):
            return self.namer.surname_of(self.city.cast[parent].name)
        return self.surname(parent)


@lru_cache(maxsize=8)
def _residents(fingerprint: str, city_id: int) -> tuple[Resident, ...]:
    city = load(city_id)
    first = [Draft(each.sex, each.birth) for each in city.cast]
    today = city.facts.start
    drafts = settle(city.facts.residents, today, Chance(city.facts.seed, "families"), first)
    registry = Registry(city, drafts)
    return tuple(registry.resident(place) for place in range(len(drafts)))


def residents(city: City) -> tuple[Resident, ...]:
    """Give everybody of a demo city, the cast first; made once a process, since the fingerprint stands for the city."""
    return _residents(city.fingerprint, city.id)
