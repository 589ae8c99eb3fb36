"""The whole program with one partner, a resident, and a receiver that writes down what it is sent."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from werkzeug.test import TestResponse

import auth
from auth.partners import registering
from auth.partners.registering import Registration
from auth.scopes import PartnerScope
from command.clock import BRING_NEARER
from config.settings import Settings
from core import clock, db, ids, jobs, outbox, pulse
from core.actors import Actor, ActorKind, system
from services import exchange
from services.exchange.sending import Outcome, Sender
from tests.access.whole import ISSUER, YUNCHUAN, Person, Whole, whole
from tests.partners.conftest import PURPOSES, public_jwk

URL = "https://hooks.library.cn/citycard"
AT = "/api/partner/webhook-endpoints"
EVERYTHING = ["citycard.consent.granted", "citycard.consent.withdrawn", "citycard.card.lost", "citycard.card.found"]


class Killed(BaseException):
    """The worker is gone at this very place."""


@dataclass
class Got:
    """One request as it came."""

    url: str
    headers: dict[str, str]
    body: bytes

    @property
    def event(self) -> dict[str, Any]:
        return dict(json.loads(self.body))


@dataclass
class Receiver(Sender):
    """The partner's side of the line: answers from ``answers``, then always 204."""

    got: list[Got] = field(default_factory=list)
    answers: list[Outcome | BaseException] = field(default_factory=list)
    always: Outcome = field(default_factory=lambda: Outcome(204))

    def __post_init__(self) -> None:
        super().__init__()

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Outcome:
        assert not db.in_transaction(), "nobody calls outside within a transaction"
        self.got.append(Got(url, dict(headers), body))
        answer = self.answers.pop(0) if self.answers else self.always
        if isinstance(answer, BaseException):
            raise answer
        return answer


@dataclass
class Library:
    """A partner with its token."""

    town: Whole
    id: UUID

    @property
    def bearer(self) -> str:
        scopes = frozenset(str(scope) for scope in PartnerScope)
        actor = Actor(kind=ActorKind.PARTNER, id=self.id, city_id=YUNCHUAN, scopes=scopes, signed_in_at=clock.now())
        return auth.parts().tokens.issue(actor).access_token

    def call(self, method: str, path: str, body: Any = None) -> TestResponse:
        headers = {"Authorization": f"Bearer {self.bearer}", "Content-Type": "application/json"}
        return self.town.send(method, path, headers=headers, body=b"" if body is None else json.dumps(body).encode())

    def endpoint(self, url: str = URL, events: list[str] | None = None) -> dict[str, Any]:
        answer = self.call("POST", AT, {"url": url, "events": events or EVERYTHING})
        assert answer.status_code == 201, answer.text
        return dict(answer.json)

    def deliveries(self, endpoint: str) -> list[dict[str, Any]]:
        answer = self.call("GET", f"{AT}/{endpoint}/deliveries")
        assert answer.status_code == 200, answer.text
        return list(answer.json["items"])


def register(code: str = "library") -> UUID:
    key = {**public_jwk(ec.generate_private_key(ec.SECP256R1())), "kid": "one"}
    with db.transaction():
        wanted = Registration(
            code=code, zh="云川市图书馆", en="Library", agency_id=uuid4(), scopes=("webhooks:manage",), keys=[key], purposes=PURPOSES
        )
        return registering.register(system("test", YUNCHUAN), YUNCHUAN, wanted).id


def as_resident(town: Whole, person: Person, method: str, path: str, body: Any = None) -> TestResponse:
    headers = {"Authorization": f"Bearer {person.token}", "Content-Type": "application/json", "Idempotency-Key": ids.new_id().hex}
    return town.send(method, path, headers=headers, body=b"" if body is None else json.dumps(body).encode())


def consent(town: Whole, person: Person, partner: UUID, purpose: str = "lending") -> str:
    body = {"partner": ids.show("partner", partner), "purpose": purpose, "text_version": 1}
    answer = as_resident(town, person, "POST", "/api/me/consents", body)
    assert answer.status_code == 201, answer.text
    return str(answer.json["id"])


def withdraw(town: Whole, person: Person, shown: str) -> None:
    assert as_resident(town, person, "DELETE", f"/api/me/consents/{shown}").status_code == 204


def report_lost(town: Whole, person: Person) -> None:
    assert person.card is not None
    answer = as_resident(town, person, "POST", f"/api/cards/{ids.show('card', person.card)}/loss", {})
    assert answer.status_code in (200, 201), answer.text


def work() -> None:
    """What the worker does until nothing is due."""
    outbox.drain()
    jobs.run_due()


def later(town: Whole, **by: float) -> None:
    """Let the city's time go on, and what waits come nearer, as ``citycard clock advance`` does."""
    step = dt.timedelta(**by)
    with psycopg.connect(town.settings.owner_database_url, autocommit=True) as owner:
        owner.execute('UPDATE clock_offset SET "offset" = "offset" + %s', (step,))
        owner.execute(BRING_NEARER, (step,))
    pulse.read_now()


@pytest.fixture
def town(settings: Settings) -> Iterator[Whole]:
    """The whole program."""
    with whole(settings) as made:
        yield made


@pytest.fixture
def receiver(town: Whole) -> Receiver:
    """In place of the line."""
    made = Receiver()
    exchange.configure(made, source=ISSUER)
    return made


@pytest.fixture
def library(town: Whole, receiver: Receiver) -> Library:
    """A partner."""
    return Library(town, register())


@pytest.fixture
def wang(town: Whole) -> Person:
    """A resident with a card."""
    person = town.resident()
    town.give_card(person)
    return person
