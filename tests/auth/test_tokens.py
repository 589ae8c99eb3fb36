"""Access tokens: one place reads them, and nothing but a whole, present token of our own is read as one."""

from __future__ import annotations

import datetime as dt
import hmac
import json
import random
import string
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from auth.errors import TokenExpired, TokenRefused, TokenRevoked
from auth.tokens import AccessTokens
from core import clock, ids, pulse, revocation
from core.actors import Actor, ActorKind
from tests.auth.conftest import ISSUER, House, Phone, pack, segments, unpad

KEY = ec.generate_private_key(ec.SECP256R1())
OTHER = ec.generate_private_key(ec.SECP256R1())
KID = "k" * 43
WANG = Actor(
    kind=ActorKind.RESIDENT,
    id=UUID("01a20318-c219-73ea-8df9-fd3d59fddbb4"),
    city_id=990100,
    identity_level=2,
    strength=2,
    session_id=uuid4(),
)


@pytest.fixture
def tokens(monkeypatch: pytest.MonkeyPatch) -> AccessTokens:
    """Tokens under one key, in a process that needs no database."""
    monkeypatch.setattr(pulse, "beat", lambda: None)
    revocation.forget()
    return AccessTokens(ISSUER, signing=lambda _: SimpleNamespace(kid=KID, private=KEY), verification=lambda _: {KID: KEY.public_key()})


def test_a_token_says_what_its_actor_is(tokens: AccessTokens) -> None:
    actor = Actor(
        kind=ActorKind.TERMINAL,
        id=ids.new_id(),
        city_id=990100,
        scopes=frozenset({"charge:create", "presentation:create"}),
        strength=3,
        signed_in_at=dt.datetime(2026, 11, 22, 8, 0, tzinfo=dt.UTC),
        merchant_id=uuid4(),
        account_id=uuid4(),
        agency_id=uuid4(),
        session_id=uuid4(),
        device_id=uuid4(),
        name="包子铺收银台",
    )
    assert tokens.verify(tokens.issue(actor).access_token).actor == actor


def test_its_header_is_at_jwt_es256_and_a_kid_alone(tokens: AccessTokens) -> None:
    header, claims, _ = segments(tokens.issue(WANG).access_token)
    assert header == {"typ": "at+jwt", "alg": "ES256", "kid": KID}
    assert {"iss", "sub", "aud", "exp", "iat", "jti", "sid", "acr", "auth_time", "city"} <= claims.keys()
    assert claims["acr"] == "L2.S2"


def resign(header: Any, claims: Any, key: Any = KEY) -> str:
    """A token with any header and payload, rightly signed."""
    text = f"{pack(header)}.{pack(claims)}"
    raw = jwt.get_algorithm_by_name("ES256").sign(text.encode(), key)
    return f"{text}.{pack(raw)}"


def corpus(good: str) -> dict[str, str]:
    """Every wrong token there is, by what is wrong with it."""
    header, claims, signature = segments(good)
    first, second, _ = good.split(".")
    bad: dict[str, str] = {}
    _unsigned(bad, header, claims, second, signature)
    _other_algorithms(bad, header, claims)
    _headers(bad, header, claims)
    _claims(bad, header, claims)
    _spellings(bad, good, first, second, signature)
    _noise(bad, good)
    return bad


def _unsigned(bad: dict[str, str], header: dict[str, Any], claims: dict[str, Any], second: str, signature: str) -> None:
    for name in ("none", "None", "NONE", "nOnE", ""):
        plain = {**header, "alg": name}
        bad[f"alg {name!r} unsigned"] = f"{pack(plain)}.{second}."
        bad[f"alg {name!r} signed"] = f"{pack(plain)}.{second}.{signature}"
    bad["no signature"] = f"{pack(header)}.{second}."
    bad["two parts"] = f"{pack(header)}.{second}"
    bad["zero signature"] = f"{pack(header)}.{second}.{pack(bytes(64))}"
    bad["r only"] = f"{pack(header)}.{second}.{pack(unpad(signature)[:32] + bytes(32))}"
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    bad["r = s = n"] = f"{pack(header)}.{second}.{pack(order.to_bytes(32, 'big') * 2)}"
    bad["der signature"] = f"{pack(header)}.{second}.{pack(KEY.sign(b'x', ec.ECDSA(_sha256())))}"
    bad["admin claims, old signature"] = f"{pack(header)}.{pack({**claims, 'scope': 'auth:staff:admit'})}.{signature}"


