"""Terminals as a bench or a crash test plays them: they sign in with their own key and sign every request."""

import json
import time
import urllib.request
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

from bench import load
from command.story import proving
from command.terminal_session import TerminalSession
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
    signed: TerminalSession

    def post(self, path: str, body: bytes, *, key: str | None, now: float) -> bytes:
        """The bytes of a signed POST, ready for the wire."""
        return load.request("POST", path, body, self.headers("POST", path, body, key=key, now=now))

    def headers(self, method: str, path: str, body: bytes, *, key: str | None, now: float) -> dict[str, str]:
        """The headers of a signed request."""
        return self.signed.headers(method, path, body, key=key, now=now)


def sign_in(url: str, issuer: str, terminal: Terminal, *, ahead: float = 0.0) -> Session:
    """A session of the terminal, whose clock is `ahead` seconds ahead of the machine's; raises urllib's HTTPError when it is refused."""
    said = proving.assertion(terminal.key, ids.show("terminal", terminal.id), issuer, now=time.time() + ahead)
    body = json.dumps({"assertion": said}).encode()
    wanted = urllib.request.Request(f"{url}/api/terminal-sessions", data=body, headers={"Content-Type": "application/json"}, method="POST")
    with urllib.request.urlopen(wanted, timeout=30) as answer:
        return Session(terminal.id, TerminalSession.of(json.load(answer)))
