"""Terminals sign in with a key, and sign every request."""

from __future__ import annotations

import datetime as dt
import time
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

import auth
from auth.errors import SignatureWrong, TokenRevoked
from core import clock, db, ids, pulse
from core.ports import Call
from tests.auth.conftest import ISSUER, LINHU, YUNCHUAN, House, Phone, Till, public_jwk


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
