"""Partners with keys, a browser that reads our pages, and a resident in front of it."""

from __future__ import annotations

import base64
import hashlib
import html
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit
from uuid import UUID, uuid4

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

import auth
from auth.partners import registering
from auth.partners.registering import PurposeText, Registration
from core import clock, db, ids
from core.actors import system
from tests.auth.conftest import ISSUER, WANG, YUNCHUAN, House, Phone, house, public_jwk

__all__ = ["house"]

CALLBACK = "https://library.example/callback"
GOODBYE = "https://library.example/goodbye"
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
EVERYTHING = ("presentation:verify", "concession:read", "resident:read", "openid", "profile", "phone", "offline_access")
PURPOSES = (
    PurposeText(code="sign_in", zh="登录图书馆网站", en="Sign in to the library", fields=("name", "birth_date", "phone", "age_band")),
    PurposeText(
        code="lending", zh="凭卡借书，按年龄段确定图书", en="Borrow books by age group", fields=("masked_name", "age_band", "phone")
    ),
    PurposeText(code="records", zh="为您建立档案须核对号码", en="A file needs your number", fields=("name", "citizen_number")),
)


@dataclass
class System:
    """A partner's own software: it holds the key and asks."""

    house: House
    id: UUID
    key: ec.EllipticCurvePrivateKey | None
    redirect_uri: str = CALLBACK

    @property
    def client_id(self) -> str:
        return ids.show("partner", self.id)

    def assertion(self, *, headers: dict[str, Any] | None = None, key: Any = None, algorithm: str = "ES256", **changed: Any) -> str:
        now = int(clock.timestamp())
        claims = {
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": ISSUER,
            "iat": now,
            "exp": now + 60,
            "jti": secrets.token_urlsafe(16),
        }
        claims = {name: value for name, value in {**claims, **changed}.items() if value is not None}
        return jwt.encode(claims, key or self.key, algorithm=algorithm, headers={"kid": "one", **(headers or {})})

    def proof(self) -> dict[str, str]:
        if self.key is None:
            return {"client_id": self.client_id}
        return {"client_assertion_type": ASSERTION, "client_assertion": self.assertion()}

    def post(self, path: str, form: dict[str, str] | str, **headers: str) -> TestResponse:
        body = form if isinstance(form, str) else urlencode(form)
        with self.house.app.test_client() as client:
            return client.post(path, data=body, content_type="application/x-www-form-urlencoded", headers=headers)

    def ask(self, grant_type: str, *, headers: dict[str, str] | None = None, **form: str) -> TestResponse:
        return self.post("/oauth2/token", {"grant_type": grant_type, **self.proof(), **form}, **(headers or {}))

    def own_token(self, *scopes: str) -> str:
        answer = self.ask("client_credentials", **({"scope": " ".join(scopes)} if scopes else {}))
        assert answer.status_code == 200, answer.text
        return str(answer.json["access_token"])

    def request(self, **changed: str | None) -> dict[str, str]:
        """A valid authorization request; ``verifier`` is kept for the token request."""
        self.verifier = secrets.token_urlsafe(48)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(self.verifier.encode()).digest()).decode().rstrip("=")
        # Offline access is asked for as the standard says (OpenID Connect Core 11).
        offline = "offline_access" in (changed.get("scope") or "")
        wanted: dict[str, str | None] = {
            "prompt": "consent" if offline else None,
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "scope": "openid",
            "state": secrets.token_urlsafe(8),
            "nonce": secrets.token_urlsafe(8),
            "code_challenge": challenge,
            "code_challenge_method": "S256",
            **changed,
        }
        return {name: value for name, value in wanted.items() if value is not None}

    def redeem(self, code: str, *, headers: dict[str, str] | None = None, **changed: str) -> TestResponse:
        form = {"code": code, "redirect_uri": self.redirect_uri, "code_verifier": self.verifier, **changed}
        return self.ask("authorization_code", headers=headers, **form)

    def userinfo(self, token: str, **headers: str) -> TestResponse:
        with self.house.app.test_client() as client:
            return client.get("/oauth2/userinfo", headers={"Authorization": f"Bearer {token}", **headers})


