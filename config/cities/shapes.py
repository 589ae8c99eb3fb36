"""What a city consists of, as frozen shapes whose fields say their own limits."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Literal, TypeVar

from msgspec import Meta

from config.cities.offered import OfferedItem
from config.cities.shape import Code, Shape

Words = Annotated[str, Meta(min_length=1, max_length=60)]
Fen = Annotated[int, Meta(ge=0, le=10**11)]
Days = Annotated[int, Meta(ge=0, le=3660)]
Level = Annotated[int, Meta(ge=0, le=4)]
Function = Annotated[str, Meta(pattern=r"\A[a-z]+(:[a-z_]+)+\Z")]
Phone = Annotated[str, Meta(pattern=r"\A1[3-9][0-9]{9}\Z")]
Point = tuple[float, float]  # longitude, latitude in WGS-84, the order of GeoJSON
CardState = Literal["none", "inactive", "active", "lost", "frozen", "locked", "expired", "cancelled"]
Form = Literal["virtual", "physical"]
HOURS = r"\A(mon|tue|wed|thu|fri|sat|sun)(-(mon|tue|wed|thu|fri|sat|sun))?( [0-2][0-9]:[0-5][0-9]-[0-2][0-9]:[0-5][0-9])+\Z"
Hours = Annotated[str, Meta(pattern=HOURS)]


class Keeper(Shape, frozen=True):
    """The bank that holds the residents' money for the platform."""

    zh: Words
    en: Words


class Facts(Shape, frozen=True):
    """The city itself, from city.toml."""

    id: Annotated[int, Meta(ge=100000, le=999999)]
    slug: Code
    zh: Words
    en: Words
    start: dt.date
    time_zone: Words
    pay_code_prefix: Annotated[str, Meta(pattern=r"\A[0-9]{2}\Z")]
    seed: int
    residents: Annotated[int, Meta(ge=0, le=100_000)]
    longitude: Annotated[float, Meta(ge=-180, le=180)]
    latitude: Annotated[float, Meta(ge=-90, le=90)]
    keeper: Keeper


class Region(Shape, frozen=True):
    """A city (6 digits), district (6), street (9) or community (12)."""

    code: Annotated[str, Meta(pattern=r"\A[0-9]{6}([0-9]{3}){0,2}\Z")]
    level: Literal["city", "district", "street", "community"]
    parent: str
    zh: Words
    en: Words

    def as_row(self) -> dict[str, str]:
        """Give the fields by name."""
        return {"code": self.code, "level": self.level, "parent": self.parent, "zh": self.zh, "en": self.en}


class Cell(Shape, frozen=True):
    """A grid cell: 6 digits of district, 3 of street, 3 of community, 3 of cell; its ring is closed."""

    code: Annotated[str, Meta(pattern=r"\A[0-9]{15}\Z")]
    ring: Annotated[tuple[Point, ...], Meta(min_length=4, max_length=200)]

    @property
    def centre(self) -> Point:
        """The mean of the corners, which lies inside a convex cell."""
        corners = self.ring[:-1]
        return sum(x for x, _ in corners) / len(corners), sum(y for _, y in corners) / len(corners)


class Agency(Shape, frozen=True):
    code: Code
    zh: Words
    en: Words
    kind: Code


class Place(Shape, frozen=True):
    """A counter, hall, branch, shop or other place with opening hours; without coordinates it lies in its cell's middle."""

    code: Code
    zh: Words
    en: Words
    kind: Literal["hall", "counter", "branch", "library", "hospital", "shop", "station"]
    cell: str
    hours: Annotated[tuple[Hours, ...], Meta(min_length=1, max_length=7)]
    agency: str = ""
    within: str = ""
    longitude: float | None = None
    latitude: float | None = None


class Terminal(Shape, frozen=True):
    code: Code
    zh: Words
    en: Words
    functions: Annotated[tuple[Function, ...], Meta(min_length=1, max_length=10)]


class CounterTerminal(Terminal, frozen=True):
    """A terminal of an agency's counter, which belongs to no merchant."""

    agency: str
    place: str = ""


class Merchant(Shape, frozen=True):
    """Who takes money by card; the account may go below zero by `refund_credit_fen` so that refunds never wait."""

    code: Code
    zh: Words
    en: Words
    category: Literal["food", "retail", "transit", "public"]
    place: str
    start: dt.date
    fee_rate_per_10000: Annotated[int, Meta(ge=0, le=1000)]
    refund_credit_fen: Fen
    agency: str = ""
    terminals: tuple[Terminal, ...] = ()


class Day(Shape, frozen=True):
    """A day on which the city differs from the country's calendar."""

    date: dt.date
    working: bool
    note: Words


class Calendar(Shape, frozen=True):
    country: Literal["CN"]
    working_hours: Annotated[tuple[Hours, ...], Meta(min_length=1, max_length=7)]
    days: tuple[Day, ...] = ()


