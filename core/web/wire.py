"""The request as a value: read once, without more of the framework than is needed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from werkzeug.wrappers import Request

from core.errors import Malformed
from core.ports import Call
from core.web import problems


class WireHeaders(Mapping[str, str]):
    """The headers of a WSGI environment (PEP 3333), read without regard to case and only where somebody asks."""

    __slots__ = ("_environ",)
    _names: dict[str, str] = {"content-type": "CONTENT_TYPE", "content-length": "CONTENT_LENGTH"}  # noqa: RUF012  # a cache of all instances

    def __init__(self, environ: Mapping[str, Any]) -> None:
        self._environ = environ

    def __getitem__(self, name: str) -> str:
        key = self._names.get(name)
        if key is None:
            lower = name.lower()
            key = self._names.get(lower) or "HTTP_" + lower.upper().replace("-", "_")
            if len(self._names) < 256:
                self._names[name] = key
        return str(self._environ[key])

    def __iter__(self) -> Iterator[str]:
        return (key[5:].replace("_", "-").lower() for key in self._environ if key.startswith("HTTP_"))

    def __len__(self) -> int:
        return sum(1 for _ in self)


def read_call(environ: dict[str, Any], most_bytes: int) -> Call:
    """The request as a value; raises TooLarge beyond the route's limit, Malformed for a body that ends too early."""
    return Call(
        method=environ["REQUEST_METHOD"],
        # WSGI hands bytes over as Latin-1 (PEP 3333); a path is UTF-8.
        path=environ["PATH_INFO"].encode("latin-1").decode(errors="replace"),
        query=environ.get("QUERY_STRING", ""),
        headers=WireHeaders(environ),
        body=_body(environ, most_bytes),
        address=environ.get("REMOTE_ADDR") or "",
    )


def _body(environ: dict[str, Any], most_bytes: int) -> bytes:
    length = environ.get("CONTENT_LENGTH") or ""
    if not (length.isascii() and length.isdecimal() and len(length) < 12):
        # Sent in chunks, or not sent at all: the framework knows how to end it, and where to stop.
        chunked = Request(environ)
        chunked.max_content_length = most_bytes
        return chunked.get_data(cache=False)
    if int(length) > most_bytes:
        raise problems.TooLarge()
    body: bytes = environ["wsgi.input"].read(int(length))
    if len(body) != int(length):
        raise Malformed()
    return body
