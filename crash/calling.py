"""One signed call of a terminal over a fresh or kept connection; whatever goes wrong on the way is one kind of failure."""

import http.client
import json
import time
from dataclasses import dataclass
from typing import Any

from bench.load import Address
from bench.terminals import Session

PATIENCE = 6.0  # seconds until a terminal gives an answer up; the server itself gives up after 8
NO_DECISION = frozenset({"no answer", "request_in_progress", "unavailable", "outcome_unknown", "busy"})  # asked once more, it may be known


class NoAnswer(Exception):
    """The connection broke, timed out or was refused: nobody knows what became of the request."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server said."""

    status: int
    body: dict[str, Any]
    replayed: bool

    @property
    def code(self) -> str:
        """The stable code of a refusal, or the status."""
        return str(self.body.get("code", self.status))


class Caller:
    """Calls of one thread, over one connection as long as it lasts."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._wire: http.client.HTTPConnection | None = None

    def post(self, session: Session, path: str, body: bytes, *, key: str | None) -> Answer:
        """Signs and sends; raises NoAnswer."""
        headers = session.headers("POST", path, body, key=key, now=time.time())
        return self.send("POST", path, body, headers)

    def send(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> Answer:
        """Sends as given; raises NoAnswer."""
        try:
            wire = self._wire = self._wire or http.client.HTTPConnection(*self._address, timeout=PATIENCE)
            wire.request(method, path, body or None, headers)
            answer = wire.getresponse()
            raw = answer.read()
        except (OSError, http.client.HTTPException) as fault:
            self.close()
            raise NoAnswer(type(fault).__name__) from fault
        try:
            told = json.loads(raw) if raw else {}
        except ValueError as fault:
            raise NoAnswer("a body that is no JSON") from fault
        return Answer(answer.status, told, answer.headers.get("Idempotency-Replayed") == "true")

    def close(self) -> None:
        """Lets the connection go."""
        if self._wire is not None:
            self._wire.close()
            self._wire = None