class FormTerms(Shape, frozen=True):
    """What holds from a date for one form of a product."""

    form: Form
    start: dt.date
    validity_years: Annotated[int, Meta(ge=1, le=30)]
    first_fee_fen: Fen
    replacement_fee_fen: Fen
    minimum_identity_level: Level
    needs_activation: bool


class LossTerms(Shape, frozen=True):
    """A temporary report lapses after so many days and then releases or cancels; a written one does not lapse."""

    start: dt.date
    temporary_days: Days
    when_lapsed: Literal["release", "cancel"]
    written_within_working_days: Days
    replacement_wait_days: Days


class RenewalTerms(Shape, frozen=True):
    start: dt.date
    days_before_expiry: Days


class WalletTerms(Shape, frozen=True):
    """Limits of the wallet in fen: those it opens with and the highest its holder may set; cap and highest day are the law's at most."""

    start: dt.date
    balance_cap_fen: Annotated[int, Meta(gt=0, le=500_000)]
    single_limit_fen: Fen
    daily_limit_fen: Fen
    daily_count: Annotated[int, Meta(ge=1, le=10_000)]
    monthly_limit_fen: Fen
    highest_single_limit_fen: Fen
    highest_daily_limit_fen: Annotated[int, Meta(ge=0, le=500_000)]
    highest_monthly_limit_fen: Fen
    top_up_minimum_fen: Fen
    top_up_maximum_fen: Fen
    top_up_unit_fen: Annotated[int, Meta(gt=0)]


class Product(Shape, frozen=True):
    """A card product: its issuer, its range of numbers and its dated terms."""

    code: Code
    zh: Words
    en: Words
    issuer: Annotated[str, Meta(pattern=r"\A[0-9]{8}\Z")]
    number_prefix: Annotated[str, Meta(pattern=r"\A[0-9]{4}\Z")]
    first_number: Annotated[int, Meta(ge=10**10, lt=10**11)]
    last_number: Annotated[int, Meta(ge=10**10, lt=10**11)]
    wallet_mode: Literal["platform", "bank", "transport", "subsidy"]
    forms: Annotated[tuple[FormTerms, ...], Meta(min_length=1)]
    losses: Annotated[tuple[LossTerms, ...], Meta(min_length=1)]
    renewals: Annotated[tuple[RenewalTerms, ...], Meta(min_length=1)]
    wallets: Annotated[tuple[WalletTerms, ...], Meta(min_length=1)]


class Staff(Shape, frozen=True):
    login: Code
    zh: Words
    en: Words
    agency: str
    role: Literal["counter_clerk", "supervisor", "administrator"]
    place: str = ""


class Purpose(Shape, frozen=True):
    """Why a partner asks for which fields of a resident; its words are what the resident reads and agrees to."""

    code: Code
    zh: Annotated[str, Meta(min_length=4, max_length=400)]
    en: Annotated[str, Meta(min_length=4, max_length=400)]
    fields: tuple[str, ...] = ()


class Partner(Shape, frozen=True):
    code: Code
    zh: Words
    en: Words
    agency: str
    start: dt.date
    scopes: tuple[str, ...] = ()
    redirect_uris: tuple[str, ...] = ()
    logout_uris: tuple[str, ...] = ()
    purposes: tuple[Purpose, ...] = ()


class Person(Shape, frozen=True):
    """Somebody of the cast, with fixed facts; `top_up_fen` was topped up before the demo begins."""

    key: Code
    name: Annotated[str, Meta(min_length=2, max_length=50)]
    pinyin: Words
    sex: Literal["m", "f"]
    birth: dt.date
    phone: Phone
    identity_level: Level
    card: CardState
    role: Annotated[str, Meta(max_length=200)]
    form: Form = "virtual"
    top_up_fen: Fen = 0


Dated = TypeVar("Dated", FormTerms, LossTerms, RenewalTerms, WalletTerms)


def in_force(terms: Iterable[Dated], day: dt.date) -> Dated:
    """Give the terms whose start is the latest not after the day; LookupError when none holds yet."""
    holding = [each for each in terms if each.start <= day]
    if not holding:
        raise LookupError(f"no terms are in force on {day}")
    return max(holding, key=lambda each: each.start)


@dataclass(frozen=True, slots=True, kw_only=True)
class City:
    """A whole city as its files describe it, checked."""

    facts: Facts
    regions: tuple[Region, ...]
    cells: tuple[Cell, ...]
    agencies: tuple[Agency, ...]
    places: tuple[Place, ...]
    merchants: tuple[Merchant, ...]
    counter_terminals: tuple[CounterTerminal, ...]
    calendar: Calendar
    products: tuple[Product, ...]
    staff: tuple[Staff, ...]
    partners: tuple[Partner, ...]
    cast: tuple[Person, ...]
    items: tuple[OfferedItem, ...]
    fingerprint: str

    @property
    def id(self) -> int:
        return self.facts.id

    @property
    def slug(self) -> str:
        return self.facts.slug
