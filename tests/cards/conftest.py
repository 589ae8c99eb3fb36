"""The card floor over a database of its own, with the two demo cities' products and a small cast."""

from __future__ import annotations

import base64
import datetime as dt
import itertools
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from flask import Flask

import auth
import cards
from cards.authorisations.rules import CHANGE
from cards.codes import pay_keys, reading
from cards.codes.pay_code import STEP_SECONDS, PayKey
from cards.codes.pay_keys import PayKeyGiven
from cards.lifecycle import held
from config.settings import Settings
from core import clock, crypto, db, ids
from core.actors import Actor, ActorKind

YUNCHUAN, LINHU = 990100, 990200
PREFIXES = {YUNCHUAN: "81", LINHU: "82"}
CITIES = Path(__file__).parents[2] / "config" / "cities"
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_people = itertools.count(1)


def citizen_number(ordinal: int) -> str:
    """A citizen number of nobody, in the region that is given to nobody, with the right check character."""
    digits = f"99010119900101{ordinal:03d}"
    return (
        digits
        + "10X98765432"[sum(int(d) * w for d, w in zip(digits, (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2), strict=True)) % 11]
    )


@dataclass
class City:
    """A running card floor, and the actors of its tests."""

    app: Flask
    issued: list[cards.CardView] = field(default_factory=list)
    clerk: Actor = field(default_factory=lambda: staff())
    till: Actor = field(default_factory=lambda: terminal())

    def resident(self, *, city_id: int = YUNCHUAN, level: int = 4, name: str = "王晓明") -> Actor:
        """A resident who exists in the city, signed in on a phone."""
        nth = next(_people)
        person = auth.Newcomer(phone=f"199{nth:08d}", name=name, citizen_number=citizen_number(nth), identity_level=4)
        with db.transaction():
            auth.admit_many(city_id, [person])
        return Actor(kind=ActorKind.RESIDENT, id=person.id, city_id=city_id, identity_level=level, strength=2, device_id=ids.new_id())

    def card(self, holder: Actor) -> cards.CardView:
        """A virtual card of the holder."""
        with db.transaction():
            return cards.issue_card(holder, "resident")

    def key(self, holder: Actor, card: cards.CardView | UUID) -> Phone:
        """The holder's phone with the key of the card."""
        with db.transaction():
            given = pay_keys.give(holder, held(holder, card if isinstance(card, UUID) else card.id))
        return Phone(given)

    def ready(self) -> tuple[Actor, cards.CardView, Phone]:
        """王晓明 with a card and a phone that makes codes."""
        holder = self.resident()
        card = self.card(holder)
        return holder, card, self.key(holder, card)

    def do(self, step: Callable[..., Any], *args: Any, **options: Any) -> Any:
        """One step in a transaction of its own."""
        with db.transaction():
            return step(*args, **options)

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """What the application's role reads."""
        return db.connection().execute(query, values).fetchall()


@dataclass
class Phone:
    """A phone that makes codes from what it was given, the next tap each time within one step."""

    given: PayKeyGiven
    taps: dict[int, int] = field(default_factory=dict)

    def code(self, *, skew: float = 0, tap: int | None = None) -> str:
        """A code as shown ``skew`` seconds from now."""
        at = clock.timestamp() + skew
        step = int(at // 30)
        if tap is None:
            tap = self.taps.get(step, 0)
            self.taps[step] = tap + 1
        return self._key().make(at, tap)

    def code_of(self, step: int, tap: int) -> str:
        """The code of a step."""
        return self._key().make(step * STEP_SECONDS, tap)

    def _key(self) -> PayKey:
        secret, permutation = (_bytes(self.given.device_secret), _bytes(self.given.permutation_key))
        return PayKey(self.given.prefix, self.given.handle, secret, permutation)


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def staff(city_id: int = YUNCHUAN, *scopes: str) -> Actor:
    """何芳, the counter clerk."""
    return Actor(
        kind=ActorKind.STAFF, id=ids.new_id(), city_id=city_id, scopes=frozenset(scopes or ("cards:card:read", "cards:loss:report"))
    )


def terminal(city_id: int = YUNCHUAN, *more: str) -> Actor:
    """The counter terminal of 云川包子铺."""
    return Actor(kind=ActorKind.TERMINAL, id=ids.new_id(), city_id=city_id, scopes=frozenset({"presentation:create", *more}))


def products(city: str) -> list[dict[str, Any]]:
    """The products of a demo city as its file holds them."""
    found: list[dict[str, Any]] = tomllib.loads((CITIES / city / "products.toml").read_text())["product"]
    return found


def lasting(product: dict[str, Any], **loss: Any) -> dict[str, Any]:
    """A product with another rule of loss."""
    return {**product, "loss": [{"from": product["form"][0]["from"], **loss}]}


@pytest.fixture
def city(settings: Settings) -> Iterator[City]:
    """The card floor, wired without the floors above."""
    app = Flask("cards-test")
    db.init(app, settings.database_url)
    crypto.install(settings.root_key)
    cards.configure(prefixes=PREFIXES)
    reading.forget()
    db.drop_connection()
    with app.app_context():
        with db.transaction():
            cards.apply_products(YUNCHUAN, products("yunchuan"))
            cards.apply_products(LINHU, products("linhu"))
        yield City(app)
        db.db.engine.dispose()
    db.drop_connection()
    reading.forget()


@pytest.fixture
def at() -> Iterator[Callable[[float], None]]:
    """Move the city's time, in this process, by seconds; it begins well before the hour at which authorisations change."""
    clock.learn(before_the_change())

    def move(seconds: float) -> None:
        clock.learn(clock.offset() + dt.timedelta(seconds=seconds))

    yield move
    clock.learn(dt.timedelta())


def before_the_change() -> dt.timedelta:
    """How far to move the clock so that a test that takes an hour of it does not meet the change by chance."""
    now = clock.now().astimezone(clock.CHINA)
    change = dt.datetime.combine(now.date(), CHANGE, clock.CHINA)
    return change - now if dt.timedelta() < change - now < dt.timedelta(hours=2) else dt.timedelta()


def proved(holder: Actor) -> Actor:
    """The same person with a face or a passkey given just now."""
    return on(holder, strength=3, signed_in_at=clock.now())


def on(actor: Actor, **changes: Any) -> Actor:
    """The same person in other circumstances."""
    return replace(actor, **changes)
