"""A counter terminal: it signs in with its own key and signs every request."""

from __future__ import annotations

import datetime as dt
import json
import secrets
import time
from typing import Any

from command.story import proving
from command.story.wire import Answer, Unexpected, Wire
from command.terminal_session import TerminalSession
from core.http_signatures import HmacKey


class Till:
    """One terminal, by its shown id and private key."""

    def __init__(self, wire: Wire, *, terminal: str, key: proving.PrivateKey, issuer: str) -> None:
        self.wire, self.terminal, self.key, self.issuer = wire, terminal, key, issuer
        self.session, self.ahead, self.signed_in_at = TerminalSession("", HmacKey(b"")), 0.0, 0.0

    @property
    def now(self) -> float:
        """The platform's time."""
        return time.time() + self.ahead

    def sign_in(self) -> None:
        """Exchange an assertion for ten minutes of work."""
        there = dt.datetime.fromisoformat(self.wire.send("GET", "/healthz/ready").body["time"])
        self.ahead = there.timestamp() - time.time()
        said = json.dumps({"assertion": proving.assertion(self.key, self.terminal, self.issuer, now=self.now)}).encode()
        answer = self.wire.send("POST", "/api/terminal-sessions", body=said, headers={"Content-Type": "application/json"})
        if answer.status >= 400:
            raise Unexpected("POST", "/api/terminal-sessions", answer)
        self.session, self.signed_in_at = TerminalSession.of(answer.body), self.now

    def ask(self, method: str, path: str, body: Any = None, *, key: str | None = None) -> Answer:
        """A signed request, whatever comes of it."""
        data = b"" if body is None else json.dumps(body).encode()
        return self.wire.send(method, path, body=data, headers=self.session.headers(method, path, data, key=key, now=self.now))

    def do(self, method: str, path: str, body: Any = None, *, key: str | None = None) -> Any:
        """A signed request that must succeed; a write carries a fresh key."""
        answer = self.ask(method, path, body, key=key or (secrets.token_urlsafe(16) if method == "POST" else None))
        if answer.status >= 400:
            raise Unexpected(method, path, answer)
        return answer.body
