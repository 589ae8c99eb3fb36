"""Under fourteen a guardian agrees, in person at a counter (PIPL article 31)."""

from __future__ import annotations

import datetime as dt
import secrets
from typing import Any

import pytest
from sqlalchemy.exc import DBAPIError
from werkzeug.test import TestResponse

import auth
import migrations
from auth.agreements import texts
from core import db, ids
from tests.auth.conftest import LI, LINHU, WANG, YUNCHUAN, House, Phone, citizen_number
from tests.auth.test_signing_in import chip

CHILD = ("王小宝", citizen_number(dt.date(2016, 6, 1), 3))
TO_NAME = ("user_agreement", "privacy_policy", "identity_data")
ALL = (*TO_NAME, "face_data")


def present(*kinds: str) -> list[dict[str, str]]:
    return [{"kind": kind, "version": texts.present()[texts.Kind(kind)].version} for kind in kinds]


def code_for(house: House, clerk: str, phone: Phone) -> str:
    house.post("/api/counter/phone-codes", {"phone": phone.number}, token=clerk)
    return house.inbox.code(phone.number)


def named_at_counter(house: House, clerk: str, phone: Phone, person: tuple[str, str], *, guardian: tuple[str, str] | None = None) -> str:
    """Prove somebody by their chip, a child with a guardian beside them; gives the resident's id."""
    house.police.people[person[1]] = person[0]
    body = {"phone": phone.number, "code": code_for(house, clerk, phone), "chip": chip(person)}
    if guardian:
        body["agreed"] = word(guardian, *TO_NAME)
    answer = house.post("/api/counter/identity-checks", body, token=clerk, Idempotency_Key=f"counter-{secrets.token_hex(8)}")
    assert answer.status_code == 201, answer.text
    house.later(minutes=2)
    return str(answer.json["resident"])


def word(guardian: tuple[str, str], *kinds: str) -> dict[str, Any]:
    return {"items": present(*kinds), "guardian": chip(guardian), "document": "household_register"}


@pytest.fixture
def clerk(house: House) -> str:
    return house.staff("counter_clerk")


@pytest.fixture
def child(house: House) -> tuple[str, str]:
    """王小宝, ten years old, whom the city named before anybody asked a guardian: the resident's id and an access token."""
    phone = Phone()
    born = auth.Newcomer(name=CHILD[0], citizen_number=CHILD[1], phone=phone.number, identity_level=3)
    house.police.people[CHILD[1]] = CHILD[0]
    with db.transaction():
        auth.admit_many(YUNCHUAN, [born])
    return ids.show("resident", born.id), house.sign_in(phone)["access_token"]


def for_child(house: House, clerk: str, child: str, guardian: tuple[str, str] = WANG, **changed: Any) -> TestResponse:
    body = {**word(guardian, *ALL), **changed}
    return house.post(f"/api/counter/residents/{child}/guardian-agreements", body, token=clerk)


def due(house: House, token: str) -> list[str]:
    return list(house.call("GET", "/api/me", None, token=token).json["agreements_due"])


def test_a_child_does_not_agree_alone(house: House, child: tuple[str, str]) -> None:
    _, token = child
    refused = house.agree(token, "user_agreement")
    assert (refused.status_code, refused.json["code"]) == (403, "guardian_must_agree")
    assert house.rows("SELECT id FROM agreement_acceptance") == []
    assert due(house, token) == ["user_agreement", "privacy_policy"]


def test_what_a_guardian_agrees_to_counts_with_who_and_by_what(house: House, clerk: str, child: tuple[str, str]) -> None:
    resident, token = child
    guardian = named_at_counter(house, clerk, Phone(), WANG)
    clerk = house.staff("counter_clerk")
    assert house.post("/api/me/face-checks", None, token=token).json["code"] == "separate_consent_needed"
    answer = for_child(house, clerk, resident)
    assert (answer.status_code, answer.json) == (201, {"due": []})
    assert due(house, token) == []
    assert house.post("/api/me/face-checks", None, token=token).status_code == 201
    lines = house.call("GET", "/api/me/agreements", None, token=token).json["items"]
    assert [(line["guardian"], line["device"]) for line in lines] == [(guardian, None)] * 4
    assert house.rows("SELECT DISTINCT guardian_document FROM agreement_acceptance") == [("household_register",)]
    noted = "SELECT DISTINCT actor_kind, detail->>'guardian' FROM audit WHERE event = 'auth:agreement:accept'"
    assert house.rows(noted) == [("staff", guardian)]
    assert for_child(house, clerk, resident).status_code == 201
    assert len(house.rows("SELECT id FROM agreement_acceptance")) == 4


def test_what_a_child_agreed_to_before_being_named_counts_no_longer(house: House, clerk: str) -> None:
    phone = Phone()
    token = house.sign_in(phone)["access_token"]
    house.agree(token, "user_agreement", "privacy_policy")
    assert due(house, token) == []
    named_at_counter(house, clerk, Phone(), WANG)
    named_at_counter(house, clerk, phone, CHILD, guardian=WANG)
    assert due(house, token) == []
    lines = house.call("GET", "/api/me/agreements", None, token=token).json["items"]
    for line in lines:
        if line["guardian"]:
            house.call("DELETE", f"/api/me/agreements/{line['id']}", None, token=token)
    assert due(house, token) == ["user_agreement", "privacy_policy"]


def test_from_the_birthday_on_the_resident_is_asked(
    house: House, clerk: str, child: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    resident, token = child
    named_at_counter(house, clerk, Phone(), WANG)
    for_child(house, clerk, resident)
    monkeypatch.setattr("auth.rules.age", lambda born, today: 14)
    assert due(house, token) == ["user_agreement", "privacy_policy"]
    assert house.agree(token, "user_agreement", "privacy_policy").json == {"due": []}


def test_the_database_does_not_go_back_behind_a_guardians_agreement(house: House, clerk: str, child: tuple[str, str]) -> None:
    named_at_counter(house, clerk, Phone(), WANG)
    assert for_child(house, clerk, child[0]).status_code == 201
    with pytest.raises(DBAPIError, match="acceptances of guardians"):
        migrations.downgrade(house.owner_url, "0017")
    assert len(house.rows("SELECT guardian_id FROM agreement_acceptance")) == 4


def test_who_may_not_be_a_guardian(house: House, clerk: str, child: tuple[str, str]) -> None:
    resident, _ = child
    unknown = for_child(house, clerk, resident, LI)
    assert (unknown.status_code, unknown.json["code"]) == (409, "guardian_unfit")
    young = ("王大宝", citizen_number(dt.date(2010, 6, 1), 5))
    named_at_counter(house, clerk, Phone(), young)
    assert for_child(house, clerk, resident, young).json["code"] == "guardian_unfit"
    assert for_child(house, clerk, resident, CHILD).json["code"] == "guardian_unfit"
    assert house.rows("SELECT id FROM agreement_acceptance") == []


def test_nobody_agrees_for_a_grown_up_or_for_a_child_of_another_city(house: House, clerk: str, child: tuple[str, str]) -> None:
    grown = named_at_counter(house, clerk, Phone(), WANG)
    assert for_child(house, clerk, grown, WANG).json["code"] == "not_under_fourteen"
    elsewhere = house.staff("counter_clerk", city=LINHU)
    assert for_child(house, elsewhere, child[0]).status_code == 404
    assert house.rows("SELECT id FROM agreement_acceptance") == []