def _sha256() -> Any:
    from cryptography.hazmat.primitives.hashes import SHA256

    return SHA256()


def _other_algorithms(bad: dict[str, str], header: dict[str, Any], claims: dict[str, Any]) -> None:
    pem = KEY.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    der = KEY.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    point = KEY.public_key().public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    jwk = json.dumps({"kty": "EC"}).encode()
    for hash_ in ("256", "384", "512"):
        for name, secret in (("pem", pem), ("der", der), ("point", point), ("jwk", jwk), ("empty", b""), ("kid", KID.encode())):
            for stated in (f"HS{hash_}", "ES256"):
                text = f"{pack({**header, 'alg': stated})}.{pack(claims)}"
                bad[f"HS{hash_} with {name} as {stated}"] = f"{text}.{pack(hmac.digest(secret, text.encode(), f'sha{hash_}'))}"
    rsa_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    for name in ("RS256", "PS256"):
        bad[name] = jwt.encode(claims, rsa_key, algorithm=name, headers={"typ": "at+jwt", "kid": KID})
    bad["EdDSA"] = jwt.encode(claims, ed25519.Ed25519PrivateKey.generate(), algorithm="EdDSA", headers={"typ": "at+jwt", "kid": KID})
    bad["ES384"] = jwt.encode(claims, ec.generate_private_key(ec.SECP384R1()), algorithm="ES384", headers={"typ": "at+jwt", "kid": KID})
    bad["foreign key"] = resign(header, claims, OTHER)


def _headers(bad: dict[str, str], header: dict[str, Any], claims: dict[str, Any]) -> None:
    jwk = {"kty": "EC", "crv": "P-256", "x": "a" * 43, "y": "b" * 43}
    for kid in (
        "",
        "k",
        KID + "k",
        "../../../dev/null",
        "/etc/passwd",
        "' OR 1=1 --",
        "k\u0000",
        "http://evil/",
        None,
        7,
        [KID],
        {"a": 1},
        "é",
    ):
        bad[f"kid {kid!r}"] = resign({**header, "kid": kid}, claims)
    bad["no kid"] = resign({"typ": "at+jwt", "alg": "ES256"}, claims)
    for typ in ("JWT", "jwt", "AT+JWT", "application/at+jwt", "dpop+jwt", "terminal+jwt", "id+jwt", "refresh+jwt", "", None, 1):
        bad[f"typ {typ!r}"] = resign({**header, "typ": typ}, claims)
    bad["no typ"] = resign({"alg": "ES256", "kid": KID}, claims)
    for name, value in (
        ("jku", "https://evil.example/jwks.json"),
        ("x5u", "https://evil.example/cert.pem"),
        ("jwk", jwk),
        ("x5c", ["MIIB"]),
        ("crit", ["exp"]),
        ("b64", False),
        ("zip", "DEF"),
        ("enc", "A256GCM"),
        ("cty", "JWT"),
        ("x5t", "abc"),
        ("nonce", "1"),
    ):
        bad[f"header {name}"] = resign({**header, name: value}, claims)
        bad[f"header {name}, foreign key"] = resign({**header, name: value}, claims, OTHER)
    for name, text in (
        ("alg twice", '{"alg":"none","alg":"ES256","kid":"KID","typ":"at+jwt"}'.replace("KID", KID)),
        ("kid twice", '{"alg":"ES256","kid":"x","kid":"KID","typ":"at+jwt"}'.replace("KID", KID)),
        ("spaces", '{ "alg":"ES256","kid":"KID","typ":"at+jwt"}'.replace("KID", KID)),
        ("other order", '{"typ":"at+jwt","alg":"ES256","kid":"KID"}'.replace("KID", KID)),
        ("escaped", '{"\\u0061lg":"ES256","kid":"KID","typ":"at+jwt"}'.replace("KID", KID)),
        ("array", '["ES256"]'),
        ("null", "null"),
        ("deep", "[" * 200),
        ("bom", "\ufeff" + '{"alg":"ES256"}'),
    ):
        bad[f"header {name}"] = resign(text.encode(), claims)


