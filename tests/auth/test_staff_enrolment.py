"""Somebody new comes in by two administrators, and only they themselves ever know their password and their secret (threat 23)."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest
from werkzeug.test import TestResponse

import auth
from auth.scopes import PERMISSIONS, Role
from auth.staff import totp
from core import clock
from tests.auth.conftest import LINHU, PASSWORD, House

SUNLI = {"login": "sunli", "display_name": "孙丽", "roles": ["supervisor"]}


@dataclass
class Office:
    """Two administrators, and somebody new."""

    house: House
    first: str = field(init=False)
    second: str = field(init=False)

    def __post_init__(self) -> None:
        self.first, self.second = self.house.staff("administrator"), self.house.staff("administrator")

    def admit(self, **changed: Any) -> str:
        made = self.house.post("/api/staff", {**SUNLI, **changed}, token=self.first)
        assert made.status_code == 201, made.text
        return str(made.json["id"])

    def confirm(self, member: str, by: str | None = None) -> TestResponse:
        return self.house.post(f"/api/staff/{member}/confirmation", None, token=by or self.second)

    def code(self, **changed: Any) -> str:
        return str(self.confirm(self.admit(**changed)).json["enrolment_code"])

    def begin(self, code: str) -> TestResponse:
        return self.house.post("/api/staff-enrolments", {"code": code})

    def secret(self, code: str) -> bytes:
        told = self.begin(code).json["totp_address"]
        return base64.b32decode(parse_qs(urlsplit(told).query)["secret"][0])

    def finish(self, code: str, secret: bytes, password: str = PASSWORD) -> TestResponse:
        body = {"code": code, "password": password, "one_time_code": totp.code(secret, int(clock.timestamp()) // 30)}
        return self.house.post("/api/staff-enrolments/completion", body)


@pytest.fixture
def office(house: House) -> Office:
    return Office(house)


def test_somebody_admitted_and_confirmed_enrols_and_signs_in(office: Office) -> None:
    code = office.code()
    secret = office.secret(code.lower().replace("-", ""))
    enrolled = office.finish(code, secret)
    assert (enrolled.status_code, enrolled.json["login"]) == (200, "sunli"), enrolled.text
    assert enrolled.json["enrolled_at"]
    again = office.house.post("/api/staff-sessions", office.house.staff_body("sunli", secret))
    assert again.status_code == 401, "the one-time code that enrolled counts once"
    office.house.later(seconds=31)
    answer = office.house.post("/api/staff-sessions", office.house.staff_body("sunli", secret))
    assert answer.status_code == 201, answer.text
    assert auth.parts().tokens.verify(answer.json["access_token"]).actor.scopes == PERMISSIONS[Role.SUPERVISOR]
    told = office.house.rows("SELECT event FROM audit WHERE starts_with(event, 'auth:staff:') ORDER BY id DESC LIMIT 5")
    assert [event.removeprefix("auth:staff:") for (event,) in reversed(told)] == ["admit", "confirm", "enrol", "fail", "sign_in"]


def test_whoever_admits_learns_and_chooses_no_secret(office: Office) -> None:
    chosen = office.house.post("/api/staff", {**SUNLI, "password": "a good long phrase"}, token=office.first)
    assert (chosen.status_code, chosen.json["code"]) == (422, "invalid")
    made = office.house.post("/api/staff", SUNLI, token=office.first)
    who, came = {"id", "login", "display_name", "roles"}, {"admitted_by", "confirmed_by", "from_console", "enrolled_at", "disabled_at"}
    assert set(made.json) == who | came
    assert made.json["enrolled_at"] is None
    assert set(office.confirm(made.json["id"]).json) == {"id", "login", "enrolment_code", "expires_at"}


def test_whoever_admitted_somebody_cannot_confirm_them(office: Office) -> None:
    member = office.admit()
    assert office.confirm(member, office.first).json["code"] == "second_administrator_needed"
    assert office.confirm(member, office.house.staff("supervisor")).status_code == 403
    assert office.confirm(member, office.house.staff("administrator", city=LINHU)).status_code == 404
    assert office.confirm(member).status_code == 200
    assert office.confirm(member, office.first).json["code"] == "second_administrator_needed"


def test_the_database_itself_wants_two_people(office: Office) -> None:
    office.admit()
    change = "UPDATE staff SET confirmed_by = admitted_by WHERE login = 'sunli'"
    alone = "UPDATE staff SET password_hash = 'x', totp_wrapped = 'x', enrolled_at = created_at WHERE login = 'sunli'"
    for statement, rule in ((change, "ck_staff_two_people"), (alone, "ck_staff_confirmed")):
        with psycopg.connect(office.house.owner_url) as owner, pytest.raises(psycopg.errors.CheckViolation) as refused:
            owner.execute(statement)
        assert refused.value.diag.constraint_name == rule


def test_nobody_signs_in_before_they_enrolled(office: Office) -> None:
    code = office.code()
    secret = office.secret(code)
    body = office.house.staff_body("sunli", secret)
    for password in ("", PASSWORD):
        answer = office.house.post("/api/staff-sessions", {**body, "password": password or "no-password-at-all"})
        assert answer.json["code"] == "staff_sign_in_refused"


def test_an_enrolment_code_runs_out_after_a_day(office: Office) -> None:
    code = office.code()
    secret = office.secret(code)
    office.house.later(hours=25)
    assert office.begin(code).json["code"] == "enrolment_refused"
    assert office.finish(code, secret).json["code"] == "enrolment_refused"


def test_an_enrolment_code_works_once(office: Office) -> None:
    code = office.code()
    secret = office.secret(code)
    assert office.finish(code, secret).status_code == 200
    office.house.later(seconds=31)
    assert office.begin(code).json["code"] == "enrolment_refused"
    assert office.finish(code, secret, "another good phrase").json["code"] == "enrolment_refused"


def test_a_lost_code_is_replaced_until_somebody_enrolled(office: Office) -> None:
    member = office.admit()
    first, second = (office.confirm(member).json["enrolment_code"] for _ in range(2))
    assert office.begin(first).json["code"] == "enrolment_refused"
    assert office.finish(second, office.secret(second)).status_code == 200
    assert office.confirm(member).json["code"] == "staff_already_enrolled"


def test_the_list_of_staff_is_paged_by_login(office: Office) -> None:
    for login in ("zhou", "anna", "min"):
        office.admit(login=login)
    seen: list[str] = []
    path = "/api/staff?limit=2"
    while path:
        told = office.house.call("GET", path, token=office.first).json
        assert len(told["items"]) <= 2
        seen += [each["login"] for each in told["items"]]
        path = f"/api/staff?limit=2&cursor={told['next_cursor']}" if told["next_cursor"] else ""
    assert seen == sorted(seen)
    assert len(seen) == 5


def test_staff_who_were_there_before_get_no_further_code(office: Office) -> None:
    listed = office.house.call("GET", "/api/staff", token=office.first).json["items"]
    assert {office.confirm(each["id"]).json["code"] for each in listed} == {"staff_already_enrolled"}


def test_an_answer_lost_on_the_way_costs_nothing(office: Office) -> None:
    code = office.code()
    lost = office.secret(code)
    kept = office.secret(code)
    assert office.finish(code, lost).json["code"] == "staff_one_time_code_wrong"
    assert office.finish(code, kept).status_code == 200


def test_a_weak_password_is_refused_and_the_code_stays_good(office: Office) -> None:
    code = office.code()
    secret = office.secret(code)
    assert office.finish(code, secret, "sunli-sunli-1").json["code"] == "password_weak"
    assert office.finish(code, secret).status_code == 200


def test_the_app_is_proved_before_the_password_is_taken(office: Office) -> None:
    code = office.code()
    assert office.finish(code, b"s" * 20).json["code"] == "staff_one_time_code_wrong", "nobody began"
    office.secret(code)
    assert office.finish(code, b"s" * 20).json["code"] == "staff_one_time_code_wrong"
    assert office.house.rows("SELECT password_hash, enrolled_at FROM staff WHERE login = 'sunli'") == [(None, None)]


def test_somebody_shut_out_does_not_enrol(office: Office) -> None:
    member = office.admit()
    code = office.confirm(member).json["enrolment_code"]
    assert office.house.call("DELETE", f"/api/staff/{member}", token=office.first).status_code == 204
    assert office.begin(code).json["code"] == "enrolment_refused"
    assert office.confirm(member).status_code == 404


def test_an_administrator_admits_staff_and_a_clerk_may_not(office: Office) -> None:
    assert office.house.post("/api/staff", SUNLI, token=office.house.staff("counter_clerk")).status_code == 403
    office.admit()
    assert office.house.post("/api/staff", SUNLI, token=office.second).json["code"] == "login_taken"
    king = {**SUNLI, "login": "other", "roles": ["king"]}
    assert office.house.post("/api/staff", king, token=office.first).json["code"] == "role_unknown"


def test_guessing_enrolment_codes_is_limited_by_network(office: Office) -> None:
    tries = [office.begin("0000-0000-0000-0000").status_code for _ in range(auth.parts().policy.enrolment_tries_per_network_hour + 1)]
    assert tries[0] == 409
    assert tries[-1] == 429
