"""The vectors by which the pages' signer is held are what the platform's own signer makes, and what it accepts."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from core import http_signatures

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "terminal_signatures.json").read_text(encoding="utf-8"))


def request_of(vector: dict[str, Any]) -> http_signatures.Request:
    """A vector's request as the platform sees it."""
    path, _, query = vector["url"].partition("?")
    headers = {name.lower(): value for name, value in {**vector["headers"], **vector["signed"]}.items()}
    return http_signatures.Request(vector["method"], path, query, headers, vector["body"].encode())


def secret_of(vector: dict[str, Any]) -> bytes:
    """The session's secret of a vector."""
    return base64.urlsafe_b64decode(vector["secret"] + "=")


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_the_platform_signs_and_accepts_each_vector(vector: dict[str, Any]) -> None:
    request, key = request_of(vector), http_signatures.HmacKey(secret_of(vector))
    assert http_signatures.sign(request, key, created=vector["created"]) == vector["signed"]
    assert http_signatures.verify_hmac(request, key.secret, now=vector["created"] + 5).created == vector["created"]
