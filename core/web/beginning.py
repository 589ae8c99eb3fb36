"""The headers with which every answer begins."""

from __future__ import annotations

from werkzeug.datastructures import Headers

from core import audit, ids

# What every answer carries: nothing of it may be stored, sniffed, framed or leaked on.
STANDARD = Headers(
    [
        ("Cache-Control", "no-store"),
        ("X-Content-Type-Options", "nosniff"),
        ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
        ("Referrer-Policy", "no-referrer"),
    ]
)


def begun() -> Headers:
    """The headers with which every answer begins: the standard ones and the request's id."""
    headers = Headers(STANDARD)
    if (request_id := audit.request_id.get()) is not None:
        headers.add("X-Request-Id", ids.show("req", request_id))
    return headers
