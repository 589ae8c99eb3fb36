"""A city's first two administrators come from the machine's console, and later one replacement at a time, by two people (threat 23)."""

from __future__ import annotations

import base64
import datetime as dt
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest
from werkzeug.test import TestResponse

from auth.staff import console, totp
from auth.staff.accounts import LoginTaken
from auth.staff.enrolling import Confirmed
from core import clock, db, ids
from core.errors import Invalid
from tests.auth.conftest import LINHU, PASSWORD, YUNCHUAN, House

ZHANG, LI, CHEN = (
    console.Named(login=login, display_name=name) for login, name in (("zhangwei", "张伟"), ("lina", "李娜"), ("chenjing", "陈静"))
)
PLACE = {"host": "city-1", "uid": 0}


@dataclass
class Founding:
    """A city without staff, and the console of its machine."""

    house: House
    secrets: dict[str, bytes] = field(default_factory=dict)

    def first(self, *named: console.Named, city: int = YUNCHUAN) -> list[Confirmed]:
        with db.transaction():
            return console.admit_first(city, named or (ZHANG, LI), lifetime=dt.timedelta(hours=24), place=PLACE)

    def replace(self, named: console.Named = CHEN) -> str:
        with db.transaction():
            return ids.show("staff", console.admit_replacement(YUNCHUAN, named, reason="手机与密码都丢了", place=PLACE).id)

    def begin(self, code: str) -> TestResponse:
        return self.house.post("/api/staff-enrolments", {"code": code})

    def enrol(self, login: str, code: str) -> TestResponse:
        told = self.begin(code).json["totp_address"]
        self.secrets[login] = base64.b32decode(parse_qs(urlsplit(told).query)["secret"][0])
        now = totp.code(self.secrets[login], int(clock.timestamp()) // 30)
        return self.house.post("/api/staff-enrolments/completion", {"code": code, "password": PASSWORD, "one_time_code": now})

    def enrol_both(self) -> None:
        for given in self.first():
            assert self.enrol(given.login, given.enrolment_code).status_code == 200

    def token(self, login: str) -> str:
        self.house.later(seconds=31)
        answer = self.house.post("/api/staff-sessions", self.house.staff_body(login, self.secrets[login]))
        assert answer.status_code == 201, answer.text
        return str(answer.json["access_token"])

    def id_of(self, login: str) -> str:
        return ids.show("staff", self.house.rows("SELECT id FROM staff WHERE login = %s", login)[0][0])

    def left_alone(self) -> str:
        """Both had enrolled, and 张伟 shut 李娜 out; his token."""
        self.enrol_both()
        token = self.token("zhangwei")
        assert self.house.call("DELETE", f"/api/staff/{self.id_of('lina')}", token=token).status_code == 204
        return token

    def confirm(self, member: str, token: str) -> TestResponse:
        return self.house.post(f"/api/staff/{member}/confirmation", None, token=token)


@pytest.fixture
def founding(house: House) -> Founding:
    return Founding(house)


def lines(house: House) -> list[tuple[Any, ...]]:
    return house.rows("SELECT actor_kind, detail FROM audit WHERE event = 'auth:staff:admit_at_console' ORDER BY id")


def test_the_first_two_enrol_and_from_then_on_the_city_admits_by_itself(founding: Founding) -> None:
    founding.enrol_both()
    zhang, li = founding.token("zhangwei"), founding.token("lina")
    made = founding.house.post("/api/staff", {"login": "sunli", "display_name": "孙丽", "roles": ["supervisor"]}, token=zhang)
    assert made.status_code == 201, made.text
    assert founding.confirm(made.json["id"], li).json["enrolment_code"]


def test_the_console_is_named_in_the_audit_log(founding: Founding) -> None:
    founding.first()
    said = {"from": "console", "door": "first", "roles": ["administrator"], **PLACE}
    assert lines(founding.house) == [("system", said), ("system", said)]


def test_once_two_have_enrolled_the_console_gives_no_code_ever_again(founding: Founding) -> None:
    founding.left_alone()
    for named in ((ZHANG, LI), (CHEN,), (CHEN, console.Named(login="sunli", display_name="孙丽"))):
        with pytest.raises(console.AdministratorsEnrolled):
            founding.first(*named)
    assert founding.house.rows("SELECT count(*) FROM staff") == [(2,)]


def test_a_lost_code_is_given_anew_and_the_one_before_ends(founding: Founding) -> None:
    before, after = founding.first(), founding.first()
    assert founding.begin(before[0].enrolment_code).json["code"] == "enrolment_refused"
    assert [founding.enrol(given.login, given.enrolment_code).status_code for given in after] == [200, 200]
    assert len(lines(founding.house)) == 4


def test_whoever_enrolled_gets_no_second_code_when_the_other_does(founding: Founding) -> None:
    first = founding.first()[0]
    founding.enrol(first.login, first.enrolment_code)
    assert [given.login for given in founding.first()] == ["lina"]
    assert [given.login for given in founding.first(LI)] == ["lina"]


def test_at_no_time_are_there_codes_for_more_than_two(founding: Founding) -> None:
    zhang, li = founding.first()
    assert founding.enrol(zhang.login, zhang.enrolment_code).status_code == 200
    assert [given.login for given in founding.first(CHEN)] == ["chenjing"]
    assert founding.begin(li.enrolment_code).json["code"] == "enrolment_refused", "whoever is not named any more is shut out"
    with pytest.raises(LoginTaken):
        founding.first(LI)


@pytest.mark.parametrize("named", [(ZHANG,), (ZHANG, ZHANG), (ZHANG, LI, CHEN)])
def test_two_different_people_are_named(founding: Founding, named: tuple[console.Named, ...]) -> None:
    with pytest.raises(console.TwoAdministratorsWanted):
        founding.first(*named)
    assert founding.house.rows("SELECT count(*) FROM staff") == [(0,)]


def test_a_login_follows_the_rules_of_the_route(founding: Founding) -> None:
    with pytest.raises(Invalid):
        founding.first(ZHANG, console.Named(login="李娜", display_name="李娜"))


def test_whoever_of_the_first_two_enrols_first_cannot_take_the_other_place_too(founding: Founding) -> None:
    first = founding.first()[0]
    founding.enrol(first.login, first.enrolment_code)
    refused = founding.confirm(founding.id_of("lina"), founding.token("zhangwei"))
    assert refused.json["code"] == "staff_admitted_at_console"


def test_each_city_has_its_own_first_two(founding: Founding) -> None:
    founding.enrol_both()
    assert len(founding.first(city=LINHU)) == 2


def test_a_replacement_needs_the_console_and_the_administrator_who_is_left(founding: Founding) -> None:
    left = founding.left_alone()
    member = founding.replace()
    assert founding.house.rows("SELECT enrolment_digest, from_console FROM staff WHERE login = 'chenjing'") == [(None, "replacement")]
    code = founding.confirm(member, left).json["enrolment_code"]
    assert founding.enrol("chenjing", code).status_code == 200
    assert lines(founding.house)[-1][1]["reason"] == "手机与密码都丢了"


def test_a_replacement_is_refused_while_two_are_left_and_before_there_were_two(founding: Founding) -> None:
    first = founding.first()[0]
    founding.enrol(first.login, first.enrolment_code)
    with pytest.raises(console.FirstAdministratorsMissing):
        founding.replace()
    second = founding.first()[0]
    founding.enrol(second.login, second.enrolment_code)
    with pytest.raises(console.AdministratorsSuffice):
        founding.replace()


def test_nobody_left_is_no_way_in(founding: Founding) -> None:
    founding.left_alone()
    with psycopg.connect(founding.house.owner_url) as owner:
        owner.execute("UPDATE staff SET disabled_at = now()")
    with pytest.raises(console.NoAdministratorLeft):
        founding.replace()


def test_one_replacement_waits_at_a_time(founding: Founding) -> None:
    left = founding.left_alone()
    chen = founding.replace()
    assert founding.replace() == chen
    founding.replace(console.Named(login="sunli", display_name="孙丽"))
    assert founding.confirm(chen, left).status_code == 404


def test_the_database_itself_keeps_the_console_to_its_part(founding: Founding) -> None:
    founding.left_alone()
    founding.replace()
    attempts = {
        "ck_staff_confirmed": "UPDATE staff SET enrolment_digest = 'x', enrolment_expires_at = now() WHERE login = 'chenjing'",
        "ck_staff_from_console": "UPDATE staff SET roles = ARRAY['administrator', 'supervisor'] WHERE login = 'chenjing'",
    }
    for rule, statement in attempts.items():
        with psycopg.connect(founding.house.owner_url) as owner, pytest.raises(psycopg.errors.CheckViolation) as refused:
            owner.execute(statement)
        assert refused.value.diag.constraint_name == rule
