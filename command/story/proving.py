"""What an outside program signs: proofs of a device's key, a terminal's assertion, one-time codes of staff."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import struct
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

from core.crypto import thumbprint

PrivateKey = ec.EllipticCurvePrivateKey


def new_key() -> PrivateKey:
    """A fresh P-256 key, as a phone or a terminal makes it."""
    return ec.generate_private_key(ec.SECP256R1())


def read_key(jwk: dict[str, Any]) -> PrivateKey:
    """A private key from its JWK (RFC 7517)."""
    key = jwt.get_algorithm_by_name("ES256").from_jwk(json.dumps(jwk))
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ValueError("not a private P-256 key")
    return key


def private_jwk(key: PrivateKey) -> dict[str, str]:
    """A private key as a JWK, to be kept in a file."""
    made: dict[str, str] = jwt.get_algorithm_by_name("ES256").to_jwk(key, as_dict=True)
    return {name: made[name] for name in ("kty", "crv", "x", "y", "d")}


def public_jwk(key: PrivateKey) -> dict[str, str]:
    """The public half as a JWK."""
    made: dict[str, str] = jwt.get_algorithm_by_name("ES256").to_jwk(key.public_key(), as_dict=True)
    return {name: made[name] for name in ("kty", "crv", "x", "y")}


def name_of(key: PrivateKey) -> str:
    """The thumbprint of a key (RFC 7638)."""
    return thumbprint(public_jwk(key))


def proof(key: PrivateKey, method: str, url: str, *, now: float) -> str:
    """A DPoP proof (RFC 9449) that the sender of this request holds the key."""
    claims = {"htm": method, "htu": url, "iat": int(now), "jti": secrets.token_urlsafe(16)}
    return jwt.encode(claims, key, algorithm="ES256", headers={"typ": "dpop+jwt", "jwk": public_jwk(key)})


def assertion(key: PrivateKey, terminal: str, issuer: str, *, now: float) -> str:
    """What a terminal signs to sign in (RFC 7523): itself, for this issuer, once, for a minute."""
    claims = {"iss": terminal, "sub": terminal, "aud": issuer, "iat": int(now), "exp": int(now) + 60, "jti": secrets.token_urlsafe(16)}
    return jwt.encode(claims, key, algorithm="ES256", headers={"typ": "terminal+jwt", "kid": terminal})


def client_assertion(key: PrivateKey, client_id: str, issuer: str, *, now: float) -> str:
    """What a partner signs in place of a secret (RFC 7523, `private_key_jwt`): itself, for this issuer, once, for a minute."""
    claims = {"iss": client_id, "sub": client_id, "aud": issuer, "iat": int(now), "exp": int(now) + 60, "jti": secrets.token_urlsafe(16)}
    return jwt.encode(claims, key, algorithm="ES256")


def one_time_code(secret: str, *, now: float) -> str:
    """The six digits of an authenticator app (RFC 6238) for a base32 secret."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    mac = hmac.digest(key, struct.pack(">Q", int(now) // 30), hashlib.sha1)
    offset = mac[-1] & 15
    return f"{(int.from_bytes(mac[offset : offset + 4], 'big') & 0x7FFFFFFF) % 1_000_000:06d}"


def b64(text: str) -> bytes:
    """Bytes from base64url without padding."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def text(data: bytes) -> str:
    """Bytes as base64url without padding."""
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
