"""A partner's counter scans a pay code: consumed once, named only with consent, seen by the resident, and guessing is bound."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from werkzeug.test import TestResponse

import auth
from auth.partners import registering
from auth.partners.registering import Registration
from auth.scopes import PartnerScope
from config.settings import Settings
from core import clock, db, ids
from core.actors import Actor, ActorKind, system
from tests.access.whole import LINHU, YUNCHUAN, Person, Whole, whole
from tests.partners.conftest import PURPOSES, public_jwk


@pytest.fixture
def town(settings: Settings) -> Iterator[Whole]:
    """The whole program."""
    with whole(settings) as made:
        yield made


@pytest.fixture
def wang(town: Whole) -> Person:
    """A resident with a card and a phone that makes codes."""
    person = town.resident()
    town.give_card(person)
    return person


def library(city: int = YUNCHUAN) -> UUID:
    """A partner of a city."""
    key = {**public_jwk(ec.generate_private_key(ec.SECP256R1())), "kid": "one"}
    with db.transaction():
        wanted = Registration(code="library", zh="云川市图书馆", en="Library", agency_id=uuid4(), keys=[key], purposes=PURPOSES)
        return registering.register(system("test", city), city, wanted).id


def token(partner: UUID, *scopes: str, city: int = YUNCHUAN) -> str:
    """Its token in its own name."""
    actor = Actor(kind=ActorKind.PARTNER, id=partner, city_id=city, scopes=frozenset(scopes), signed_in_at=clock.now())
    return auth.parts().tokens.issue(actor).access_token


def present(town: Whole, bearer: str, code: str, purpose: str = "lending") -> TestResponse:
    headers = {"Authorization": f"Bearer {bearer}", "Content-Type": "application/json"}
    return town.send("POST", "/api/partner/presentations", headers=headers, body=json.dumps({"code": code, "purpose": purpose}).encode())


def as_resident(town: Whole, person: Person, method: str, path: str, body: Any = None) -> TestResponse:
    headers = {"Authorization": f"Bearer {person.token}", "Content-Type": "application/json"}
    return town.send(method, path, headers=headers, body=b"" if body is None else json.dumps(body).encode())


def test_a_code_is_consumed_and_names_nobody_without_consent(town: Whole, wang: Person) -> None:
    bearer, code = token(library(), PartnerScope.VERIFY), wang.code()
    answer = present(town, bearer, code)
    assert answer.status_code == 201, answer.text
    assert answer.json["masked_name"].count("*") == 1
    assert answer.json["subject"] is None
    assert answer.json["card"]["concession"] is None
    assert present(town, bearer, code).json["code"] == "code_used"
    used = as_resident(town, wang, "GET", "/api/me/data-uses").json["items"]
    assert [(use["by"], use["by_name"], use["purpose"]) for use in used] == [("partner", "云川市图书馆", "lending")]


def test_with_consent_the_partner_learns_its_own_name_for_the_resident_and_reads_by_it(town: Whole, wang: Person) -> None:
    partner = library()
    body = {"partner": ids.show("partner", partner), "purpose": "lending", "text_version": 1}
    assert as_resident(town, wang, "POST", "/api/me/consents", body).status_code == 201
    bearer = token(partner, PartnerScope.VERIFY, PartnerScope.READ_RESIDENT)
    subject = present(town, bearer, wang.code()).json["subject"]
    path = f"/api/partner/residents/{subject}?purpose=lending"
    answer = town.send("GET", path, headers={"Authorization": f"Bearer {bearer}"})
    assert answer.json["fields"]["phone"] == wang.phone


def test_scope_purpose_and_city_bound_what_a_partner_may_verify(town: Whole, wang: Person) -> None:
    partner = library()
    assert present(town, token(partner, PartnerScope.READ_RESIDENT), wang.code()).json["code"] == "denied"
    assert present(town, token(partner, PartnerScope.VERIFY), wang.code(), "nothing").json["code"] == "purpose_unknown"
    elsewhere = token(library(LINHU), PartnerScope.VERIFY, city=LINHU)
    assert present(town, elsewhere, wang.code()).json["code"] == "code_of_other_city"


def test_the_scope_of_concessions_shows_them(town: Whole, wang: Person) -> None:
    bearer = token(library(), PartnerScope.VERIFY, PartnerScope.SEE_CONCESSION)
    assert present(town, bearer, wang.code()).status_code == 201
    fields = as_resident(town, wang, "GET", "/api/me/data-uses").json["items"][0]["fields"]
    assert "concession" in fields


def test_a_partner_that_guesses_is_stopped(town: Whole, wang: Person) -> None:
    bearer = token(library(), PartnerScope.VERIFY)
    prefix = wang.code()[:2]
    answers = [present(town, bearer, f"{prefix}{number:016d}").json["code"] for number in range(25)]
    assert answers[0] == "code_unknown"
    assert answers[-1] == "too_many_wrong_codes"
    assert present(town, bearer, wang.code()).json["code"] == "too_many_wrong_codes"
