"""Reading what comes in: JSON objects with exactly the members that are wanted, each within bounds."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

from flask import Response, jsonify, request


class Refusal(Exception):
    """A refusal with a stable code and its status."""

    def __init__(self, code: str, status: int = 422) -> None:
        super().__init__(code)
        self.code, self.status = code, status


def answer_refusal(refusal: Refusal) -> tuple[Response, int]:
    """The refusal on the wire."""
    return jsonify(code=refusal.code), refusal.status


def members(names: Collection[str], *, optional: Collection[str] = ()) -> dict[str, Any]:
    """The body's members: all that are named, none besides."""
    body = request.get_json(silent=True)
    if not isinstance(body, dict) or not set(names) <= set(body) <= {*names, *optional}:
        raise Refusal("members_wrong")
    return body


def text(body: dict[str, Any], name: str, *, most: int = 100, pattern: str = r"[^\x00-\x1f\x7f]+") -> str:
    """A member that is text of at most `most` characters in full agreement with the pattern."""
    value = body.get(name)
    if not isinstance(value, str) or len(value) > most or not re.fullmatch(pattern, value):
        raise Refusal(f"{name}_wrong")
    return value


def whole(body: dict[str, Any], name: str, *, least: int, most: int) -> int:
    """A member that is a whole number within bounds; true and 1.0 are not."""
    value = body.get(name)
    if type(value) is not int or not least <= value <= most:
        raise Refusal(f"{name}_wrong")
    return value
