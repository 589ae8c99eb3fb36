"""How the token endpoint and its neighbours refuse."""

from __future__ import annotations

from werkzeug.test import TestResponse


def refused(answer: TestResponse, error: str, status: int = 400) -> None:
    """In the shape of RFC 6749 section 5.2, and kept by nobody."""
    assert (answer.status_code, answer.json["error"]) == (status, error), answer.text
    assert answer.mimetype == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
