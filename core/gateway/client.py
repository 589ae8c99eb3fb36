"""One gateway: signed calls to one other system, with retries where they are safe and outcomes that tell the truth."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

import msgspec
import structlog
from marshmallow import EXCLUDE, Schema, ValidationError

from core import db
from core.gateway.breaker import Breaker
from core.gateway.errors import GatewayAnsweredWrong, GatewayUnavailable
from core.gateway.outcomes import Answered, Outcome, Refused, Unknown
from core.gateway.transport import HttpTransport, Incoming, MaybeDone, NotSent, Outgoing, Patience, Transport
from core.http_signatures import Answer, KeyFinder, Request, SignatureRefused, Signer, sign, verify_answer

_log = structlog.get_logger(__name__)
_CODE = re.compile(r"[a-z][a-z0-9_]{0,63}")
_TARGET = re.compile(r"/[A-Za-z0-9/_.~:@!$&'()*+,;=%\-]{0,500}")
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


@dataclass(frozen=True, slots=True)
class Limits:
    """How long and how much: seconds to connect, per wait, over all attempts; bytes of answer; attempts."""

    connect: float = 2.0
    read: float = 4.0
    total: float = 6.0
    answer_bytes: int = 256 * 1024
    attempts: int = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One question or order to the other system.

    `gives` is the schema of a good answer (None: text, as in a day file). A call is repeated only when it is a GET, a
    `question` that changes nothing, or carries an idempotency key that the other side honours.
    """

    operation: str
    method: str
    path: str
    gives: type[Schema] | None
    query: str = ""
    body: Mapping[str, Any] | None = None
    idempotency_key: str | None = None
    question: bool = False

    @property
    def repeatable(self) -> bool:
        return self.method == "GET" or self.question or self.idempotency_key is not None


@dataclass(frozen=True, slots=True)
class Observation:
    """What the metrics hook is told of each call; nothing of its content."""

    gateway: str
    operation: str
    outcome: str
    seconds: float
    attempts: int


def log_observation(seen: Observation) -> None:
    """The hook that stands in when none is given: one line per call, a warning unless it was answered."""
    write = _log.info if seen.outcome in ("answered", "refused") else _log.warning
    write("gateway_call", gateway=seen.gateway, operation=seen.operation, outcome=seen.outcome)