def _claims(bad: dict[str, str], header: dict[str, Any], claims: dict[str, Any]) -> None:
    for name in claims:
        if name not in ("sid",):
            bad[f"without {name}"] = resign(header, {k: v for k, v in claims.items() if k != name})
    changes: list[tuple[str, Any]] = [
        ("iss", "http://evil.example"), ("iss", ""), ("iss", None), ("iss", [ISSUER]), ("iss", ISSUER + "/"),
        ("aud", "http://evil.example"), ("aud", [ISSUER]), ("aud", None), ("aud", ""),
        ("exp", "9999999999"), ("exp", None), ("exp", True), ("exp", 1), ("exp", -1), ("exp", 0), ("exp", 10**400), ("exp", [1]),
        ("iat", "now"), ("iat", None), ("iat", clock.timestamp() + 3600), ("iat", 1e308),
        ("sub", ""), ("sub", "resident_"), ("sub", "staff_" + claims["sub"][9:]), ("sub", 7), ("sub", "resident_" + "z" * 26),
        ("kind", "system"), ("kind", "partner"), ("kind", "anonymous"), ("kind", "root"), ("kind", "staff"),
        ("acr", ""), ("acr", "L9"), ("acr", "LxSy"), ("acr", 4), ("acr", "L2"), ("city", "990100"), ("city", None), ("city", 1.5),
        ("auth_time", "x"), ("sid", "not-a-uuid"), ("dev", "1"), ("scope", ["a"]), ("jti", None), ("merchant", "x"),
        ("admin", True), ("role", "administrator"),
    ]  # fmt: skip
    for name, value in changes:
        bad[f"claim {name} {value!r}"[:60]] = resign(header, {**claims, name: value})
    for name, raw in (
        ("array", b"[]"),
        ("null", b"null"),
        ("text", b'"x"'),
        ("empty", b""),
        ("not utf-8", b'{"iss":"\xff"}'),
        ("deep", b"[" * 900),
    ):
        bad[f"payload {name}"] = resign(header, raw)


def _spellings(bad: dict[str, str], good: str, first: str, second: str, signature: str) -> None:
    last = string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_"
    place = last.index(signature[-1])
    for offset in (1, 2, 3):
        bad[f"second spelling {offset}"] = good[:-1] + last[(place & ~15) | ((place + offset) & 15)]
    bad["padded"] = good + "=="
    bad["newline"] = good + "\n"
    bad["space before"] = " " + good
    bad["space inside"] = f"{first}. {second}.{signature}"
    bad["four parts"] = good + "." + signature
    bad["five parts"] = f"{first}.{second}.{signature}.{second}.{signature}"
    bad["standard alphabet"] = good.replace("-", "+").replace("_", "/") if "-" in good or "_" in good else good + "+"
    bad["json form"] = json.dumps({"protected": first, "payload": second, "signature": signature})
    bad["empty"] = ""
    bad["dots"] = ".."
    bad["huge"] = f"{first}.{second + 'A' * 100_000}.{signature}"
    bad["huge header"] = f"{first + 'A' * 5000}.{second}.{signature}"
    bad["twice"] = good + good
    bad["fullwidth"] = good.replace("e", "ｅ", 1)
    bad["nul"] = good[:50] + "\0" + good[50:]
    bad["surrogate"] = good[:50] + "\ud800" + good[51:]
    bad["bearer inside"] = "Bearer " + good


def _noise(bad: dict[str, str], good: str) -> None:
    chance = random.Random(7)
    letters = string.ascii_letters + string.digits + "-_"
    while sum(name.startswith("noise") for name in bad) < 60:
        place = chance.randrange(len(good))
        letter = chance.choice(letters)
        if good[place] not in (".", letter):
            bad[f"noise {place} {letter}"] = good[:place] + letter + good[place + 1 :]


def test_no_wrong_token_is_accepted(tokens: AccessTokens) -> None:
    good = tokens.issue(WANG).access_token
    bad = corpus(good)
    accepted = [name for name, token in bad.items() if token != good and _accepted(tokens, token)]
    assert accepted == []
    assert len(bad) >= 150
    assert tokens.verify(good).actor.id == WANG.id


