"""The auth floor over HTTP with a small cast: residents with phones, a clerk, an administrator, a till; police and SMS are played."""

from __future__ import annotations

import base64
import datetime as dt
import itertools
import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import jwt
import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from flask import Flask
from werkzeug.test import TestResponse

import auth
from auth.agreements import texts
from auth.rules import check_digit
from auth.staff import totp
from auth.verification.police import FaceCapture, FaceResult, IdentityResult
from config.settings import Settings
from core import clock, crypto, db, http_signatures, ids, pulse, revocation
from core.actors import system
from core.channels import Message
from core.limits import Quotas
from core.web import Edge

ISSUER = "http://localhost:8080"
YUNCHUAN, LINHU = 990100, 990200
PASSWORD = "a-long-staff-word-7"
_numbers = itertools.count(1)


def citizen_number(born: dt.date, ordinal: int = 1, region: str = "990101") -> str:
    """A well-formed number in the region that is given to nobody."""
    digits = f"{region}{born:%Y%m%d}{ordinal:03d}"
    return digits + check_digit(digits)


WANG = ("王晓明", citizen_number(dt.date(1990, 3, 15)))
LI = ("李秀英", citizen_number(dt.date(1952, 10, 8), 2))


def phone_number() -> str:
    """A number that no other test used."""
    return f"199{next(_numbers):08d}"


@dataclass
class Phone:
    """A phone: its number, and the key that never leaves it."""

    number: str = field(default_factory=phone_number)
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    city: int = YUNCHUAN

    @property
    def jwk(self) -> dict[str, Any]:
        return public_jwk(self.key)

    def proof(self, method: str, path: str, **changed: Any) -> str:
        """A DPoP proof over one request."""
        claims = {"htm": method, "htu": ISSUER + path, "iat": int(clock.timestamp()), "jti": secrets.token_urlsafe(16), **changed}
        return jwt.encode(claims, self.key, algorithm="ES256", headers={"typ": "dpop+jwt", "jwk": self.jwk})


def public_jwk(key: ec.EllipticCurvePrivateKey) -> dict[str, Any]:
    numbers = key.public_key().public_numbers()
    text = {
        name: base64.urlsafe_b64encode(value.to_bytes(32, "big")).decode().rstrip("=")
        for name, value in (("x", numbers.x), ("y", numbers.y))
    }
    return {"kty": "EC", "crv": "P-256", **text}


@dataclass
class Inbox:
    """Plays the SMS provider."""

    name: str = "inbox"
    messages: list[Message] = field(default_factory=list)

    def send(self, message: Message) -> str:
        assert not db.in_transaction(), "nobody calls outside inside a transaction"
        self.messages.append(message)
        return "1"

    def code(self, number: str) -> str:
        return next(m.values["code"] for m in reversed(self.messages) if m.number == number)


@dataclass
class Police:
    """Plays the register: knows whom it was told of, and whose face it saw."""

    people: dict[str, str] = field(default_factory=lambda: {WANG[1]: WANG[0], LI[1]: LI[0]})
    faces: dict[str, FaceResult] = field(default_factory=dict)
    asked: int = 0
    about: set[str] = field(default_factory=set)

    def check_identity(self, *, name: str, citizen_number: str) -> IdentityResult:
        assert not db.in_transaction()
        self.asked += 1
        self.about.add(citizen_number)
        known = self.people.get(citizen_number)
        return IdentityResult.NO_RECORD if known is None else IdentityResult.MATCH if known == name else IdentityResult.MISMATCH

    def start_face_check(self, *, nonce: str, name: str, citizen_number: str) -> FaceCapture | None:
        assert not db.in_transaction()
        return FaceCapture(f"http://outside/face/{nonce}", clock.now() + dt.timedelta(minutes=5))

    def face_result(self, *, nonce: str, face_token: str) -> FaceResult:
        assert not db.in_transaction()
        return FaceResult(face_token)


