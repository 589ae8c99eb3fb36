"""Public keys that devices and terminals bring: P-256 JWKs and nothing else (RFC 7517, 7518, 7638)."""

from __future__ import annotations

import base64
import hashlib
import re
from typing import Any, cast

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey, EllipticCurvePublicNumbers

from auth.errors import KeyInvalid

_COORDINATE = re.compile(r"[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]")
_KNOWN = {"kty", "crv", "x", "y", "use", "alg", "kid", "key_ops", "ext"}


def read(jwk: object) -> EllipticCurvePublicKey:
    """The key behind a public JWK; KeyInvalid for another curve, a private part, a wrong use or a point off the curve."""
    if not isinstance(jwk, dict) or not _KNOWN.issuperset(jwk):
        raise KeyInvalid(reason="members")
    if jwk.get("kty") != "EC" or jwk.get("crv") != "P-256" or jwk.get("alg", "ES256") != "ES256":
        raise KeyInvalid(reason="kty, crv or alg")
    if jwk.get("use", "sig") != "sig" or jwk.get("key_ops", ["verify"]) != ["verify"]:
        raise KeyInvalid(reason="use")
    try:
        return EllipticCurvePublicNumbers(_coordinate(jwk, "x"), _coordinate(jwk, "y"), SECP256R1()).public_key()
    except ValueError:
        raise KeyInvalid(reason="point") from None


def _coordinate(jwk: dict[Any, Any], name: str) -> int:
    text = jwk.get(name)
    if not isinstance(text, str) or not _COORDINATE.fullmatch(text):
        raise KeyInvalid(reason=name)
    return int.from_bytes(base64.urlsafe_b64decode(text + "="), "big")


def public(key: EllipticCurvePublicKey) -> dict[str, object]:
    """The four members that define a key."""
    numbers = key.public_numbers()
    return {"crv": "P-256", "kty": "EC", "x": _text(numbers.x), "y": _text(numbers.y)}


def thumbprint(jwk: dict[str, object]) -> str:
    """The name of a key (RFC 7638, SHA-256): the same for every way to write the JWK."""
    canonical = f'{{"crv":"P-256","kty":"EC","x":"{jwk["x"]}","y":"{jwk["y"]}"}}'
    return base64.urlsafe_b64encode(hashlib.sha256(canonical.encode()).digest()).decode().rstrip("=")


def known(jwk: dict[str, object]) -> EllipticCurvePublicKey:
    """The key of a JWK that was checked when it came in and has lain in the database since."""
    return EllipticCurvePublicNumbers(_number(cast(str, jwk["x"])), _number(cast(str, jwk["y"])), SECP256R1()).public_key()


def _number(text: str) -> int:
    return int.from_bytes(base64.urlsafe_b64decode(text + "="), "big")


def _text(number: int) -> str:
    return base64.urlsafe_b64encode(number.to_bytes(32, "big")).decode().rstrip("=")
