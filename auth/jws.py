"""Signed statements that others bring (proofs of possession, assertions): compact JWS, ES256, read strictly (RFC 7515, 8725).

Nothing in the statement chooses how it is checked: the type and the members of the header are fixed by the caller, and the key
is either the one embedded (a proof that names its own key, RFC 9449) or one that the caller already has.
"""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

MAX_LENGTH: Final = 4096
_SHAPE = re.compile(r"[A-Za-z0-9_-]{4,1400}\.[A-Za-z0-9_-]{4,2600}\.[A-Za-z0-9_-]{85}[AQgw]")
_ES256 = jwt.get_algorithm_by_name("ES256")


class Unreadable(Exception):
    """A statement that is not what it should be; the reason is stable."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement as it was read, not yet checked against a key."""

    header: dict[str, Any]
    claims: dict[str, Any]
    signed: bytes
    signature: bytes

    def check(self, key: EllipticCurvePublicKey) -> dict[str, Any]:
        """The claims, if this key signed them."""
        if not _ES256.verify(self.signed, key, self.signature):
            raise Unreadable("signature")
        return self.claims


def read(text: str, *, type_: str, members: frozenset[str]) -> Statement:
    """Take a statement apart; its header has exactly these members, and no member occurs twice anywhere."""
    if len(text) > MAX_LENGTH or not _SHAPE.fullmatch(text):
        raise Unreadable("form")
    signed, _, signature = text.rpartition(".")
    first, _, second = signed.partition(".")
    header, claims = _object(first), _object(second)
    if header.keys() != members or header.get("alg") != "ES256" or header.get("typ") != type_:
        raise Unreadable("header")
    return Statement(header, claims, signed.encode(), _bytes(signature))


def read_assertion(text: str) -> Statement:
    """Take apart what foreign software signed to authenticate itself (RFC 7523): ``kid`` and ``typ`` may be there, nothing else."""
    if len(text) > MAX_LENGTH or not _SHAPE.fullmatch(text):
        raise Unreadable("form")
    signed, _, signature = text.rpartition(".")
    first, _, second = signed.partition(".")
    header, claims = _object(first), _object(second)
    typed = header.get("typ", "JWT") in ("JWT", "jwt", "client-authentication+jwt")
    if not {"alg", "kid", "typ"} >= header.keys() or header.get("alg") != "ES256" or not typed:
        raise Unreadable("header")
    return Statement(header, claims, signed.encode(), _bytes(signature))


def _object(segment: str) -> dict[str, Any]:
    try:
        raw = _bytes(segment)
        if base64.urlsafe_b64encode(raw).decode().rstrip("=") != segment:
            raise Unreadable("form")
        value = json.loads(raw, object_pairs_hook=_once, parse_constant=_refuse)
    except (ValueError, RecursionError) as fault:
        raise Unreadable("form") from fault
    if not isinstance(value, dict):
        raise Unreadable("form")
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise Unreadable("member twice")
    return members


def _refuse(constant: str) -> None:
    raise Unreadable("form")


def _bytes(segment: str) -> bytes:
    return base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
