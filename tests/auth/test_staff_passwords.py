"""A staff member changes their own password with both factors; a session found open is not enough, and every other one ends."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

import pytest
from werkzeug.test import TestResponse

import auth
from core import db, pulse
from core.actors import system
from tests.auth.conftest import PASSWORD, YUNCHUAN, House

NEW = "quite another good phrase"
WRONG = "another-long-word"


@dataclass
class Member:
    """A clerk who has signed in."""

    house: House
    login: str = field(default_factory=lambda: f"clerk{secrets.token_hex(4)}")
    secret: bytes = field(default_factory=lambda: secrets.token_bytes(20))

    def __post_init__(self) -> None:
        with db.transaction():
            newcomer = auth.staff_accounts.Newcomer(
                login=self.login, display_name="何芳", roles=("counter_clerk",), password=PASSWORD, totp_secret=self.secret
            )
            auth.staff_accounts.admit(system("test"), YUNCHUAN, newcomer)
        self.token = self.sign_in().json["access_token"]

    def sign_in(self, password: str = PASSWORD) -> TestResponse:
        """With the next one-time code."""
        self.house.later(seconds=31)
        return self.house.post("/api/staff-sessions", self.house.staff_body(self.login, self.secret, password=password))

    def change(self, present: str = PASSWORD, new: str = NEW, code: str | None = None, *, wait: bool = True) -> TestResponse:
        if wait:
            self.house.later(seconds=31)
        fresh = self.house.staff_body(self.login, self.secret)["code"]
        body = {"present_password": present, "one_time_code": code or fresh, "new_password": new}
        return self.house.call("PUT", "/api/staff/me/password", body, token=self.token)

    def wrong_code(self) -> str:
        return f"{(int(self.house.staff_body(self.login, self.secret)['code']) + 7) % 10**6:06d}"


@pytest.fixture
def member(house: House) -> Member:
    return Member(house)


def code_of(answer: TestResponse) -> str:
    return "" if answer.status_code == 204 else str(answer.json["code"])


def test_the_new_password_opens_and_the_old_one_no_more(member: Member) -> None:
    assert member.change().status_code == 204
    assert member.sign_in().json["code"] == "staff_sign_in_refused"
    assert member.sign_in(NEW).status_code == 201
    told = member.house.rows("SELECT outcome, detail FROM audit WHERE event = 'auth:staff:change_password'")
    assert told == [("done", {"sessions_ended": 0})]


def test_every_other_session_ends_and_this_one_stays(member: Member) -> None:
    elsewhere = [member.sign_in().json["access_token"] for _ in range(2)]
    somebody = member.house.staff("counter_clerk")
    assert member.change().status_code == 204
    pulse.read_now()
    asked = [member.house.call("GET", "/api/sessions", token=token).status_code for token in (*elsewhere, member.token, somebody)]
    assert asked == [401, 401, 200, 200]
    assert member.house.rows("SELECT DISTINCT ended_because FROM session WHERE ended_at IS NOT NULL") == [("password_changed",)]


def test_a_wrong_password_and_a_wrong_code_are_told_in_the_same_words_and_change_nothing(member: Member) -> None:
    told = [member.change(present=WRONG).json, member.change(code=member.wrong_code()).json]
    for each in told:
        each.pop("request_id")
    assert told[0] == told[1]
    assert told[0]["code"] == "present_password_refused"
    assert member.house.rows("SELECT outcome FROM audit WHERE event = 'auth:staff:change_password'") == [("failed",), ("failed",)]
    assert member.sign_in().status_code == 201


def test_the_one_time_code_of_the_sign_in_counts_no_second_time(member: Member) -> None:
    assert code_of(member.change(wait=False)) == "present_password_refused"
    assert member.change().status_code == 204
    assert code_of(member.change(present=NEW, new=PASSWORD, wait=False)) == "present_password_refused"


def test_guessing_the_password_in_a_stolen_session_ends_where_signing_in_does(member: Member) -> None:
    for _ in range(auth.parts().policy.staff_failures):
        assert code_of(member.change(present=WRONG, wait=False)) == "present_password_refused"
    assert code_of(member.change()) == "present_password_refused"
    assert member.sign_in().status_code == 401, "the door counts the same guesses"
    member.house.later(minutes=16)
    # The city's time went on by more than a token lives.
    member.token = member.sign_in().json["access_token"]
    assert member.change().status_code == 204


def test_wrong_codes_with_the_right_password_lock_the_account_here_as_at_the_door(member: Member) -> None:
    for _ in range(auth.parts().policy.staff_failures):
        assert code_of(member.change(code=member.wrong_code(), wait=False)) == "present_password_refused"
    assert code_of(member.change()) == "present_password_refused"
    assert member.sign_in().status_code == 401


@pytest.mark.parametrize("new", ["aaaaaaaaaaaaaaaa", "passwordpassword"])
def test_the_rules_are_those_of_enrolling(member: Member, new: str) -> None:
    assert code_of(member.change(new=new)) == "password_weak"
    assert code_of(member.change(new=f"{member.login}-1234")) == "password_weak"
    assert code_of(member.change(present=WRONG, new=new)) == "password_weak", "and they tell nothing of the present one"
    assert member.change().status_code == 204


def test_the_same_password_again_is_no_change(member: Member) -> None:
    assert code_of(member.change(new=PASSWORD)) == "password_unchanged"


def test_nobody_else_has_a_password_here(member: Member) -> None:
    _, resident = member.house.named()
    body = {"present_password": PASSWORD, "one_time_code": "123456", "new_password": NEW}
    assert member.house.call("PUT", "/api/staff/me/password", body, token=resident["access_token"]).status_code == 403
    assert member.house.call("PUT", "/api/staff/me/password", body).status_code == 401
