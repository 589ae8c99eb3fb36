"""A counter names no child under fourteen before a guardian agreed (PIPL articles 28 and 31)."""

from __future__ import annotations

import datetime as dt
import secrets
from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.auth.conftest import LI, WANG, House, Phone, citizen_number
from tests.auth.test_guardians import CHILD, TO_NAME, code_for, named_at_counter, word
from tests.auth.test_signing_in import chip

OLDER = ("王大宝", citizen_number(dt.date(2010, 6, 1), 5))


@pytest.fixture
def clerk(house: House) -> str:
    """A clerk in whose city 王 is a named grown-up and the register knows 王小宝."""
    house.police.people[CHILD[1]] = CHILD[0]
    made = house.staff("counter_clerk")
    named_at_counter(house, made, Phone(), WANG)
    return made


def check(house: House, clerk: str, phone: Phone, code: str, person: tuple[str, str] = CHILD, **more: Any) -> TestResponse:
    body = {"phone": phone.number, "code": code, "chip": chip(person), **more}
    return house.post("/api/counter/identity-checks", body, token=clerk, Idempotency_Key=secrets.token_hex(8))


def nothing_kept(house: House) -> bool:
    """Whether no child is named, nothing is agreed to, and the register was asked about nobody but 王."""
    named = house.rows("SELECT id FROM resident WHERE citizen_number_blind IS NOT NULL")
    return len(named) == 1 and house.rows("SELECT id FROM agreement_acceptance") == [] and house.police.about == {WANG[1]}


def test_no_child_is_named_or_asked_about_alone(house: House, clerk: str) -> None:
    phone = Phone()
    refused = check(house, clerk, phone, code_for(house, clerk, phone))
    assert (refused.status_code, refused.json["code"]) == (403, "guardian_must_agree")
    assert nothing_kept(house)
    assert house.rows("SELECT id FROM resident WHERE citizen_number_blind IS NULL") == []


def test_the_code_of_a_refused_child_is_still_good_with_the_guardian(house: House, clerk: str) -> None:
    phone = Phone()
    code = code_for(house, clerk, phone)
    check(house, clerk, phone, code)
    named = check(house, clerk, phone, code, agreed=word(WANG, *TO_NAME))
    assert (named.status_code, named.json["identity_level"], named.json["masked_name"]) == (201, 4, "王*宝")
    lines = house.rows("SELECT kind, guardian_document FROM agreement_acceptance WHERE guardian_id IS NOT NULL ORDER BY id")
    assert lines == [(kind, "household_register") for kind in TO_NAME]
    token = house.sign_in(phone)["access_token"]
    assert house.call("GET", "/api/me", None, token=token).json["agreements_due"] == []


@pytest.mark.parametrize("left_out", TO_NAME)
def test_each_text_that_a_name_rests_on_is_needed(house: House, clerk: str, left_out: str) -> None:
    phone = Phone()
    some = [kind for kind in (*TO_NAME, "face_data") if kind != left_out]
    refused = check(house, clerk, phone, code_for(house, clerk, phone), agreed=word(WANG, *some))
    assert refused.json["code"] == "guardian_must_agree"
    assert nothing_kept(house)


def test_an_older_version_names_nobody(house: House, clerk: str) -> None:
    phone = Phone()
    said = word(WANG, *TO_NAME)
    said["items"][2]["version"] = "2020-01-01"
    refused = check(house, clerk, phone, code_for(house, clerk, phone), agreed=said)
    assert (refused.status_code, refused.json["code"]) == (409, "agreement_outdated")
    assert len(house.rows("SELECT id FROM resident WHERE citizen_number_blind IS NOT NULL")) == 1
    assert house.rows("SELECT id FROM agreement_acceptance") == []


def test_whoever_is_no_grown_up_of_the_city_names_no_child(house: House, clerk: str) -> None:
    phone = Phone()
    code = code_for(house, clerk, phone)
    for guardian in (LI, CHILD):
        refused = check(house, clerk, phone, code, agreed=word(guardian, *TO_NAME))
        assert (refused.status_code, refused.json["code"]) == (409, "guardian_unfit")
    assert house.rows("SELECT id FROM agreement_acceptance") == []
    assert len(house.rows("SELECT id FROM resident WHERE citizen_number_blind IS NOT NULL")) == 1


def test_a_child_is_not_named_on_the_guardians_own_number(house: House, clerk: str) -> None:
    phone = Phone()
    named_at_counter(house, clerk, phone, LI)
    refused = check(house, clerk, phone, code_for(house, clerk, phone), agreed=word(LI, *TO_NAME))
    assert (refused.status_code, refused.json["code"]) == (409, "identity_already_proven")
    assert house.rows("SELECT id FROM agreement_acceptance") == []


def test_nobody_agrees_for_somebody_of_fourteen(house: House, clerk: str) -> None:
    house.police.people[OLDER[1]] = OLDER[0]
    phone = Phone()
    code = code_for(house, clerk, phone)
    refused = check(house, clerk, phone, code, OLDER, agreed=word(WANG, *TO_NAME))
    assert (refused.status_code, refused.json["code"]) == (409, "not_under_fourteen")
    assert check(house, clerk, phone, code, OLDER).status_code == 201


def test_a_named_child_is_checked_again_alone_until_the_guardian_takes_it_back(house: House, clerk: str) -> None:
    phone = Phone()
    named_at_counter(house, clerk, phone, CHILD, guardian=WANG)
    assert check(house, clerk, phone, code_for(house, clerk, phone)).status_code == 201
    house.later(minutes=2)
    token = house.sign_in(phone)["access_token"]
    lines = house.call("GET", "/api/me/agreements", None, token=token).json["items"]
    number = next(line["id"] for line in lines if line["kind"] == "identity_data")
    house.call("DELETE", f"/api/me/agreements/{number}", None, token=token)
    house.later(minutes=2)
    clerk = house.staff("counter_clerk")
    again = check(house, clerk, phone, code_for(house, clerk, phone))
    assert (again.status_code, again.json["code"]) == (403, "guardian_must_agree")


def test_another_childs_phone_and_agreement_do_not_name_this_one(house: House, clerk: str) -> None:
    phone, brother = Phone(), ("王二宝", citizen_number(dt.date(2017, 6, 1), 7))
    named_at_counter(house, clerk, phone, brother, guardian=WANG)
    refused = check(house, clerk, phone, code_for(house, clerk, phone))
    assert refused.json["code"] == "guardian_must_agree"
    assert CHILD[1] not in house.police.about


def test_a_wrong_code_says_nothing_of_a_child(house: House, clerk: str) -> None:
    refused = check(house, clerk, Phone(), "000000")
    assert refused.json["code"] == "sign_in_code_wrong"
    assert nothing_kept(house)
