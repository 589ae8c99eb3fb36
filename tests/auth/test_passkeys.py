"""Passkeys: made only from a fresh strong proof, used by whoever they know, stopped when copied, and silent about everybody else."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

import auth
from auth import installing
from auth.passkeys import ceremony, challenges
from auth.passkeys.challenges import Purpose
from auth.passkeys.errors import PasskeysNeedName
from core import db, ids, pulse
from tests.auth.authenticator import AT, BE, BS, UP, UV, Authenticator, cbor, new_key
from tests.auth.conftest import LI, WANG, House, Phone, pack

ADD, ENTER, CHECK = "/api/me/passkeys", "/api/passkey-sign-ins", "/api/me/passkey-checks"
REFUSED = (401, "passkey_refused")


def face(house: House, token: str) -> str:
    """The token after a live face: S3, and fresh."""
    begun = house.post("/api/me/face-checks", None, token=token).json
    return str(house.post(f"/api/me/face-checks/{begun['id']}/result", {"face_token": "same_person"}, token=token).json["access_token"])


def strong(house: House, person: tuple[str, str] = WANG) -> tuple[Phone, str]:
    """A resident who has just held the phone before their face."""
    phone, tokens = house.named(person=person)
    return phone, face(house, tokens["access_token"])


def options(house: House, token: str) -> dict[str, Any]:
    answer = house.post(f"{ADD}/options", None, token=token)
    assert answer.status_code == 200, answer.text
    return dict(answer.json)


def add(house: House, token: str, key: Authenticator, name: str = "我的手机", **wrong: Any) -> Any:
    return house.post(ADD, {"name": name, "credential": key.create(options(house, token), **wrong)}, token=token)


def holder(house: House, person: tuple[str, str] = WANG, **kind: Any) -> tuple[Phone, str, Authenticator]:
    """A resident with a passkey."""
    phone, token = strong(house, person)
    key = Authenticator(**kind)
    answer = add(house, token, key)
    assert answer.status_code == 201, answer.text
    return phone, token, key


def ask(house: House, phone: Phone) -> dict[str, Any]:
    answer = house.post(f"{ENTER}/options", {"device_key": phone.jwk})
    assert answer.status_code == 200, answer.text
    return dict(answer.json)


def enter(house: House, phone: Phone, credential: dict[str, Any]) -> Any:
    return house.post(ENTER, {"credential": credential, "device_name": "新手机"}, phone)


def outcome(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json.get("code", "")


def told(house: House) -> list[str]:
    return [row[0] for row in house.rows("SELECT event FROM outbox WHERE starts_with(event, 'auth:passkey') ORDER BY seq")]


# Making one


def test_a_passkey_signs_in_on_a_new_device_without_a_name(house: House) -> None:
    _, _, key = holder(house)
    new = Phone()
    asked = ask(house, new)["public_key"]
    assert (asked["rpId"], asked["userVerification"], asked["allowCredentials"]) == ("localhost", "required", [])
    answer = enter(house, new, key.get({"public_key": asked}))
    assert answer.status_code == 201, answer.text
    assert (answer.json["strength"], answer.json["identity_level"]) == (3, 4)
    assert house.call("GET", "/api/me", token=answer.json["access_token"]).json["masked_name"] == "王*明"
    assert house.refresh(new, answer.json["refresh_token"]).status_code == 200
    # The device stands for its holder from now on, and the holder was told of it.
    assert house.rows("SELECT count(*) FROM device WHERE proved_at IS NOT NULL") == [(2,)]
    assert told(house) == ["auth:passkey:add"]
    assert house.rows("SELECT count(*) FROM outbox WHERE event = 'auth:session:start'") == [(1,)]
    detail = house.rows("SELECT detail->>'passkey' FROM audit WHERE event = 'auth:session:start' ORDER BY id DESC LIMIT 1")
    assert detail[0][0].startswith("passkey_")


def test_what_a_browser_is_asked_to_make(house: House) -> None:
    phone, token = strong(house)
    asked = options(house, token)["public_key"]
    assert asked["rp"] == {"id": "localhost", "name": "云川市市民卡"}
    assert asked["user"]["displayName"] == "王*明"
    assert asked["user"]["name"] == f"{phone.number[:3]}****{phone.number[-4:]}"
    assert asked["pubKeyCredParams"] == [{"type": "public-key", "alg": -7}]
    assert asked["authenticatorSelection"] == {"residentKey": "required", "requireResidentKey": True, "userVerification": "required"}
    assert (asked["attestation"], asked["timeout"], asked["excludeCredentials"]) == ("none", 300_000, [])
    key = Authenticator()
    assert add(house, token, key).status_code == 201
    known = options(house, token)["public_key"]["excludeCredentials"]
    assert known == [{"type": "public-key", "id": pack(key.credential_id), "transports": ["internal"]}]


@pytest.mark.parametrize(
    "kind", [{"count": None}, {"flags": UP | UV, "count": 7}, {"credential_id": b"k" * 16}, {"credential_id": b"k" * 1023}]
)
def test_every_usual_authenticator_works_twice(house: House, kind: dict[str, Any]) -> None:
    _, _, key = holder(house, **kind)
    for _ in range(2):
        phone = Phone()
        assert enter(house, phone, key.get(ask(house, phone))).status_code == 201


def test_an_attestation_that_the_key_makes_of_itself_is_taken(house: House) -> None:
    _, token = strong(house)
    assert add(house, token, Authenticator(), fmt="packed", statement="self").status_code == 201


@pytest.mark.parametrize(("strength", "minutes", "may"), [(1, 0, False), (2, 0, False), (3, 0, True), (3, 6, False)])
def test_only_a_fresh_proof_as_strong_as_a_passkey_adds_one(house: House, strength: int, minutes: int, may: bool) -> None:
    phone = Phone()
    tokens = house.sign_in(phone)
    if strength > 1:
        house.prove(tokens["access_token"])
    token = house.refresh(phone, tokens["refresh_token"]).json["access_token"]
    if strength == 3:
        token = face(house, token)
    house.later(minutes=minutes)
    answer = house.post(f"{ADD}/options", None, token=token)
    assert outcome(answer) == ((200, "") if may else (403, "step_up_needed"))


def test_a_weaker_proof_does_not_renew_a_stronger_one(house: House) -> None:
    _, token = strong(house)
    house.later(minutes=6)
    renewed = house.prove(token).json
    assert renewed["strength"] == 3
    assert outcome(house.post(f"{ADD}/options", None, token=renewed["access_token"])) == (403, "step_up_needed")


CURVE_384 = ec.generate_private_key(ec.SECP384R1()).public_key().public_numbers()
GOOD = Authenticator().cose()
WRONG_MAKING: dict[str, dict[str, Any]] = {
    "another site's origin": {"origin": "http://evil.example"},
    "another port": {"origin": "http://localhost:9999"},
    "a site that begins alike": {"origin": "http://localhost:8080.evil.example"},
    "another relying party": {"rp_id": "evil.example"},
    "the holder not verified": {"flags": UP | BE | BS | AT},
    "nobody present": {"flags": UV | BE | BS | AT},
    "no key in it": {"flags": UP | UV},
    "backed up but not able to be": {"flags": UP | UV | BS | AT},
    "the other ceremony": {"type": "webauthn.get"},
    "inside another page": {"more": {"crossOrigin": True}},
    "inside a named other page": {"more": {"topOrigin": "http://evil.example"}},
    "client data that is no JSON": {"said": b"\xff\xfe"},
    "client data that is a list": {"said": b"[]"},
    "an RSA key": {"cose": {1: 3, 3: -257, -1: b"n" * 256, -2: b"\x01\x00\x01"}},
    "an EdDSA key": {"cose": {1: 1, 3: -8, -1: 6, -2: b"x" * 32}},
    "another curve": {"cose": {1: 2, 3: -35, -1: 2, -2: CURVE_384.x.to_bytes(48, "big"), -3: CURVE_384.y.to_bytes(48, "big")}},
    "another curve under our algorithm": {"cose": {**GOOD, -1: 2}},
    "a point off the curve": {"cose": {**GOOD, -3: b"\x01" * 32}},
    "a short coordinate": {"cose": {**GOOD, -2: b"\x01"}},
    "a key without a part": {"cose": {1: 2, 3: -7, -1: 1, -2: b"x" * 32}},
    "a key that is a number": {"cose": 4},
    "a key that is a list": {"cose": [1, 2]},
    "bytes left over": {"tail": b"\x00"},
    "an attestation nobody asked for": {"fmt": "tpm"},
    "an unknown attestation": {"fmt": "own"},
    "no attestation, with a statement": {"statement": {"sig": b"s"}},
    "an attestation by certificate": {"fmt": "packed", "statement": {"alg": -7, "sig": b"s", "x5c": [b"c"]}},
    "an attestation with a wrong signature": {"fmt": "packed", "statement": {"alg": -7, "sig": b"\x30\x06\x02\x01\x01\x02\x01\x01"}},
    "an object that is no CBOR": {"object": b"\xff"},
    "an object that is a list": {"object": cbor([1])},
    "an object without data": {"object": cbor({"fmt": "none", "attStmt": {}})},
    "another credential id around it": {"id": b"another credential id"},
}


@pytest.mark.parametrize("wrong", WRONG_MAKING.values(), ids=WRONG_MAKING)
def test_a_wrongly_made_passkey_is_not_kept(house: House, wrong: dict[str, Any]) -> None:
    _, token = strong(house)
    assert outcome(add(house, token, Authenticator(), **wrong)) == (422, "passkey_not_accepted")
    assert house.rows("SELECT count(*) FROM passkey") == [(0,)]


def test_a_short_credential_id_is_not_kept(house: House) -> None:
    _, token = strong(house)
    assert outcome(add(house, token, Authenticator(credential_id=b"short"))) == (422, "passkey_not_accepted")


def test_a_challenge_makes_one_passkey_in_its_own_session_within_five_minutes(house: House) -> None:
    _, token = strong(house)
    asked = options(house, token)
    assert house.post(ADD, {"name": "a", "credential": Authenticator().create(asked)}, token=token).status_code == 201
    again = house.post(ADD, {"name": "b", "credential": Authenticator().create(asked)}, token=token)
    assert outcome(again) == (409, "passkey_challenge_over")
    _, other = strong(house, LI)
    foreign = house.post(ADD, {"name": "c", "credential": Authenticator().create(options(house, other))}, token=token)
    assert outcome(foreign) == (409, "passkey_challenge_over")
    made_up = house.post(ADD, {"name": "d", "credential": Authenticator().create(asked, challenge=pack(b"c" * 32))}, token=token)
    assert outcome(made_up) == (409, "passkey_challenge_over")
    late = Authenticator().create(options(house, token))
    house.later(minutes=5, seconds=1)
    assert outcome(house.post(ADD, {"name": "e", "credential": late}, token=token)) == (409, "passkey_challenge_over")


def test_a_challenge_is_good_for_its_purpose_alone(house: House) -> None:
    phone, token, key = holder(house)
    made = Authenticator().create(options(house, token), challenge=ask(house, phone)["public_key"]["challenge"])
    assert outcome(house.post(ADD, {"name": "x", "credential": made}, token=token)) == (409, "passkey_challenge_over")
    assert outcome(enter(house, phone, key.get(options(house, token)))) == REFUSED
    assert outcome(house.post(CHECK, {"credential": key.get(ask(house, phone))}, token=token)) == REFUSED


def test_one_passkey_has_one_holder_and_a_holder_ten(house: House) -> None:
    _, token, key = holder(house)
    _, other = strong(house, LI)
    taken = add(house, other, Authenticator(credential_id=key.credential_id))
    assert outcome(taken) == (409, "passkey_known")
    for _ in range(9):
        assert add(house, token, Authenticator()).status_code == 201
    assert outcome(house.post(f"{ADD}/options", None, token=token)) == (409, "too_many_passkeys")


def test_the_form_of_what_comes_in_is_held(house: House) -> None:
    _, token = strong(house)
    good = Authenticator().create(options(house, token))
    response = good["response"]
    wrong: list[dict[str, Any]] = [
        {"credential": good},
        {"name": "", "credential": good},
        {"name": "n" * 61, "credential": good},
        {"name": "n", "credential": {**good, "type": "password"}},
        {"name": "n", "credential": {**good, "id": good["id"] + "="}},
        {"name": "n", "credential": {**good, "id": good["id"] + "!!"}},
        {"name": "n", "credential": {**good, "rawId": ""}},
        {"name": "n", "credential": {**good, "response": {**response, "attestationObject": pack(b"o" * 4097)}}},
        {"name": "n", "credential": {**good, "response": {"clientDataJSON": response["clientDataJSON"]}}},
        {"name": "n", "credential": good, "resident_id": "x"},
    ]
    for body in wrong:
        assert outcome(house.post(ADD, body, token=token)) == (422, "invalid"), body
    assert house.post(ADD, {"name": "n", "credential": good}, token=token).status_code == 201


# Signing in


WRONG_USE: dict[str, dict[str, Any]] = {
    "another site's origin": {"origin": "https://evil.example"},
    "another port": {"origin": "http://localhost:9999"},
    "another relying party": {"rp_id": "evil.example"},
    "the holder not verified": {"flags": UP | BE | BS},
    "nobody present": {"flags": UV | BE | BS},
    "another kind of key than before": {"flags": UP | UV},
    "backed up but not able to be": {"flags": UP | UV | BS},
    "the other ceremony": {"type": "webauthn.create"},
    "inside another page": {"more": {"crossOrigin": True}},
    "a challenge that was not given": {"challenge": pack(b"c" * 32)},
    "a challenge of another spelling": {"challenge": "!"},
    "client data that is no JSON": {"said": b"{"},
    "another key's signature": {"key": new_key()},
    "no signature": {"signature": b"\x00"},
    "an unknown key": {"id": b"k" * 32},
    "another holder": {"handle": b"h" * 16},
    "no holder": {"handle": None},
    "bytes left over": {"tail": b"\x00"},
}


@pytest.mark.parametrize("wrong", WRONG_USE.values(), ids=WRONG_USE)
def test_a_wrong_use_is_refused_in_the_same_words(house: House, wrong: dict[str, Any]) -> None:
    _, _, key = holder(house)
    new = Phone()
    answer = enter(house, new, key.get(ask(house, new), **wrong))
    assert outcome(answer) == REFUSED
    assert "facts" not in answer.json or not answer.json["facts"]
    assert house.rows("SELECT count(*) FROM session WHERE passkey_id IS NOT NULL") == [(0,)]
    # Whatever was tried, the passkey itself still opens.
    assert enter(house, new, key.get(ask(house, new))).status_code == 201


def test_a_use_counts_once(house: House) -> None:
    _, _, key = holder(house)
    new = Phone()
    used = key.get(ask(house, new))
    assert enter(house, new, used).status_code == 201
    assert outcome(enter(house, new, used)) == REFUSED


def test_a_use_is_good_within_five_minutes(house: House) -> None:
    _, _, key = holder(house)
    new = Phone()
    used = key.get(ask(house, new))
    house.later(minutes=5, seconds=1)
    assert outcome(enter(house, new, used)) == REFUSED


def test_a_use_is_good_with_the_key_that_asked_alone(house: House) -> None:
    _, _, key = holder(house)
    new, thief = Phone(), Phone()
    used = key.get(ask(house, new))
    assert outcome(enter(house, thief, used)) == REFUSED
    assert outcome(house.post(ENTER, {"credential": used})) == (401, "device_proof_refused")
    assert enter(house, new, used).status_code == 201


@pytest.mark.parametrize("count", [3, 4, 0])
def test_a_counter_that_goes_back_stops_the_passkey_and_tells_its_holder(house: House, count: int) -> None:
    _, _, key = holder(house, count=3)
    first, second = Phone(), Phone()
    opened = enter(house, first, key.get(ask(house, first)))
    assert opened.status_code == 201
    assert outcome(enter(house, second, key.get(ask(house, second), count=count))) == REFUSED
    assert told(house) == ["auth:passkey:add", "auth:passkey:stop"]
    assert house.rows("SELECT revoked_because FROM passkey") == [("counter_back",)]
    assert outcome(enter(house, second, key.get(ask(house, second)))) == REFUSED
    pulse.read_now()
    assert house.call("GET", "/api/me", token=opened.json["access_token"]).status_code == 401


def test_a_forged_counter_stops_nobodys_passkey(house: House) -> None:
    _, _, key = holder(house, count=3)
    thief = Phone()
    assert outcome(enter(house, thief, key.get(ask(house, thief), count=0, key=new_key()))) == REFUSED
    assert enter(house, thief, key.get(ask(house, thief))).status_code == 201


def test_of_twenty_at_once_with_one_challenge_one_is_heard(house: House) -> None:
    with db.transaction():
        challenge = challenges.give(Purpose.SIGN_IN, city_id=990100, binding="x")

    def take(_: int) -> bool:
        with house.app.app_context():
            taken = challenges.take(Purpose.SIGN_IN, challenge, binding="x")
        db.drop_connection()
        return taken

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(take, range(20))) == 1


def test_failures_from_one_network_come_to_an_end(house: House) -> None:
    _, _, key = holder(house)
    parts = auth.parts()
    installing._installed[:] = [replace(parts, policy=replace(parts.policy, passkey_failures_per_network_hour=2))]
    phone = Phone()
    for _ in range(2):
        assert outcome(enter(house, phone, key.get(ask(house, phone), handle=None))) == REFUSED
    assert outcome(enter(house, phone, key.get(ask(house, phone)))) == (429, "throttled")


def test_everybody_is_asked_the_same(house: House) -> None:
    holder(house)
    shapes = [{**ask(house, Phone())["public_key"], "challenge": "…"} for _ in range(3)]
    assert shapes[0] == shapes[1] == shapes[2]
    assert outcome(house.post(f"{ENTER}/options", {"device_key": Phone().jwk, "city": 110100})) == (422, "city_unknown")


# Keeping them


def test_a_text_message_does_not_enter_where_a_passkey_stands(house: House) -> None:
    phone, token, _ = holder(house)
    device = house.call("GET", "/api/me/devices", token=token).json["current"]
    assert house.call("DELETE", f"/api/me/devices/{device}", token=token).status_code == 204
    house.later(minutes=2)
    new = Phone(number=phone.number)
    house.send_code(new)
    answer = house.try_code(new, house.inbox.code(new.number))
    assert outcome(answer) == (403, "stronger_factor_required")
    assert answer.json["facts"]["ways"] == ["passkey", "face", "counter"]


def test_removing_one_ends_what_it_opened_and_tells(house: House) -> None:
    _phone, token, key = holder(house)
    new, newer = Phone(), Phone()
    first = enter(house, new, key.get(ask(house, new))).json["access_token"]
    second = enter(house, newer, key.get(ask(house, newer))).json["access_token"]
    (kept,) = house.call("GET", ADD, token=token).json["items"]
    assert (kept["name"], kept["synced"]) == ("我的手机", True)
    assert house.call("DELETE", f"{ADD}/{kept['id']}", token=first).status_code == 204
    pulse.read_now()
    assert [house.call("GET", "/api/me", token=t).status_code for t in (token, first, second)] == [200, 200, 401]
    assert house.call("GET", ADD, token=token).json["items"] == []
    assert house.call("DELETE", f"{ADD}/{kept['id']}", token=first).status_code == 404
    assert outcome(enter(house, new, key.get(ask(house, new)))) == REFUSED
    assert told(house) == ["auth:passkey:add", "auth:passkey:remove"]


def test_another_residents_passkey_is_not_found_and_not_of_use(house: House) -> None:
    _, _, key = holder(house)
    _, other = strong(house, LI)
    shown = ids.show("passkey", house.rows("SELECT id FROM passkey")[0][0])
    assert house.call("DELETE", f"{ADD}/{shown}", token=other).status_code == 404
    assert house.call("GET", ADD, token=other).json["items"] == []
    asked = house.post(f"{CHECK}/options", None, token=other).json
    assert asked["public_key"]["allowCredentials"] == []
    assert outcome(house.post(CHECK, {"credential": key.get(asked)}, token=other)) == REFUSED


def test_a_session_of_one_text_message_neither_sees_nor_removes_one(house: House) -> None:
    phone = Phone()
    weak = house.sign_in(phone)["access_token"]
    assert outcome(house.call("GET", ADD, token=weak)) == (403, "step_up_needed")
    assert outcome(house.call("DELETE", f"{ADD}/{ids.show('passkey', ids.new_id())}", token=weak)) == (403, "step_up_needed")


def test_a_passkey_renews_the_proof_within_a_session(house: House) -> None:
    _phone, token, key = holder(house)
    house.later(minutes=6)
    assert outcome(house.post(f"{ADD}/options", None, token=token)) == (403, "step_up_needed")
    asked = house.post(f"{CHECK}/options", None, token=token).json
    assert [known["id"] for known in asked["public_key"]["allowCredentials"]] == [pack(key.credential_id)]
    used = key.get(asked, handle=None)
    fresh = house.post(CHECK, {"credential": used}, token=token)
    assert (fresh.status_code, fresh.json["strength"]) == (200, 3)
    assert house.post(f"{ADD}/options", None, token=fresh.json["access_token"]).status_code == 200
    assert outcome(house.post(CHECK, {"credential": used}, token=token)) == REFUSED


def test_what_is_kept_can_be_taken_along_and_is_forgotten(house: House) -> None:
    _phone, token, key = holder(house)
    options(house, token)
    owner = house.rows("SELECT resident_id FROM passkey")[0][0]
    with db.transaction():
        assert [known["name"] for known in auth.AuthData().export(owner)["passkeys"]] == ["我的手机"]
        auth.AuthData().erase(owner)
    assert house.rows("SELECT count(*) FROM passkey") == [(0,)]
    assert house.rows("SELECT count(*) FROM passkey_challenge") == [(0,)]
    new = Phone()
    assert outcome(enter(house, new, key.get(ask(house, new)))) == REFUSED


def test_the_program_cannot_change_which_key_it_is(house: House) -> None:
    holder(house)
    for attempt in (
        "UPDATE passkey SET public_key = ''",
        "UPDATE passkey SET resident_id = id",
        "UPDATE passkey_challenge SET binding = ''",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            db.connection().execute(attempt)


def test_old_challenges_are_forgotten(house: House) -> None:
    ask(house, Phone())
    house.later(minutes=6)
    auth.jobs.forget_passkey_challenges()
    assert house.rows("SELECT count(*) FROM passkey_challenge") == [(0,)]


def test_an_address_without_a_name_has_no_passkeys(house: House) -> None:
    parts = auth.parts()
    named = replace(parts, issuer="https://card.example", origins=("https://card.example", "https://app.card.example", "https://10.0.0.1"))
    installing._installed[:] = [named]
    assert (ceremony.party(), ceremony.origins()) == ("card.example", ["https://card.example", "https://app.card.example"])
    for bare in ("http://127.0.0.1:8080", "http://[::1]:8080"):
        installing._installed[:] = [replace(parts, issuer=bare)]
        with pytest.raises(PasskeysNeedName):
            ceremony.party()
        assert outcome(house.post(f"{ENTER}/options", {"device_key": Phone().jwk})) == (409, "passkeys_need_a_name")