@dataclass
class House:
    """A running auth floor."""

    app: Flask
    inbox: Inbox
    police: Police
    owner_url: str

    def call(
        self, method: str, path: str, body: Any = None, *, token: str | None = None, proof: str | None = None, **headers: str
    ) -> TestResponse:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if token:
            sent["Authorization"] = f"Bearer {token}"
        if proof:
            sent["DPoP"] = proof
        with self.app.test_client() as client:
            if body is None and method == "GET":
                return client.open(path, method=method, headers=sent)
            return client.open(path, method=method, json=body, headers=sent)

    def post(self, path: str, body: Any, phone: Phone | None = None, **more: Any) -> TestResponse:
        return self.call("POST", path, body, proof=phone.proof("POST", path) if phone else None, **more)

    def send_code(self, phone: Phone, **more: Any) -> TestResponse:
        return self.post("/api/sign-in-codes", {"phone": phone.number, "city": phone.city, "device_key": phone.jwk}, **more)

    def try_code(self, phone: Phone, code: str, **more: Any) -> TestResponse:
        return self.post("/api/sessions", {"phone": phone.number, "city": phone.city, "code": code, "device_name": "手机"}, phone, **more)

    def sign_in(self, phone: Phone) -> dict[str, Any]:
        answer = self.send_code(phone)
        assert answer.status_code == 202, answer.text
        answer = self.try_code(phone, self.inbox.code(phone.number))
        assert answer.status_code == 201, answer.text
        return dict(answer.json)

    def refresh(self, phone: Phone, token: str) -> TestResponse:
        return self.post("/api/sessions/refresh", {"refresh_token": token}, phone)

    def agree(self, token: str, *kinds: str) -> TestResponse:
        """Agree to the present texts of these kinds."""
        items = [{"kind": kind, "version": texts.present()[texts.Kind(kind)].version} for kind in kinds]
        return self.post("/api/me/agreements", {"items": items}, token=token)

    def prove(self, token: str, person: tuple[str, str] = WANG) -> TestResponse:
        self.agree(token, "identity_data", "face_data")
        return self.post("/api/me/identity", {"name": person[0], "citizen_number": person[1]}, token=token)

    def named(self, phone: Phone | None = None, person: tuple[str, str] = WANG) -> tuple[Phone, dict[str, Any]]:
        """A resident at L2 on a phone that stands for them."""
        phone = phone or Phone()
        tokens = self.sign_in(phone)
        proven = self.prove(tokens["access_token"], person)
        assert proven.status_code == 200, proven.text
        return phone, {**tokens, "access_token": proven.json["access_token"]}

    def staff(self, role: str, *, city: int = YUNCHUAN) -> str:
        """The access token of a new staff member with this role."""
        login, secret = f"{role[:8].replace('_', '')}{next(_numbers)}", secrets.token_bytes(20)
        with db.transaction():
            newcomer = auth.staff_accounts.Newcomer(login=login, display_name="何芳", roles=(role,), password=PASSWORD, totp_secret=secret)
            auth.staff_accounts.admit(system("test"), city, newcomer)
        answer = self.post("/api/staff-sessions", self.staff_body(login, secret, city=city))
        assert answer.status_code == 201, answer.text
        return str(answer.json["access_token"])

    def staff_body(self, login: str, secret: bytes, *, password: str = PASSWORD, city: int = YUNCHUAN) -> dict[str, Any]:
        return {"login": login, "password": password, "code": totp.code(secret, int(clock.timestamp()) // 30), "city": city}

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        return db.connection().execute(query, values).fetchall()

    def later(self, **by: float) -> None:
        """Let the city's time go on, for every process."""
        with psycopg.connect(self.owner_url, autocommit=True) as owner:
            owner.execute('UPDATE clock_offset SET "offset" = "offset" + %s', (dt.timedelta(**by),))
        pulse.read_now()


@pytest.fixture
def house(settings: Settings) -> Iterator[House]:
    """The auth floor alone, over a database of this test's own."""
    app = Flask("auth")
    inbox, police = Inbox(), Police()
    pulse.forget()
    revocation.forget()
    crypto.signing.forget()  # another test's database had other keys
    clock.learn(dt.timedelta())
    crypto.install(settings.root_key)
    crypto.signing.forget()
    crypto.residents.forget()
    db.init(app, settings.database_url)
    auth.install(issuer=ISSUER, cities={YUNCHUAN: "云川市", LINHU: "临湖市"}, sms=inbox, police=police)
    edge = Edge(app, authenticator=auth.TokenAuthenticator(), quotas=Quotas(""))
    edge.serve(auth.ROUTES)
    app.extensions["edge"] = edge
    with app.app_context():
        yield House(app, inbox, police, settings.owner_database_url or "")
        db.db.engine.dispose()
    db.drop_connection()
    clock.learn(dt.timedelta())
    revocation.forget()
    pulse.forget()


@dataclass
class Till:
    """A terminal with a key of its own."""

    house: House
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    id: str = ""
    token: str = ""
    secret: bytes = b""

    def assertion(self, **changed: Any) -> str:
        claims = {"iss": self.id, "sub": self.id, "aud": ISSUER, "iat": int(clock.timestamp()), "jti": secrets.token_urlsafe(16), **changed}
        return jwt.encode(claims, self.key, algorithm="ES256", headers={"typ": "terminal+jwt", "kid": self.id})

    def sign_in(self) -> None:
        answer = self.house.post("/api/terminal-sessions", {"assertion": self.assertion()})
        assert answer.status_code == 201, answer.text
        self.token = answer.json["access_token"]
        self.secret = base64.urlsafe_b64decode(answer.json["session_key"] + "=")

    def headers(self, method: str, path: str, body: bytes = b"", query: str = "", *, created: int | None = None) -> dict[str, str]:
        given = {"authorization": f"Bearer {self.token}"}
        request = http_signatures.Request(method, path, query, given, body)
        key = http_signatures.HmacKey(self.secret)
        return {**given, **http_signatures.sign(request, key, created=created or int(clock.timestamp()))}


@pytest.fixture
def till(house: House) -> Till:
    """云川包子铺's counter terminal, enrolled and signed in."""
    made = Till(house)
    with db.transaction():
        wanted = auth.TerminalDescription(name="包子铺收银台", functions=("charge:create", "presentation:create"), merchant_id=ids.new_id())
        made.id = ids.show("terminal", auth.admit_terminal(YUNCHUAN, wanted, public_jwk(made.key)))
    made.sign_in()
    return made


def segments(token: str) -> tuple[dict[str, Any], dict[str, Any], str]:
    """The parts of a token, decoded."""
    header, payload, signature = token.split(".")
    return json.loads(unpad(header)), json.loads(unpad(payload)), signature


def unpad(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def pack(value: Any) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
