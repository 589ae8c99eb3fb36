"""The headers with which every answer begins."""

from __future__ import annotations

from werkzeug.datastructures import Headers

from core import audit, ids

# What every answer carries: nothing of it may be stored, sniffed, framed or leaked on.
STANDARD = (
    ("Cache-Control", "no-store"),
    ("X-Content-Type-Options", "nosniff"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
    ("Referrer-Policy", "no-referrer"),
)


def named() -> list[tuple[str, str]]:
    """The headers with which every answer begins: the standard ones and the request's id."""
    request_id = audit.request_id.get()
    return [*STANDARD] if request_id is None else [*STANDARD, ("X-Request-Id", ids.show("req", request_id))]


def begun() -> Headers:
    """The same as the framework wants them."""
    return Headers(named())
