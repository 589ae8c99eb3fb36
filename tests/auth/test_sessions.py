"""Sessions: the refresh token turns, is bound to its key, and its reuse ends everything it could reach."""

from __future__ import annotations

import threading
import time
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from core import clock, db, pulse
from tests.auth.conftest import ISSUER, LI, House, Phone, public_jwk

pytestmark = pytest.mark.subset


def test_a_refresh_gives_the_next_token_and_the_old_one_is_spent(house: House) -> None:
    phone = Phone()
    first = house.sign_in(phone)
    second = house.refresh(phone, first["refresh_token"])
    assert second.status_code == 200, second.text
    assert second.json["refresh_token"] != first["refresh_token"]
    assert second.json["session"] == first["session"]
    assert house.refresh(phone, second.json["refresh_token"]).status_code == 200


def test_a_lost_answer_is_forgiven_for_a_minute(house: House) -> None:
    phone = Phone()
    first = house.sign_in(phone)
    house.refresh(phone, first["refresh_token"])
    house.later(seconds=50)
    again = house.refresh(phone, first["refresh_token"])
    assert again.status_code == 200
    assert house.refresh(phone, again.json["refresh_token"]).status_code == 200


def test_an_old_token_after_a_minute_ends_the_session(house: House) -> None:
    phone = Phone()
    first = house.sign_in(phone)
    second = house.refresh(phone, first["refresh_token"]).json
    house.later(seconds=61)
    assert house.refresh(phone, first["refresh_token"]).json["code"] == "refresh_reused"
    assert house.refresh(phone, second["refresh_token"]).json["code"] == "refresh_refused"


def test_a_token_older_than_the_last_ends_the_session_at_once(house: House) -> None:
    phone = Phone()
    first = house.sign_in(phone)["refresh_token"]
    second = house.refresh(phone, first).json["refresh_token"]
    house.refresh(phone, second)
    assert house.refresh(phone, first).json["code"] == "refresh_reused"


def test_of_two_holders_who_race_at_most_one_survives_and_then_none(house: House) -> None:
    phone = Phone()
    token = house.sign_in(phone)["refresh_token"]
    gate, answers = threading.Barrier(2), []

    def hold() -> None:
        proof = phone.proof("POST", "/api/sessions/refresh")
        gate.wait()
        answers.append(house.call("POST", "/api/sessions/refresh", {"refresh_token": token}, proof=proof))
        db.drop_connection()

    threads = [threading.Thread(target=hold) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    given = [answer.json["refresh_token"] for answer in answers if answer.status_code == 200]
    outcomes = [house.refresh(phone, each) for each in given]
    assert sum(outcome.status_code == 200 for outcome in outcomes) <= 1
    alive = [outcome.json["refresh_token"] for outcome in outcomes if outcome.status_code == 200]
    assert all(house.refresh(phone, each).status_code == 401 for each in alive)


def test_a_stolen_token_without_its_key_is_worth_nothing_and_ends_the_session(house: House) -> None:
    phone = Phone()
    token = house.sign_in(phone)["refresh_token"]
    assert house.refresh(Phone(phone.number), token).json["code"] == "refresh_reused"
    assert house.refresh(phone, token).json["code"] == "refresh_refused"


def test_a_made_up_token_ends_nothing(house: House) -> None:
    phone = Phone()
    token = house.sign_in(phone)["refresh_token"]
    for wrong in (token[:-1] + ("A" if token[-1] != "A" else "B"), "rt_" + "A" * 64, token[3:], token + "x"):
        assert house.refresh(phone, wrong).json["code"] == "refresh_refused"
    assert house.refresh(phone, token).status_code == 200


def test_a_session_ends_when_it_lies_idle_and_when_its_time_is_over(house: House) -> None:
    idle, busy = Phone(), Phone()
    lying = house.sign_in(idle)["refresh_token"]
    turning = house.sign_in(busy)["refresh_token"]
    for _ in range(6):
        house.later(days=29)
        turning = house.refresh(busy, turning).json["refresh_token"]
    assert house.refresh(idle, lying).status_code == 401
    house.later(days=7)
    assert house.refresh(busy, turning).status_code == 401


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"htm": "GET"}, "htm"),
        ({"htu": "http://evil.example/api/sessions/refresh"}, "htu"),
        ({"htu": f"{ISSUER}/api/sessions"}, "htu"),
        ({"htu": f"{ISSUER}/api/sessions/refresh?x=1"}, "htu"),
        ({"iat": 1}, "iat"),
        ({"iat": "now"}, "iat"),
        ({"iat": True}, "iat"),
        ({"iat": None}, "iat"),
        ({"iat": 1e400}, "form"),
        ({"iat": clock.timestamp() + 600}, "iat"),
        ({"jti": "short"}, "jti"),
        ({"jti": 7}, "jti"),
        ({"jti": "x" * 200}, "jti"),
    ],
)
def test_a_proof_is_about_this_request_and_now(house: House, changed: dict[str, Any], reason: str) -> None:
    phone = Phone()
    token = house.sign_in(phone)["refresh_token"]
    proof = phone.proof("POST", "/api/sessions/refresh", **changed)
    answer = house.call("POST", "/api/sessions/refresh", {"refresh_token": token}, proof=proof)
    assert (answer.status_code, answer.json["facts"]["reason"]) == (401, reason)


