"""Terminals as a bench or a crash test plays them: they sign in with their own key and sign every request."""

import json
import secrets
import time
import urllib.request
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

from bench import load
from core import http_signatures as signatures
from core import ids
from core.crypto import thumbprint


@dataclass(frozen=True, slots=True)
class Terminal:
    """An enrolled terminal: its id, its own key and the account that its charges fill."""

    id: UUID
    key: ec.EllipticCurvePrivateKey
    account: UUID

    @property
    def jwk(self) -> dict[str, Any]:
        """The public half, as the platform keeps it."""
        public = jwt.get_algorithm_by_name("ES256").to_jwk(self.key.public_key(), as_dict=True)
        return {name: public[name] for name in ("crv", "kty", "x", "y")}

    @property
    def thumbprint(self) -> str:
        """The name of the key (RFC 7638)."""
        return thumbprint(self.jwk)


@dataclass(frozen=True, slots=True)
class Session:
    """Ten minutes of a signed-in terminal."""

    terminal: UUID
    token: str
    key: signatures.HmacKey

    def post(self, path: str, body: bytes, *, key: str | None, now: float) -> bytes:
        """The bytes of a signed POST, ready for the wire."""
        return load.request("POST", path, body, self.headers("POST", path, body, key=key, now=now))

    def headers(self, method: str, path: str, body: bytes, *, key: str | None, now: float) -> dict[str, str]:
        """The headers of a signed request."""
        headers = {"authorization": f"Bearer {self.token}"}
        if body:
            headers["content-type"] = "application/json"
        if key is not None:
            headers["idempotency-key"] = key
        request = signatures.Request(method, path, "", headers, body)
        return headers | signatures.sign(request, self.key, created=int(now))


def assertion(terminal: Terminal, issuer: str, now: float) -> str:
    """What a terminal signs to sign in (RFC 7523): itself, for this issuer, once, for a minute."""
    name = ids.show("terminal", terminal.id)
    claims = {
        "iss": name, "sub": name, "aud": issuer, "iat": int(now), "exp": int(now) + 60, "jti": secrets.token_urlsafe(16),
    }  # fmt: skip
    return jwt.encode(claims, terminal.key, algorithm="ES256", headers={"typ": "terminal+jwt", "kid": name})


def sign_in(url: str, issuer: str, terminal: Terminal, *, ahead: float = 0.0) -> Session:
    """A session of the terminal, whose clock is `ahead` seconds ahead of the machine's; raises urllib's HTTPError when it is refused."""
    body = json.dumps({"assertion": assertion(terminal, issuer, time.time() + ahead)}).encode()
    wanted = urllib.request.Request(f"{url}/api/terminal-sessions", data=body, headers={"Content-Type": "application/json"}, method="POST")
    with urllib.request.urlopen(wanted, timeout=30) as answer:
        given = json.load(answer)
    return Session(terminal.id, given["access_token"], signatures.HmacKey(_bytes(given["session_key"])))


def _bytes(text: str) -> bytes:
    return jwt.utils.base64url_decode(text)
