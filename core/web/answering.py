"""What an operation gives, dumped and put on the wire."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import marshmallow as ma
import structlog
from flask import Flask, Response, current_app, request

from core.idempotency import Kept
from core.web import problems
from core.web.beginning import begun
from core.web.plain import Plain
from core.web.routing import Route

log = structlog.get_logger("edge")
_REPLAYED = ("Idempotency-Replayed", "true")
# What goes out: the framework's response, or the plain one of a lane.
Given = Response | Plain


@dataclass(frozen=True, slots=True)
class Answer:
    """What an operation gives when it decides more than the body: status, headers, or that it is a repetition."""

    body: Any = None
    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    replayed: bool = False


def dump(schema: ma.Schema | None, given: Any) -> tuple[Any, Answer]:
    """The JSON-ready body of what an operation gave."""
    answer = given if isinstance(given, Answer) else Answer(given)
    return (answer.body if schema is None else schema.dump(answer.body)), answer


def respond(route: Route, body: Any, answer: Answer) -> Given:
    """The response for a dumped body."""
    status = answer.status or route.status
    empty = status == 204
    if route.in_lane and not answer.headers and not empty:
        plain = Plain(status, route.media, as_bytes(body))
        if answer.replayed:
            plain.headers.append(_REPLAYED)
        return plain
    given = _parts(body, route.operation) if isinstance(body, Iterator) else as_bytes(body)
    response = Response(b"" if empty else given, status=status, headers=begun(), mimetype=None if empty else route.media)
    for name, value in answer.headers.items():
        response.headers[name] = value
    if answer.replayed:
        response.headers.add(*_REPLAYED)
    if isinstance(body, dict) and body.get("next_cursor"):
        response.headers["Link"] = f'<{_with_cursor(body["next_cursor"])}>; rel="next"'
    if route.etag:
        response.set_etag(etag(body))
        response.make_conditional(request)
    return response


def replay(route: Route, kept: Kept) -> Given:
    """The first answer again, refusals included, its title in the language of whoever asks now."""
    if kept.status < 400:
        return respond(route, kept.body, Answer(status=kept.status, replayed=True))
    body = dict(kept.body or {})
    body["title"] = body.get("messages", {}).get(problems.language(), body.get("title"))
    response = Response(problems.encode(body), status=kept.status, headers=begun(), mimetype=problems.MEDIA)
    response.headers.add(*_REPLAYED)
    return response


def etag(body: Any) -> str:
    """The entity tag of a dumped body."""
    return hashlib.sha256(as_bytes(body)).hexdigest()[:32]


def as_bytes(body: Any) -> bytes:
    """A body on the wire: bytes and text as they are, everything else as JSON."""
    if isinstance(body, str):
        return body.encode()
    return body if isinstance(body, bytes) else problems.encode(body)


def _parts(body: Iterator[str], operation: str) -> Iterator[bytes]:
    """A long text as it is made, part by part, each in an application context of its own: the request is over by then.

    A fault on the way ends the answer, and the status was told long before: the text itself must say in its last line that it is whole.
    """
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]  # Flask's proxy, whose type does not say so

    def made() -> Iterator[bytes]:
        while True:
            try:
                with app.app_context():
                    part = next(body, None)
            except Exception as fault:
                log.error("answer_cut_short", operation=operation, fault=type(fault).__name__)
                raise
            if part is None:
                return
            yield part.encode()

    return made()


def _with_cursor(cursor: str) -> str:
    kept = [(name, value) for name, values in request.args.lists() for value in values if name != "cursor"]
    return f"{request.path}?{urlencode([*kept, ('cursor', cursor)])}"
