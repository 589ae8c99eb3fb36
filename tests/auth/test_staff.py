"""Staff sign in with two factors, and see of residents what their right and reason allow."""

from __future__ import annotations

import secrets
import threading
import time

import pytest

import auth
from auth.errors import PasswordWeak
from auth.scopes import PERMISSIONS, Permission, Role, permissions
from auth.staff import passwords, totp
from core import db, ids, pulse
from core.actors import system
from core.errors import Busy
from tests.auth.conftest import LINHU, PASSWORD, WANG, YUNCHUAN, House, Phone


def hired(house: House, *roles: str) -> tuple[str, bytes]:
    """A staff member's login and one-time secret."""
    login, secret = f"clerk{secrets.token_hex(4)}", secrets.token_bytes(20)
    with db.transaction():
        newcomer = auth.staff_accounts.Newcomer(
            login=login, display_name="何芳", roles=roles or ("counter_clerk",), password=PASSWORD, totp_secret=secret
        )
        auth.staff_accounts.admit(system("test"), YUNCHUAN, newcomer)
    return login, secret


def test_a_clerk_signs_in_with_password_and_code(house: House) -> None:
    login, secret = hired(house)
    answer = house.post("/api/staff-sessions", house.staff_body(login, secret))
    actor = auth.parts().tokens.verify(answer.json["access_token"]).actor
    assert actor.scopes == PERMISSIONS[Role.COUNTER_CLERK]
    assert answer.json["refresh_token"] is None


def test_with_a_key_a_staff_session_can_be_refreshed_until_it_lies_idle(house: House) -> None:
    login, secret = hired(house)
    machine = Phone()
    first = house.post("/api/staff-sessions", house.staff_body(login, secret), machine).json
    house.later(minutes=29)
    second = house.refresh(machine, first["refresh_token"])
    assert second.status_code == 200, second.text
    house.later(minutes=31)
    assert house.refresh(machine, second.json["refresh_token"]).status_code == 401


def test_a_one_time_code_counts_once(house: House) -> None:
    login, secret = hired(house)
    body = house.staff_body(login, secret)
    assert house.post("/api/staff-sessions", body).status_code == 201
    assert house.post("/api/staff-sessions", body).status_code == 401


@pytest.mark.parametrize(("movable", "status"), [(True, 201), (False, 401)])
def test_a_clock_set_back_wakes_used_codes_only_where_it_may_be_moved(house: House, *, movable: bool, status: int) -> None:
    login, secret = hired(house)
    used = house.staff_body(login, secret)
    assert house.post("/api/staff-sessions", used).status_code == 201
    house.later(hours=1)
    assert house.post("/api/staff-sessions", house.staff_body(login, secret)).status_code == 201
    house.later(hours=-1)
    pulse.allow_offset(movable)
    try:
        assert house.post("/api/staff-sessions", used).status_code == status
    finally:
        pulse.allow_offset(True)


def test_wrong_name_password_code_and_a_lock_are_told_in_the_same_words(house: House) -> None:
    login, secret = hired(house)
    right = house.staff_body(login, secret)
    wrong_code = f"{(int(right['code']) + 1) % 10**6:06d}"
    told = []
    for change in ({"login": "nobody-at-all"}, {"password": "another-long-word"}, {"code": wrong_code}, {"city": LINHU}):
        body = dict(house.post("/api/staff-sessions", {**right, **change}).json)
        body.pop("request_id")
        told.append(body)
    for _ in range(4):
        house.post("/api/staff-sessions", {**right, "code": wrong_code})
    locked = dict(house.post("/api/staff-sessions", right).json)
    locked.pop("request_id")
    assert told == [locked] * 4
    house.later(minutes=16)
    assert house.post("/api/staff-sessions", house.staff_body(login, secret)).status_code == 201


