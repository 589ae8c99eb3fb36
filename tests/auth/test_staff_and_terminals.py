"""Staff sign in with two factors; terminals with a key, and sign every request."""

from __future__ import annotations

import datetime as dt
import secrets
import threading
import time
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

import auth
from auth.errors import PasswordWeak, SignatureWrong, TokenRevoked
from auth.scopes import PERMISSIONS, Permission, Role, permissions
from auth.staff import passwords, totp
from core import clock, db, ids, pulse
from core.actors import system
from core.errors import Busy
from core.ports import Call
from tests.auth.conftest import ISSUER, LINHU, PASSWORD, WANG, YUNCHUAN, House, Phone, Till, public_jwk


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


def test_a_terminal_is_registered_enrols_once_and_signs_in(house: House) -> None:
    administrator, till = house.staff("administrator"), Till(house)
    body = {"name": "窗口", "functions": ["presentation:create"], "merchant": ids.show("merchant", ids.new_id())}
    made = house.post("/api/terminals", body, token=administrator)
    assert made.status_code == 201, made.text
    machine = Phone(key=till.key)
    enrolment = {"code": made.json["enrolment_code"].lower().replace("-", ""), "public_key": public_jwk(till.key)}
    assert house.post("/api/terminals/enrolments", enrolment, Phone()).json["code"] == "device_proof_refused"
    enrolled = house.post("/api/terminals/enrolments", enrolment, machine)
    assert (enrolled.status_code, enrolled.json["state"]) == (200, "active"), enrolled.text
    assert house.post("/api/terminals/enrolments", enrolment, machine).json["code"] == "enrolment_refused"
    till.id = enrolled.json["id"]
    till.sign_in()
    actor = _authenticated(till.headers("GET", "/api/x"), "GET", "/api/x")
    assert actor.scopes == {"presentation:create"}
    assert ids.show("merchant", actor.merchant_id) == body["merchant"]


def test_an_enrolment_code_runs_out_after_a_day(house: House) -> None:
    administrator, till = house.staff("administrator"), Till(house)
    made = house.post("/api/terminals", {"name": "窗口", "functions": ["presentation:create"]}, token=administrator).json
    house.later(hours=25)
    body = {"code": made["enrolment_code"], "public_key": public_jwk(till.key)}
    assert house.post("/api/terminals/enrolments", body, Phone(key=till.key)).json["code"] == "enrolment_refused"


def test_an_unknown_function_is_refused(house: House) -> None:
    answer = house.post("/api/terminals", {"name": "x", "functions": ["money:print"]}, token=house.staff("administrator"))
    assert answer.json["code"] == "terminal_function_unknown"


def _authenticated(headers: dict[str, str], method: str, path: str, query: str = "", body: bytes = b"") -> Any:
    from werkzeug.datastructures import Headers

    return auth.TokenAuthenticator().authenticate(Call(method, path, query, Headers(headers), body, "127.0.0.1"))  # type: ignore[arg-type]


def test_a_terminals_token_without_its_signature_is_worth_nothing(till: Till) -> None:
    with pytest.raises(SignatureWrong):
        _authenticated({"Authorization": f"Bearer {till.token}"}, "GET", "/api/x")


def test_every_change_of_a_signed_request_is_refused(till: Till) -> None:
    body, path, query = b'{"code":"810000000000000000"}', "/api/presentations", "a=1"
    good = till.headers("POST", path, body, query)
    assert _authenticated(good, "POST", path, query, body).account_id is None
    now = int(clock.timestamp())
    wrong: list[tuple[dict[str, str], str, str, str, bytes]] = [
        (good, "PUT", path, query, body),
        (good, "POST", "/api/charges", query, body),
        (good, "POST", path, "a=2", body),
        (good, "POST", path, "", body),
        (good, "POST", path, query, body + b" "),
        (good, "POST", path, query, b""),
        ({**good, "Idempotency-Key": "added-later-1"}, "POST", path, query, body),
        (till.headers("POST", path, body, query, created=now - 90), "POST", path, query, body),
        (till.headers("POST", path, body, query, created=now + 90), "POST", path, query, body),
    ]
    for name in ("Signature", "Signature-Input", "Content-Digest"):
        wrong.append(({k: v for k, v in good.items() if k != name}, "POST", path, query, body))
        value = good[name]
        for place in range(0, len(value), 3):
            changed = value[:place] + ("A" if value[place] != "A" else "B") + value[place + 1 :]
            wrong.append(({**good, name: changed}, "POST", path, query, body))
    assert len(wrong) > 60
    for headers, method, at, asked, sent in wrong:
        with pytest.raises(SignatureWrong):
            _authenticated(headers, method, at, asked, sent)


