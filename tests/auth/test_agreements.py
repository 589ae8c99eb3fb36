"""Agreements: which text, which version, when, on which device; sensitive data need one of their own."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

import auth
from auth.agreements import keeping, texts
from auth.agreements.texts import FOLDER, Kind, Text
from core import db, ids
from tests.auth.conftest import WANG, House, Phone

NOW = "2026-11-01"
OWN = "/api/me/agreements"


def mine(house: House, token: str) -> list[dict[str, Any]]:
    return list(house.call("GET", OWN, None, token=token).json["items"])


def due(house: House, token: str) -> list[str]:
    return list(house.call("GET", "/api/me", None, token=token).json["agreements_due"])


def newer(monkeypatch: pytest.MonkeyPatch, kind: Kind) -> None:
    """As if a newer version of a text had come with a new release."""
    old = texts.present()[kind]
    new = Text(kind, "2027-03-01", old.zh, old.en, old.sections, hashlib.sha256(b"new").digest())
    held = {**texts.present(), kind: new}
    monkeypatch.setattr(texts, "present", lambda: held)


def test_the_first_start_is_due_until_it_is_agreed_to(house: House) -> None:
    token = house.sign_in(Phone())["access_token"]
    assert due(house, token) == ["user_agreement", "privacy_policy"]
    assert house.agree(token, "user_agreement").json == {"due": ["privacy_policy"]}
    assert house.agree(token, "privacy_policy").status_code == 201
    assert due(house, token) == []


def test_what_was_agreed_to_is_kept_with_version_time_and_device(house: House) -> None:
    tokens = house.sign_in(Phone())
    house.agree(tokens["access_token"], "privacy_policy")
    (line,) = mine(house, tokens["access_token"])
    assert (line["kind"], line["version"], line["device"], line["withdrawn_at"]) == ("privacy_policy", NOW, tokens["device"], None)
    assert house.rows("SELECT text_sha256 FROM agreement_acceptance") == [
        (hashlib.sha256((FOLDER / "privacy_policy" / f"{NOW}.toml").read_bytes()).digest(),)
    ]


def test_agreeing_again_changes_nothing(house: House) -> None:
    token = house.sign_in(Phone())["access_token"]
    house.agree(token, "privacy_policy")
    first = mine(house, token)
    house.later(minutes=5)
    assert house.agree(token, "privacy_policy", "privacy_policy").status_code == 201
    assert mine(house, token) == first


def test_a_new_version_asks_again_and_the_old_line_stays(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    token = house.sign_in(Phone())["access_token"]
    house.agree(token, "user_agreement", "privacy_policy")
    newer(monkeypatch, Kind.PRIVACY_POLICY)
    assert due(house, token) == ["privacy_policy"]
    late = house.post(OWN, {"items": [{"kind": "privacy_policy", "version": NOW}]}, token=token)
    assert (late.status_code, late.json["code"]) == (409, "agreement_outdated")
    assert late.json["facts"]["version"] == "2027-03-01"
    house.agree(token, "privacy_policy")
    assert due(house, token) == []
    assert [line["version"] for line in mine(house, token) if line["kind"] == "privacy_policy"] == ["2027-03-01", NOW]


def test_a_citizen_number_asks_for_a_consent_of_its_own_before_anybody_is_asked(house: House) -> None:
    token = house.sign_in(Phone())["access_token"]
    house.agree(token, "user_agreement", "privacy_policy", "face_data")
    body = {"name": WANG[0], "citizen_number": WANG[1]}
    refused = house.post("/api/me/identity", body, token=token)
    assert (refused.status_code, refused.json["code"]) == (403, "separate_consent_needed")
    assert refused.json["facts"] == {"kind": "identity_data", "version": NOW}
    assert house.police.asked == 0
    house.agree(token, "identity_data")
    assert house.post("/api/me/identity", body, token=token).status_code == 200


def test_no_face_check_begins_after_the_consent_was_taken_back(house: House) -> None:
    token = house.named()[1]["access_token"]
    assert house.post("/api/me/face-checks", None, token=token).status_code == 201
    line = next(each for each in mine(house, token) if each["kind"] == "face_data")
    assert house.call("DELETE", f"{OWN}/{line['id']}", None, token=token).status_code == 204
    assert house.post("/api/me/face-checks", None, token=token).json["code"] == "separate_consent_needed"
    house.agree(token, "face_data")
    assert house.post("/api/me/face-checks", None, token=token).status_code == 201


def test_whoever_agreed_can_read_that_version_again_and_nobody_a_version_that_never_was(house: House) -> None:
    listed = house.call("GET", "/api/agreements", None).json["items"]
    assert [text["kind"] for text in listed] == [str(kind) for kind in sorted(Kind)]
    for text in listed:
        assert house.call("GET", f"/api/agreements/{text['kind']}/{text['version']}", None).json == text
    for path in ("user_agreement/1999-01-01", "nothing/2026-11-01", "..%2F..%2Fpolicy/2026-11-01"):
        assert house.call("GET", f"/api/agreements/{path}", None).status_code == 404, path


def test_another_residents_agreement_is_not_found(house: House) -> None:
    theirs, own = house.sign_in(Phone())["access_token"], house.sign_in(Phone())["access_token"]
    house.agree(theirs, "privacy_policy")
    line = mine(house, theirs)[0]
    assert house.call("DELETE", f"{OWN}/{line['id']}", None, token=own).status_code == 404
    assert mine(house, theirs) == [line]


def test_the_export_holds_every_agreement_and_closing_the_account_ends_them(house: House) -> None:
    token = house.sign_in(Phone())["access_token"]
    house.agree(token, "user_agreement", "privacy_policy")
    identity = ids.parse("resident", house.call("GET", "/api/me", None, token=token).json["id"])
    with db.transaction():
        exported = auth.AuthData().export(identity)["agreements"]
        assert {(line["kind"], line["text_version"], line["withdrawn_at"]) for line in exported} == {
            ("user_agreement", NOW, None),
            ("privacy_policy", NOW, None),
        }
        auth.AuthData().erase(identity)
        assert all(line["withdrawn_at"] for line in keeping.export(identity))


def test_every_text_is_whole_in_both_languages() -> None:
    assert {kind for kind, _ in texts.all_texts()} == set(Kind)
    for path in Path(FOLDER).rglob("*.toml"):
        text = texts.all_texts()[Kind(path.parent.name), path.stem]
        assert text.sections
        for section in text.sections:
            assert all((section.title_zh, section.text_zh, section.title_en, section.text_en)), path
