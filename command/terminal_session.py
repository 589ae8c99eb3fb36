"""What a signed-in terminal keeps, and how it signs each request (RFC 9421): for the story, the bench, and `citycard sign`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from command.story.proving import b64
from core import http_signatures


@dataclass(frozen=True, slots=True)
class TerminalSession:
    """Ten minutes of a signed-in terminal: its token, and the key that signs each request under it."""

    token: str = field(repr=False)
    key: http_signatures.HmacKey = field(repr=False)

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> TerminalSession:
        """The session that POST /api/terminal-sessions answered."""
        return cls(given["access_token"], http_signatures.HmacKey(b64(given["session_key"])))

    def headers(self, method: str, path: str, body: bytes, *, now: float, key: str | None = None) -> dict[str, str]:
        """All headers of a request, signed; `path` with its query, `key` the operation's idempotency key."""
        headers = {"authorization": f"Bearer {self.token}"}
        if body:
            headers["content-type"] = "application/json"
        if key is not None:
            headers["idempotency-key"] = key
        plain, _, query = path.partition("?")
        request = http_signatures.Request(method, plain, query, headers, body)
        return headers | http_signatures.sign(request, self.key, created=int(now))