def test_one_terminals_key_signs_for_no_other_token(house: House, till: Till) -> None:
    other = Till(house, id="")
    with db.transaction():
        other.id = ids.show(
            "terminal", auth.admit_terminal(YUNCHUAN, auth.TerminalDescription(name="x", functions=()), public_jwk(other.key))
        )
    other.sign_in()
    other.secret = till.secret
    with pytest.raises(SignatureWrong):
        _authenticated(other.headers("GET", "/api/x"), "GET", "/api/x")


@pytest.mark.parametrize(
    "changed",
    [
        {"iss": "terminal_0"},
        {"sub": "terminal_0"},
        {"aud": "http://evil.example"},
        {"aud": [ISSUER]},
        {"iat": 1},
        {"iat": None},
        {"jti": "short"},
        {"jti": 1},
    ],
)
def test_an_assertion_is_about_this_terminal_here_and_now(house: House, till: Till, changed: dict[str, Any]) -> None:
    assert house.post("/api/terminal-sessions", {"assertion": till.assertion(**changed)}).json["code"] == "terminal_assertion_refused"


def test_an_assertion_counts_once_and_only_from_the_terminals_own_key(house: House, till: Till) -> None:
    assertion = till.assertion()
    assert house.post("/api/terminal-sessions", {"assertion": assertion}).status_code == 201
    assert house.post("/api/terminal-sessions", {"assertion": assertion}).status_code == 401
    claims = {"iss": till.id, "sub": till.id, "aud": ISSUER, "iat": int(clock.timestamp()), "jti": "j" * 20}
    thief = ec.generate_private_key(ec.SECP256R1())
    for headers in ({"typ": "terminal+jwt", "kid": till.id}, {"typ": "terminal+jwt", "kid": till.id, "jwk": public_jwk(thief)}):
        forged = jwt.encode(claims, thief, algorithm="ES256", headers=headers)
        assert house.post("/api/terminal-sessions", {"assertion": forged}).status_code == 401
    for typ in ("JWT", "dpop+jwt", "at+jwt"):
        other = jwt.encode(claims, till.key, algorithm="ES256", headers={"typ": typ, "kid": till.id})
        assert house.post("/api/terminal-sessions", {"assertion": other}).status_code == 401


def test_a_disabled_terminal_is_refused_within_a_second(house: House, till: Till) -> None:
    headers = till.headers("GET", "/api/x")
    _authenticated(headers, "GET", "/api/x")
    assert house.call("DELETE", f"/api/terminals/{till.id}", token=house.staff("administrator", city=LINHU)).status_code == 404
    assert house.call("DELETE", f"/api/terminals/{till.id}", token=house.staff("administrator")).status_code == 204
    assert _seconds_until_refused(till) < 1.0
    assert house.post("/api/terminal-sessions", {"assertion": till.assertion()}).status_code == 401


def _seconds_until_refused(till: Till) -> float:
    start = time.monotonic()
    while time.monotonic() - start < 3.0:
        try:
            _authenticated(till.headers("GET", "/api/x"), "GET", "/api/x")
        except TokenRevoked:
            break
        time.sleep(0.02)
    return time.monotonic() - start


def test_a_new_account_ends_the_tokens_that_name_the_old_one(till: Till) -> None:
    account = ids.new_id()
    with db.transaction():
        auth.set_terminal_account(ids.parse("terminal", till.id), account)
    pulse.read_now()
    with pytest.raises(TokenRevoked):
        _authenticated(till.headers("GET", "/api/x"), "GET", "/api/x")
    till.sign_in()
    assert _authenticated(till.headers("GET", "/api/x"), "GET", "/api/x").account_id == account
    assert clock.offset() == dt.timedelta()
