"""What a public service declares: its kind, the law it stands on, its fee, its texts, and what fills its kind (house: items)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from services.tariffs import Terms


class Kind(StrEnum):
    """The kinds of public services that the program has."""

    STATEMENT = "statement"


@dataclass(frozen=True, slots=True)
class Law:
    """A rule that the service stands on, with its number."""

    zh: str
    en: str
    number: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What fills the kind `statement`: how an account's number looks, what is metered, and the tariff where the city names none.

    `lawful` says whether terms keep to the rule about tiers; a city's own tariff is held to it at the start.
    """

    account: str
    unit: str
    tariff: tuple[Terms, ...]
    lawful: Callable[[Terms], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One public service."""

    code: str
    kind: Kind
    law: tuple[Law, ...]
    fee_fen: int = 0
    filled: Statement
    texts: Mapping[str, Texts] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    """How a service presents itself in one language."""

    name: str
    summary: str
    account_label: str
    account_help: str
    unit: str
    materials: tuple[str, ...]


def prices_at_least(*ratios: float) -> Callable[[Terms], bool]:
    """Whether the price of each tier is at least so many times that of the first."""

    def lawful(terms: Terms) -> bool:
        first = terms.tiers[0].price_e4
        return len(terms.tiers) == len(ratios) and all(t.price_e4 >= first * r for t, r in zip(terms.tiers, ratios, strict=True))

    return lawful


def prices_above_first(*more_e4: int) -> Callable[[Terms], bool]:
    """Whether each tier after the first costs at least so many ten-thousandths of a yuan more than the first."""

    def lawful(terms: Terms) -> bool:
        first = terms.tiers[0].price_e4
        return len(terms.tiers) == len(more_e4) + 1 and all(t.price_e4 >= first + m for t, m in zip(terms.tiers[1:], more_e4, strict=True))

    return lawful