def _accepted(tokens: AccessTokens, token: str) -> bool:
    try:
        tokens.verify(token)
    except (TokenRefused, TokenExpired):
        return False
    return True


def test_expiry_follows_the_citys_clock(tokens: AccessTokens) -> None:
    token = tokens.issue(WANG).access_token
    tokens.verify(token)
    try:
        clock.learn(dt.timedelta(minutes=10, seconds=1))
        with pytest.raises(TokenExpired):
            tokens.verify(token)
        clock.learn(-dt.timedelta(minutes=5))
        with pytest.raises(TokenRefused):
            AccessTokens(ISSUER, signing=tokens._signing, verification=tokens._verification).verify(token)
    finally:
        clock.learn(dt.timedelta())


@pytest.mark.parametrize("subject", ["resident:{0.id}", "session:{0.session_id}"])
def test_a_remembered_token_is_refused_once_its_subject_is_revoked(tokens: AccessTokens, subject: str) -> None:
    token = tokens.issue(WANG).access_token
    tokens.verify(token)
    now = clock.now()
    revocation._learn([(subject.format(WANG), now, now + dt.timedelta(hours=1))])
    with pytest.raises(TokenRevoked):
        tokens.verify(token)
    with pytest.raises(TokenRevoked):
        tokens.verify(token)


def test_a_retired_key_takes_its_remembered_tokens_with_it(tokens: AccessTokens) -> None:
    token = tokens.issue(WANG).access_token
    tokens.verify(token)
    tokens._verification = lambda _: {"n" * 43: OTHER.public_key()}
    tokens._keys_until = 0.0
    with pytest.raises(TokenRefused):
        tokens.verify(token)


def test_the_memory_of_tokens_is_bounded(tokens: AccessTokens) -> None:
    small = AccessTokens(ISSUER, signing=tokens._signing, verification=tokens._verification, remembered=20)
    made = [small.issue(WANG).access_token for _ in range(60)]
    for token in made:
        small.verify(token)
    assert len(small._young) + len(small._old) <= 20
    assert small.verify(made[0]).actor == small.verify(made[-1]).actor


def test_a_token_seen_before_is_not_verified_again(tokens: AccessTokens) -> None:
    """Times are not judged here (the bench does); what is judged is that the second look does not verify again."""
    token = tokens.issue(WANG).access_token
    first = _microseconds(lambda: (tokens.forget(token), tokens.verify(token)), 200)
    again = _microseconds(lambda: tokens.verify(token), 5_000)
    assert again < first / 10


def _microseconds(work: Callable[[], object], times: int) -> float:
    best = float("inf")
    for _ in range(5):
        start = time.perf_counter()
        for _ in range(times):
            work()
        best = min(best, (time.perf_counter() - start) / times)
    return best * 1e6


def test_the_wrong_tokens_are_refused_over_http_too(house: House) -> None:
    good = house.sign_in(Phone())["access_token"]
    header, claims, signature = segments(good)
    for token in (
        f"{pack({**header, 'alg': 'none'})}.{pack(claims)}.",
        good[:-4] + "AAAA",
        "x",
        f"{good}=",
        f"{pack(header)}.{pack(claims)}.{signature}x",
    ):
        answer = house.call("GET", "/api/me", token=token)
        assert (answer.status_code, answer.json["code"]) == (401, "token_refused")
    for scheme in ("Basic", "DPoP", "bearer"):
        answer = house.call("GET", "/api/me", Authorization=f"{scheme} {good}")
        assert answer.status_code == (200 if scheme == "bearer" else 401)


def test_the_published_keys_verify_what_is_issued(house: House) -> None:
    token = house.sign_in(Phone())["access_token"]
    keys = house.call("GET", "/.well-known/jwks.json").json["keys"]
    key = next(k for k in keys if k["kid"] == segments(token)[0]["kid"])
    assert "d" not in key
    claims = jwt.decode(token, jwt.PyJWK(key), algorithms=["ES256"], audience=ISSUER, issuer=ISSUER)
    assert claims["sub"].startswith("resident_")


def test_a_refresh_token_is_no_access_token(house: House) -> None:
    assert house.call("GET", "/api/me", token=house.sign_in(Phone())["refresh_token"]).status_code == 401