@dataclass(kw_only=True)
class Gateway:
    """The door to one other system; safe to share between threads.

    `signer` gives the key of the moment (`city_signer`). `peer_keys` given, every answer must be signed by one of them
    and bound to our request. Signatures carry the machine's own time, not the city's: `created` is about two machines,
    and the other one knows nothing of our offset.
    """

    name: str
    base_url: str
    signer: Callable[[], Signer]
    peer_keys: KeyFinder | None = None
    limits: Limits = field(default_factory=Limits)
    transport: Transport = field(default_factory=HttpTransport)
    breaker: Breaker = field(default_factory=Breaker)
    observe: Callable[[Observation], None] = log_observation
    wall_clock: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep

    def __post_init__(self) -> None:
        """Refuse a base URL without TLS unless it is this machine itself."""
        parts = urlsplit(self.base_url)
        plain = parts.scheme == "http" and parts.hostname in _LOOPBACK
        if not (parts.scheme == "https" or plain) or not parts.hostname or parts.username or parts.query:
            raise ValueError(f"gateway {self.name}: the base URL must be https, or http to this machine")
        self.base_url = self.base_url.rstrip("/")
        self._prefix = urlsplit(self.base_url).path

    def ask(self, call: Call) -> Answered | Refused:
        """A question that changes nothing: what cannot be known is raised, since it may simply be asked again."""
        outcome = self.send(call)
        if isinstance(outcome, Unknown):
            if outcome.reason.startswith("answer_"):
                raise GatewayAnsweredWrong(gateway=self.name)
            raise GatewayUnavailable(gateway=self.name)
        return outcome

    def send(self, call: Call) -> Outcome:
        """Send an order; raises GatewayUnavailable only when the other system has surely not received it."""
        _refuse_inside_transaction(self.name)
        started, attempts = time.monotonic(), 0
        outcome: Outcome | None = None
        unsent = True
        while attempts < (self.limits.attempts if call.repeatable else 1):
            left = self.limits.total - (time.monotonic() - started)
            if left <= 0 or (attempts and not self._pause(attempts, left)) or not self.breaker.admit():
                break
            attempts += 1
            outcome = self._try(call, self.limits.total - (time.monotonic() - started))
            if isinstance(outcome, Refused) and not unsent:
                outcome = replace(outcome, in_doubt=True)
            unsent = unsent and outcome is None
            if isinstance(outcome, Answered | Refused):
                break
        if outcome is None and not unsent:
            outcome = Unknown("not_sent_again")
        self._tell(call, outcome, attempts, started)
        if outcome is None:
            raise GatewayUnavailable(gateway=self.name)
        return outcome

    def _pause(self, attempts: int, left: float) -> bool:
        """Wait before trying again: doubling, with jitter, so that a crowd of callers does not return at once."""
        wait = 0.1 * 2 ** (attempts - 1) * (0.5 + random.random())  # noqa: S311  # jitter is no secret
        if wait >= left:
            return False
        self.sleep(wait)
        return True

    def _try(self, call: Call, left: float) -> Outcome | None:
        """One attempt; None when nothing was sent. A refusal counts as health: the other side is there and thinking."""
        limits = self.limits
        request, outgoing = self._signed(call)
        patience = Patience(limits.connect, limits.read, max(left, 0.001), limits.answer_bytes)
        try:
            incoming = self.transport.send(outgoing, patience)
        except NotSent:
            self.breaker.failed()
            return None
        except MaybeDone as fault:
            self.breaker.failed()
            return Unknown(str(fault))
        outcome = self._judge(call, request, incoming)
        if isinstance(outcome, Unknown):
            self.breaker.failed()
        else:
            self.breaker.succeeded()
        return outcome

    def _signed(self, call: Call) -> tuple[str, Outgoing]:
        """The request on the wire, and its signature for the answer to be bound to."""
        if not _TARGET.fullmatch(call.path):
            raise ValueError(f"gateway {self.name}: not a path: {call.operation}")
        body = b"" if call.body is None else msgspec.json.encode(call.body)
        headers = {"accept": "application/json" if call.gives else "text/plain"}
        if call.body is not None:
            headers["content-type"] = "application/json"
        if call.idempotency_key is not None:
            headers["idempotency-key"] = call.idempotency_key
        request = Request(call.method, self._prefix + call.path, call.query, headers, body)
        signed = sign(request, self.signer(), created=int(self.wall_clock()), nonce=True)
        url = f"{self.base_url}{call.path}" + (f"?{call.query}" if call.query else "")
        return signed["Signature"], Outgoing(call.method, url, {**headers, **signed}, body)

    def _judge(self, call: Call, request_signature: str, incoming: Incoming) -> Outcome:
        if incoming.status >= 500 or incoming.status in (408, 425):
            return Unknown(f"status_{incoming.status}")
        if self.peer_keys is not None:
            answer = Answer(incoming.status, incoming.headers, incoming.body, request_signature)
            try:
                verify_answer(answer, self.peer_keys, now=self.wall_clock())
            except SignatureRefused as refusal:
                return Unknown(f"answer_{refusal.reason}")
        if 400 <= incoming.status < 500:
            return Refused(_code(incoming.body), incoming.status)
        if not 200 <= incoming.status < 300:
            return Unknown(f"answer_status_{incoming.status}")
        return _read(call, incoming)

    def _tell(self, call: Call, outcome: Outcome | None, attempts: int, started: float) -> None:
        word = "unavailable" if outcome is None else type(outcome).__name__.lower()
        self.observe(Observation(self.name, call.operation, word, time.monotonic() - started, attempts))


def _read(call: Call, incoming: Incoming) -> Answered | Unknown:
    """A good answer in the shape the contract says; additions are ignored, everything else is not used."""
    kind = incoming.headers.get("content-type", "").partition(";")[0].strip()
    if call.gives is None:
        if kind != "text/plain":
            return Unknown("answer_wrong_type")
        try:
            return Answered({}, incoming.status, incoming.body.decode("utf-8"))
        except UnicodeDecodeError:
            return Unknown("answer_wrong_encoding")
    if kind != "application/json":
        return Unknown("answer_wrong_type")
    try:
        loaded = call.gives(unknown=EXCLUDE).load(msgspec.json.decode(incoming.body))
    except (msgspec.DecodeError, ValidationError, RecursionError, ValueError):
        return Unknown("answer_wrong_shape")
    return Answered(dict(loaded), incoming.status)


def _code(body: bytes) -> str:
    """The other side's own code of a refusal, if it gives one in our grammar."""
    try:
        said = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, ValueError):
        return "refused"
    code = said.get("code") if isinstance(said, dict) else None
    return code if isinstance(code, str) and _CODE.fullmatch(code) else "refused"


def _refuse_inside_transaction(name: str) -> None:
    """A call that waits for another agency must never hold our locks."""
    try:
        holding = db.in_transaction()
    except RuntimeError:  # no application context, so no session either
        return
    if holding:
        raise RuntimeError(f"gateway {name}: called inside a database transaction; commit first")