def test_a_disabled_member_is_out_within_a_second(house: House) -> None:
    token = house.staff("counter_clerk")
    administrator = house.staff("administrator")
    listed = house.call("GET", "/api/staff", token=administrator).json["items"]
    member = next(item["id"] for item in listed if item["roles"] == ["counter_clerk"])
    assert house.call("DELETE", f"/api/staff/{member}", token=house.staff("administrator", city=LINHU)).status_code == 404
    assert house.call("DELETE", f"/api/staff/{member}", token=administrator).status_code == 204
    start = time.monotonic()
    while house.call("GET", "/api/sessions", token=token).status_code == 200:
        assert time.monotonic() - start < 1.0
        time.sleep(0.02)


def test_whoever_grants_rights_sees_no_resident() -> None:
    administrator = PERMISSIONS[Role.ADMINISTRATOR]
    assert not administrator & {Permission.PERSON_REVEAL, Permission.RESIDENT_FIND, Permission.IDENTITY_CHECK, Permission.CARD_READ}
    assert permissions(["counter_clerk", "a role of the past"]) == PERMISSIONS[Role.COUNTER_CLERK]
    assert all(len(str(permission).split(":")) == 3 for permission in Permission)


def test_a_clerk_finds_a_resident_masked_and_each_look_is_written_down(house: House) -> None:
    phone, _ = house.named()
    clerk = house.staff("counter_clerk")
    path = "/api/counter/resident-searches"
    found = house.post(path, {"phone": phone.number}, token=clerk)
    assert (found.status_code, found.json["masked_name"]) == (200, "王*明")
    assert house.post(path, {"citizen_number": WANG[1]}, token=clerk).json == found.json
    assert house.post(path, {"phone": phone.number}, token=house.staff("counter_clerk", city=LINHU)).status_code == 404
    assert house.post(path, {}, token=clerk).status_code == 422
    assert house.post(path, {"phone": phone.number, "citizen_number": WANG[1]}, token=clerk).status_code == 422
    assert house.rows("SELECT count(*) FROM audit WHERE event = 'auth:resident:find'")[0][0] == 2


def test_a_name_is_opened_by_right_and_reason_and_the_resident_can_read_who_looked(house: House) -> None:
    house.named()
    resident = ids.show("resident", house.rows("SELECT id FROM resident")[0][0])
    path, body = f"/api/counter/residents/{resident}/reveals", {"purpose": "letter 2026-118", "fields": ["name"]}
    assert house.post(path, body, token=house.staff("counter_clerk")).status_code == 403
    assert house.post(path, body, token=house.staff("supervisor", city=LINHU)).status_code == 404
    supervisor = house.staff("supervisor")
    assert house.post(path, {"fields": ["name"]}, token=supervisor).status_code == 422
    opened = house.post(path, body, token=supervisor)
    assert opened.json == {"name": "王晓明", "phone": None, "citizen_number": None, "birth_date": None}
    assert house.rows("SELECT purpose, fields FROM data_use") == [("letter 2026-118", ["name"])]


@pytest.mark.parametrize("password", ["short", "aaaaaaaaaaaaaaaa", "passwordpassword", "wangxiaoming-1", "123456789012"])
def test_weak_passwords_are_refused(password: str) -> None:
    with pytest.raises(PasswordWeak):
        passwords.check_strength(password, login="wangxiaoming")


def test_few_passwords_are_checked_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "_WAIT", 0.01)
    monkeypatch.setattr(passwords, "_in_flight", threading.BoundedSemaphore(1))
    with passwords._turn(), pytest.raises(Busy):
        passwords.waste("x")


@pytest.mark.parametrize(
    ("seconds", "code"), [(59, "287082"), (1111111109, "081804"), (1111111111, "050471"), (1234567890, "005924"), (20000000000, "353130")]
)
def test_one_time_codes_are_those_of_the_standard(seconds: int, code: str) -> None:
    """RFC 6238 appendix B, cut to six digits."""
    assert totp.code(b"12345678901234567890", seconds // 30) == code
    assert totp.step_of(b"12345678901234567890", code, seconds + 29, after=0) == seconds // 30
    assert totp.step_of(b"12345678901234567890", code, seconds, after=seconds // 30) is None
    assert totp.step_of(b"12345678901234567890", code, seconds, after=seconds // 30 + 1) is None
    assert totp.step_of(b"12345678901234567890", code, seconds, after=seconds // 30 + 2) is None
