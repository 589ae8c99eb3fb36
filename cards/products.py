"""The kinds of card a city issues, taken over from the city's data into the database, with their terms by date."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import psycopg.errors
from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError

from cards.errors import NumbersExhausted, ProductUnknown, RangeChanged
from cards.models import CardProduct, CardRange
from cards.numbers import compose
from cards.rules import Lapse
from core import clock
from core.db import session

RUNNING_DIGITS = 11


@dataclass(frozen=True, slots=True)
class FormTerms:
    """How one form of the product is issued: how long it is valid, from which identity level, active at once or not."""

    form: str
    validity_years: int
    minimum_identity_level: int
    needs_activation: bool


@dataclass(frozen=True, slots=True)
class LossTerms:
    """When a temporary loss lapses (in calendar days or in working days) and what then happens to the card."""

    days: int
    working: bool
    lapse: Lapse


@dataclass(frozen=True, slots=True, kw_only=True)
class WalletTerms:
    """What a wallet of one mode may hold, spend and take in, in fen; the daily count is in payments."""

    balance_cap_fen: int
    single_limit_fen: int
    daily_limit_fen: int
    daily_count: int
    monthly_limit_fen: int
    highest_single_limit_fen: int
    highest_daily_limit_fen: int
    highest_monthly_limit_fen: int
    top_up_minimum_fen: int
    top_up_maximum_fen: int
    top_up_unit_fen: int


@dataclass(frozen=True, slots=True)
class Product:
    """A kind of card of one city."""

    city_id: int
    code: str
    zh: str
    en: str
    issuer: str
    number_prefix: str | None
    wallet_mode: str
    terms: Mapping[str, Any]

    def form(self, form: str, on: dt.date) -> FormTerms:
        """The terms of a form on a day; ProductUnknown when the city does not issue it (yet)."""
        found = _in_force((t for t in self.terms["form"] if t["form"] == form), on)
        if found is None:
            raise ProductUnknown()
        return FormTerms(form, found["validity_years"], found["minimum_identity_level"], found["needs_activation"])

    def loss(self, on: dt.date) -> LossTerms:
        """The loss rule on a day; a product without one keeps a temporary loss for fifteen days and then releases it."""
        found = _in_force(self.terms["loss"], on) or {"temporary_days": 15, "when_lapsed": "release"}
        working = "temporary_working_days" in found
        return LossTerms(found["temporary_working_days" if working else "temporary_days"], working, Lapse(found["when_lapsed"]))

    def wallet(self, on: dt.date) -> WalletTerms:
        """The terms of its holders' wallets on a day; ProductUnknown when the city has set none (yet)."""
        found = _in_force(self.terms.get("wallet", ()), on)
        if found is None:
            raise ProductUnknown()
        return WalletTerms(**{name: value for name, value in found.items() if name != "from"})

    @property
    def forms(self) -> list[str]:
        """The forms issued today."""
        today = clock.today()
        return sorted({t["form"] for t in self.terms["form"] if dt.date.fromisoformat(t["from"]) <= today})


def _in_force(dated: Iterable[Mapping[str, Any]], on: dt.date) -> Mapping[str, Any] | None:
    begun = [terms for terms in dated if dt.date.fromisoformat(terms["from"]) <= on]
    return max(begun, key=lambda terms: str(terms["from"])) if begun else None


def apply_products(city_id: int, products: Iterable[Mapping[str, Any]]) -> None:
    """Take over a city's products in the current transaction; the same data again changes nothing, a missing product is withdrawn."""
    known = []
    for product in products:
        _open_range(product)
        values = {
            "zh": product["zh"],
            "en": product["en"],
            "issuer": product["issuer"],
            "number_prefix": product.get("number_prefix"),
            "wallet_mode": product["wallet_mode"],
            "terms": {name: _plain(product.get(name, ())) for name in ("form", "loss", "wallet")},
            "withdrawn_at": None,
        }
        row = insert(CardProduct).values(city_id=city_id, code=product["code"], **values)
        session().execute(row.on_conflict_do_update(index_elements=["city_id", "code"], set_=values))
        known.append(product["code"])
    session().execute(
        text(
            "UPDATE card_product SET withdrawn_at = city_now()"
            " WHERE city_id = :city AND withdrawn_at IS NULL AND NOT code = ANY(CAST(:known AS text[]))"
        ),
        {"city": city_id, "known": known},
    )


