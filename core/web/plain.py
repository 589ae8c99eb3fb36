"""An answer of a lane: status, headers and bytes, put on the wire without what the framework does for answers of every kind."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from http import HTTPStatus
from typing import TYPE_CHECKING

from core.web.beginning import named

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


class Plain:
    """A WSGI application (PEP 3333) that gives one whole answer; Flask takes it for a response as well."""

    __slots__ = ("body", "headers", "status")

    def __init__(self, status: int, media: str, body: bytes) -> None:
        self.status, self.body = _line(status), body
        self.headers = [*named(), ("Content-Type", media), ("Content-Length", str(len(body)))]

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response(self.status, self.headers)
        return (self.body,)


@cache
def _line(status: int) -> str:
    return f"{status} {HTTPStatus(status).phrase}"