@dataclass
class Web:
    """A browser with its cookies; it follows our own redirects and stops at the partner's."""

    client: FlaskClient
    last: TestResponse | None = None

    def open(self, path: str) -> TestResponse:
        return self._follow(self.client.get(path))

    def authorize(self, request: dict[str, str]) -> TestResponse:
        return self.open("/oauth2/authorize?" + urlencode(request))

    def send(self, step: str, **more: str) -> TestResponse:
        """Send the form of this step that is on the page, with what was typed into it."""
        assert self.last is not None
        for action, form in re.findall(r'<form method="post" action="([^"]+)">(.*?)</form>', self.last.text, re.S):
            hidden = {html.unescape(n): html.unescape(v) for n, v in re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', form)}
            if hidden.get("step") == step:
                return self._follow(self.client.post(action, data={**hidden, **more}))
        raise AssertionError(f"no form {step} on the page: {self.last.text}")

    def steps(self) -> set[str]:
        assert self.last is not None
        return set(re.findall(r'name="step" value="([a-z]+)"', self.last.text))

    def _follow(self, answer: TestResponse) -> TestResponse:
        while answer.status_code == 303 and answer.location.startswith("/"):
            answer = self.client.get(answer.location)
        self.last = answer
        return answer


@dataclass
class Desk:
    """The library, a browser, and a resident who sits before it with a phone."""

    house: House
    library: System
    web: Web
    phone: Phone = field(default_factory=Phone)
    token: str = ""

    def named(self) -> None:
        """The resident is known by name, on a phone that stands for them."""
        self.phone, tokens = self.house.named(self.phone, WANG)
        self.token = tokens["access_token"]

    def sign_in(self) -> TestResponse:
        """By phone and code, and in the app where that is asked."""
        assert self.web.last is not None
        self.house.later(seconds=61)
        self.web.send("phone", phone=self.phone.number)
        answer = self.web.send("code", code=self.house.inbox.code(self.phone.number))
        return self.approve() if "look" in self.web.steps() else answer

    def approve(self) -> TestResponse:
        """The resident says yes in the app."""
        waiting = self.house.call("GET", "/api/me/sign-in-requests", token=self.token).json["items"]
        answer = self.house.post(f"/api/me/sign-in-requests/{waiting[0]['id']}/decision", {"approve": True}, token=self.token)
        assert answer.status_code == 200, answer.text
        return self.web.send("look")

    def all_the_way(self, **changed: str | None) -> dict[str, str]:
        """Sign in, consent, and give what the partner's address got."""
        answer = self.web.authorize(self.library.request(**changed))
        if "phone" in self.web.steps():
            answer = self.sign_in()
        if "prove" in self.web.steps():
            self.web.send("prove")
            answer = self.approve()
        if "consent" in self.web.steps():
            answer = self.web.send("consent")
        return landed(answer)

    def tokens(self, **changed: str | None) -> dict[str, Any]:
        """The tokens of a complete sign-in."""
        answer = self.library.redeem(self.all_the_way(**changed)["code"])
        assert answer.status_code == 200, answer.text
        return dict(answer.json)


def landed(answer: TestResponse) -> dict[str, str]:
    """What came to the partner's address."""
    assert answer.status_code == 303, answer.text
    assert answer.location.startswith("https://"), answer.location
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.location).query).items()}


def claims(token: str) -> dict[str, Any]:
    """What a token says, unchecked."""
    return dict(jwt.decode(token, options={"verify_signature": False}))


@pytest.fixture
def partner(house: House) -> Callable[..., System]:
    """Registers partners."""

    def register(code: str = "library", *, public: bool = False, **changed: Any) -> System:
        key = None if public else ec.generate_private_key(ec.SECP256R1())
        scopes = tuple(scope for scope in EVERYTHING if ":" not in scope) if public else EVERYTHING
        wanted: dict[str, Any] = {
            "code": code,
            "zh": "云川市图书馆",
            "en": "City Library",
            "agency_id": uuid4(),
            "kind": "public" if public else "confidential",
            "scopes": scopes,
            "redirect_uris": (CALLBACK,),
            "logout_uris": (GOODBYE,),
            "keys": [] if key is None else [{**public_jwk(key), "kid": "one"}],
            "purposes": PURPOSES,
            **changed,
        }
        with db.transaction():
            made = registering.register(system("test", YUNCHUAN), YUNCHUAN, Registration(**wanted))
            return System(house, made.id, key)

    return register


@pytest.fixture
def desk(house: House, partner: Callable[..., System]) -> Desk:
    """Everybody is there."""
    return Desk(house, partner(), Web(house.app.test_client()))


assert auth.ROUTES
