"""Secrets of the demo's people and machines, derived from the installation's root key: the same at every start, in no file."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric import ec

ORDER_P256 = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # FIPS 186-5, the order of the curve's group
PASSWORD_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
PASSWORD_LENGTH = 20  # of 31 letters: 99 bits


class DemoKeys:
    """Derives every secret of one city's demo from the root key by name."""

    def __init__(self, root_key: bytes, city_id: int) -> None:
        self._key = hmac.digest(root_key, b"citycard demo city %d" % city_id, "sha512")

    def password(self, login: str) -> str:
        """The password of a staff member, easy to type."""
        number = int.from_bytes(self._bytes("password", login), "big")
        letters = []
        for _ in range(PASSWORD_LENGTH):
            number, place = divmod(number, len(PASSWORD_LETTERS))
            letters.append(PASSWORD_LETTERS[place])
        return "-".join("".join(letters[start : start + 5]) for start in range(0, PASSWORD_LENGTH, 5))

    def totp_secret(self, login: str) -> bytes:
        """The twenty bytes from which a staff member's one-time codes come (RFC 6238)."""
        return self._bytes("totp", login)[:20]

    def private_key(self, kind: str, code: str) -> ec.EllipticCurvePrivateKey:
        """The P-256 key of a terminal, partner or phone; its scalar is drawn evenly from 512 derived bits (FIPS 186-5, A.2.1)."""
        scalar = int.from_bytes(self._bytes(kind, code), "big") % (ORDER_P256 - 1) + 1
        return ec.derive_private_key(scalar, ec.SECP256R1())

    def _bytes(self, kind: str, name: str) -> bytes:
        return hmac.digest(self._key, f"{kind}/{name}".encode(), "sha512")


def private_jwk(key: ec.EllipticCurvePrivateKey) -> dict[str, str]:
    """A private key as JWK (RFC 7517)."""
    return {**public_jwk(key), "d": _base64url(key.private_numbers().private_value)}


def public_jwk(key: ec.EllipticCurvePrivateKey) -> dict[str, str]:
    """The public half of a key as JWK."""
    numbers = key.public_key().public_numbers()
    return {"kty": "EC", "crv": "P-256", "x": _base64url(numbers.x), "y": _base64url(numbers.y)}


def _base64url(number: int) -> str:
    return base64.urlsafe_b64encode(number.to_bytes(32, "big")).decode().rstrip("=")


def base32(secret: bytes) -> str:
    """A one-time-code secret as authenticator apps read it."""
    return base64.b32encode(secret).decode().rstrip("=")


def fixed_id(city_id: int, kind: str, name: str, start: dt.date) -> UUID:
    """A UUIDv7 of the city's first day that is the same wherever the demo is made."""
    made = int.from_bytes(hashlib.sha256(f"{city_id}/{kind}/{name}".encode()).digest(), "big")
    moment = int(dt.datetime.combine(start, dt.time(), dt.UTC).timestamp() * 1000)
    return UUID(int=moment << 80 | 7 << 76 | (made >> 100 & 0xFFF) << 64 | 2 << 62 | made & (1 << 62) - 1)