def test_a_proof_counts_once(house: House) -> None:
    phone = Phone()
    token = house.sign_in(phone)["refresh_token"]
    proof = phone.proof("POST", "/api/sessions/refresh")
    first = house.call("POST", "/api/sessions/refresh", {"refresh_token": token}, proof=proof)
    second = house.call("POST", "/api/sessions/refresh", {"refresh_token": first.json["refresh_token"]}, proof=proof)
    assert second.json["facts"]["reason"] == "used before"


def test_a_proofs_header_is_exactly_typ_alg_and_a_public_p256_key(house: House) -> None:
    phone = Phone()
    token = house.sign_in(phone)["refresh_token"]
    larger = ec.generate_private_key(ec.SECP384R1())
    claims = {"htm": "POST", "htu": f"{ISSUER}/api/sessions/refresh", "iat": int(clock.timestamp()), "jti": "j" * 20}
    headers: list[dict[str, Any]] = [
        {"typ": "JWT", "jwk": phone.jwk},
        {"typ": "at+jwt", "jwk": phone.jwk},
        {"typ": "dpop+jwt"},
        {"typ": "dpop+jwt", "jwk": phone.jwk, "kid": "1"},
        {"typ": "dpop+jwt", "jwk": phone.jwk, "jku": "http://evil.example"},
        {"typ": "dpop+jwt", "jwk": {**phone.jwk, "d": "A" * 43}},
        {"typ": "dpop+jwt", "jwk": {**phone.jwk, "crv": "P-384"}},
        {"typ": "dpop+jwt", "jwk": {**phone.jwk, "y": "A" * 43}},
        {"typ": "dpop+jwt", "jwk": {**phone.jwk, "x": phone.jwk["x"] + "="}},
        {"typ": "dpop+jwt", "jwk": {**phone.jwk, "key_ops": ["sign"]}},
        {"typ": "dpop+jwt", "jwk": {**phone.jwk, "use": "enc"}},
        {"typ": "dpop+jwt", "jwk": {**phone.jwk, "kty": "oct"}},
        {"typ": "dpop+jwt", "jwk": "x"},
        {"typ": "dpop+jwt", "jwk": public_jwk(ec.generate_private_key(ec.SECP256R1()))},
    ]
    proofs = [jwt.encode(claims, phone.key, algorithm="ES256", headers=header) for header in headers]
    proofs.append(jwt.encode(claims, larger, algorithm="ES384", headers={"typ": "dpop+jwt", "jwk": phone.jwk}))
    proofs.append(jwt.encode(claims, "k" * 40, algorithm="HS256", headers={"typ": "dpop+jwt", "jwk": phone.jwk}))
    for proof in (*proofs, "", "a.b.c", proofs[0] + "x"):
        assert house.call("POST", "/api/sessions/refresh", {"refresh_token": token}, proof=proof).status_code == 401
    assert house.refresh(phone, token).status_code == 200


def test_signing_out_is_known_within_a_second(house: House) -> None:
    phone = Phone()
    tokens = house.sign_in(phone)
    assert house.call("GET", "/api/me", token=tokens["access_token"]).status_code == 200
    assert house.call("DELETE", "/api/sessions/current", token=tokens["access_token"]).status_code == 204
    assert _refused_after(house, tokens["access_token"]) < 1.0
    assert house.refresh(phone, tokens["refresh_token"]).status_code == 401


def _refused_after(house: House, token: str) -> float:
    start = time.monotonic()
    while house.call("GET", "/api/me", token=token).status_code == 200:
        assert time.monotonic() - start < 3
        time.sleep(0.02)
    return time.monotonic() - start


def test_a_removed_device_loses_its_session_within_a_second(house: House) -> None:
    phone = Phone()
    tokens = house.sign_in(phone)
    listed = house.call("GET", "/api/me/devices", token=tokens["access_token"]).json
    assert [item["id"] for item in listed["items"]] == [listed["current"]]
    assert house.call("DELETE", f"/api/me/devices/{listed['current']}", token=tokens["access_token"]).status_code == 204
    assert _refused_after(house, tokens["access_token"]) < 1.0
    assert house.rows("SELECT event FROM outbox WHERE event = 'auth:device:remove'")


def test_signing_out_everywhere_ends_every_session(house: House) -> None:
    phone = Phone()
    house.sign_in(phone)
    house.later(minutes=2)
    tokens = house.sign_in(Phone(phone.number))
    assert len(house.call("GET", "/api/sessions", token=tokens["access_token"]).json["items"]) == 2
    assert house.call("DELETE", "/api/sessions", token=tokens["access_token"]).json == {"ended": 2}
    pulse.read_now()
    assert house.call("GET", "/api/sessions", token=tokens["access_token"]).status_code == 401


def test_sessions_and_devices_of_others_are_not_found(house: House) -> None:
    _, mine = house.named()
    _, theirs = house.named(person=LI)
    assert house.call("DELETE", f"/api/sessions/{theirs['session']}", token=mine["access_token"]).status_code == 404
    assert house.call("DELETE", f"/api/me/devices/{theirs['device']}", token=mine["access_token"]).status_code == 404
    pulse.read_now()
    assert house.call("GET", "/api/me", token=theirs["access_token"]).status_code == 200


def test_signing_in_again_on_a_device_ends_its_older_session(house: House) -> None:
    phone = Phone()
    first = house.sign_in(phone)
    house.later(minutes=2)
    house.sign_in(phone)
    assert house.refresh(phone, first["refresh_token"]).status_code == 401
