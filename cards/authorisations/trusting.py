"""The issuer keys of the city code: one line of keys for each city, changed with an overlap, told to terminals with their times."""

from __future__ import annotations

import base64
import datetime as dt
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

from citycode import IssuerKey, TrustList
from core import clock, crypto
from core.crypto import SigningKey

KEY_ID_BYTES = 8


@dataclass(frozen=True, slots=True)
class TrustedKey:
    """An issuer key as terminals take it along."""

    key_id: str
    public_jwk: dict[str, str]
    starts_at: dt.datetime
    ends_at: dt.datetime | None


def purpose(city_id: int) -> str:
    """A city's own keys: a gate of one city does not take the codes of another."""
    return f"city-code-{city_id}"


def issuer(city_id: int) -> SigningKey:
    """The key that signs a city's authorisations now."""
    return crypto.signing_key(purpose(city_id))


def key_id(key: SigningKey) -> bytes:
    """How a code names the key: the beginning of its RFC 7638 thumbprint."""
    return base64.urlsafe_b64decode(key.kid + "=")[:KEY_ID_BYTES]


def trusted(city_id: int) -> list[TrustedKey]:
    """The keys that terminals of a city trust: those in use, the coming one, and retired ones until what they signed has ended."""
    issuer(city_id)
    found = [key for key in crypto.every_key(purpose(city_id)) if key.retired_at is None or key.retired_at > clock.now()]
    return [TrustedKey(key_id(key).hex(), _plain(key), key.not_before, key.retired_at) for key in found]


def every_key_ever(city_id: int) -> TrustList:
    """All keys with their times: trades are proved at the moment at which they were made, days later too."""
    issuer(city_id)
    keys = crypto.every_key(purpose(city_id))
    return TrustList(IssuerKey(key_id(key), _public(key), _seconds(key.not_before), _end(key)) for key in keys)


def _public(key: SigningKey) -> EllipticCurvePublicKey:
    assert key.private is not None  # city codes are signed with P-256 alone
    return key.private.public_key()


def _plain(key: SigningKey) -> dict[str, str]:
    return {name: key.jwk[name] for name in ("kty", "crv", "x", "y")}


def _seconds(moment: dt.datetime) -> int:
    return int(moment.timestamp())


def _end(key: SigningKey) -> int | None:
    return None if key.retired_at is None else _seconds(key.retired_at)