def _open_range(product: Mapping[str, Any]) -> None:
    """See that the product's own numbers can be drawn; a card of another issuer brings its number along and has no prefix here."""
    if product.get("number_prefix") is None:
        return
    values = {
        "issuer": product["issuer"],
        "prefix": product["number_prefix"],
        "width": product.get("running_digits", RUNNING_DIGITS),
        "first": product["first_number"],
        "last": product["last_number"],
    }
    try:
        with session().begin_nested():
            session().execute(text("SELECT open_card_range_v1(:issuer, :prefix, :width, :first, :last)"), values)
    except DBAPIError as fault:
        if isinstance(fault.orig, psycopg.errors.ExclusionViolation):
            raise RangeChanged() from fault
        raise


def _plain(dated: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Terms as JSON holds them: a TOML date becomes its text."""
    return [{key: value.isoformat() if isinstance(value, dt.date) else value for key, value in terms.items()} for terms in dated]


def product_of(city_id: int, code: str) -> Product:
    """One product of a city that is issued now; ProductUnknown otherwise."""
    row = session().get(CardProduct, (city_id, code))
    if row is None or row.withdrawn_at is not None:
        raise ProductUnknown()
    return _product(row)


def products_of(city_id: int) -> list[Product]:
    """The products a city issues now."""
    rows = session().scalars(
        select(CardProduct).where(CardProduct.city_id == city_id, CardProduct.withdrawn_at.is_(None)).order_by(CardProduct.code)
    )
    return [_product(row) for row in rows]


def terms_of(city_id: int, code: str) -> Product:
    """The product of a card that exists, withdrawn or not."""
    row = session().get_one(CardProduct, (city_id, code))
    return _product(row)


def wallet_terms(city_id: int, mode: str, on: dt.date) -> WalletTerms:
    """The terms of a city's wallets of a mode on a day; ProductUnknown when no product of that mode has any (yet).

    Products of a mode agree on them (the city's data are checked for it) and they outlive the last product; one that has none yet does
    not hide those of another.
    """
    products = select(CardProduct).where(CardProduct.city_id == city_id, CardProduct.wallet_mode == mode)
    rows = session().scalars(products.order_by(CardProduct.withdrawn_at.nulls_first(), CardProduct.code))
    found = next((product for product in map(_product, rows) if _in_force(product.terms.get("wallet", ()), on)), None)
    if found is None:
        raise ProductUnknown()
    return found.wallet(on)


def draw_numbers(product: Product, how_many: int = 1) -> list[str]:
    """New card numbers of the product's range: each drawn from the database's sequence once, whatever becomes of the transaction."""
    held = (
        session()
        .scalars(select(CardRange).where(CardRange.issuer == product.issuer, CardRange.prefix == product.number_prefix))
        .one_or_none()
    )
    if held is None or product.number_prefix is None:
        raise ProductUnknown()
    try:
        drawn = (
            session()
            .scalars(
                text("SELECT nextval(CAST(:sequence AS regclass)) FROM generate_series(1, :how_many)"),
                {"sequence": held.sequence, "how_many": how_many},
            )
            .all()
        )
    except DBAPIError as fault:
        if isinstance(fault.orig, psycopg.errors.SequenceGeneratorLimitExceeded):
            raise NumbersExhausted() from fault
        raise
    return [compose(product.number_prefix, running, held.width) for running in drawn]


def _product(row: CardProduct) -> Product:
    return Product(row.city_id, row.code, row.zh, row.en, row.issuer, row.number_prefix, row.wallet_mode, row.terms)
