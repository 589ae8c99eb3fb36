"""Somebody took a name with leaked data before its owner came: the owner's chip at a counter wins (threat 10)."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from werkzeug.test import TestResponse

import auth
from auth import installing
from core import db
from core.actors import Actor
from tests.auth.conftest import WANG, House, Phone
from tests.auth.test_signing_in import asking, chip


def at_counter(house: House, owner: Phone) -> TestResponse:
    """The owner reads the code out and lays the card on the reader."""
    clerk = house.staff("counter_clerk")
    assert house.post("/api/counter/phone-codes", {"phone": owner.number}, token=clerk).status_code == 202
    body = {"phone": owner.number, "code": house.inbox.code(owner.number), "chip": chip(WANG)}
    return house.post("/api/counter/identity-checks", body, token=clerk, Idempotency_Key=f"counter-{owner.number}")


def above(**given: object) -> None:
    """What the floors above hand down, for the rest of the test."""
    installing._installed[:] = [replace(auth.parts(), above=auth.Above(**given))]  # type: ignore[arg-type]  # their own types


def test_a_chip_at_a_counter_closes_the_account_that_holds_the_name_from_afar(house: House) -> None:
    ended: list[tuple[Actor, UUID]] = []
    above(before_close=(lambda actor, resident: ended.append((actor, resident)),))
    thief, tokens = house.named()
    other, request = asking(house, thief)
    squatter = house.rows("SELECT id FROM resident WHERE state = 'active'")[0][0]
    owner = Phone()
    proven = at_counter(house, owner)
    assert (proven.status_code, proven.json["identity_level"], proven.json["masked_name"]) == (201, 4, "王*明"), proven.text
    assert [resident for _, resident in ended] == [squatter]
    assert house.rows("SELECT state FROM resident WHERE id = %s", squatter) == [("closed",)]
    assert house.rows("SELECT count(*) FROM session WHERE resident_id = %s AND ended_at IS NULL", squatter) == [(0,)]
    assert house.rows("SELECT count(*) FROM device WHERE resident_id = %s AND revoked_at IS NULL", squatter) == [(0,)]
    assert house.rows("SELECT count(*) FROM agreement_acceptance WHERE resident_id = %s AND withdrawn_at IS NULL", squatter) == [(0,)]
    assert house.post(f"/api/sign-in-requests/{request}/session", None, other).json["code"] == "sign_in_request_over"
    assert house.refresh(thief, tokens["refresh_token"]).status_code == 401
    house.later(seconds=61)
    house.send_code(thief)
    assert house.try_code(thief, house.inbox.code(thief.number)).json["code"] == "account_closed"
    told = house.rows("SELECT actor_kind, resident_id, detail FROM audit WHERE event = 'auth:resident:close'")
    assert told == [("staff", squatter, {"because": "chip_at_counter", "level": 2})]


def test_the_owner_of_the_name_signs_in_and_is_the_only_one_found_by_it(house: House) -> None:
    house.named()
    owner = Phone()
    at_counter(house, owner)
    house.later(seconds=61)
    me = house.call("GET", "/api/me", token=house.sign_in(owner)["access_token"]).json
    assert (me["identity_level"], me["masked_name"]) == (4, "王*明")
    found = house.post("/api/counter/resident-searches", {"citizen_number": WANG[1]}, token=house.staff("counter_clerk"))
    assert found.json["resident"] == me["id"]


def test_an_account_proved_by_a_face_or_a_chip_keeps_its_name(house: House) -> None:
    _, tokens = house.named()
    check = house.post("/api/me/face-checks", {}, token=tokens["access_token"]).json["id"]
    house.post(f"/api/me/face-checks/{check}/result", {"face_token": "same_person"}, token=tokens["access_token"])
    refused = at_counter(house, Phone())
    assert (refused.status_code, refused.json["code"]) == (409, "identity_already_held")
    assert house.rows("SELECT count(*) FROM resident WHERE state = 'closed'") == [(0,)]


def test_an_account_with_money_is_left_to_a_supervisor_and_nothing_of_it_ends(house: House) -> None:
    above(holds_money=lambda resident: True)
    _, tokens = house.named()
    owner = Phone()
    refused = at_counter(house, owner)
    assert (refused.status_code, refused.json["code"]) == (409, "account_holds_money")
    assert "主管" in refused.json["messages"]["zh-CN"]
    assert house.call("GET", "/api/me", token=tokens["access_token"]).json["identity_level"] == 2
    assert house.rows("SELECT count(*) FROM session WHERE resident_id IS NOT NULL AND ended_at IS NULL") == [(1,)]


def test_nobody_is_displaced_from_afar(house: House) -> None:
    house.named()
    assert house.prove(house.sign_in(Phone())["access_token"]).json["code"] == "identity_already_held"


def test_an_erased_resident_may_come_again(house: House) -> None:
    house.named()
    first = house.rows("SELECT id FROM resident")[0][0]
    with db.transaction():
        auth.AuthData().erase(first)
    assert house.prove(house.sign_in(Phone())["access_token"]).status_code == 200
