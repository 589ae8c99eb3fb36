"""Signing keys: made once, kept wrapped in the database, changed with an overlap so that no reader is surprised."""

from __future__ import annotations

import base64
import datetime as dt
import json
import threading
import time
from dataclasses import dataclass
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import ec

from core import clock, db
from core.crypto.errors import UnknownSuite
from core.crypto.root_keys import Keyring, keyring, suite_numbered
from core.crypto.suites import INTERNATIONAL, Suite, p256_private, p256_public

# What only we verify follows the chosen suite; what other software verifies (tokens, messages) needs a registered algorithm.
OWN_PURPOSES: Final = frozenset({"seal"})
# A new key is published this long before it signs: longer than any reader keeps the old list of keys.
LEAD: Final = dt.timedelta(minutes=15)
# A retired key still verifies this long: longer than what it signed lives, seals excepted (their keys never retire from proof).
OVERLAP: Final = dt.timedelta(hours=24)
_KEPT_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True)
class SigningKey:
    """One key pair of a purpose; `kid` is its RFC 7638 thumbprint."""

    kid: str
    purpose: str
    suite: Suite
    public: bytes
    secret: bytes
    not_before: dt.datetime
    retired_at: dt.datetime | None
    private: ec.EllipticCurvePrivateKey | None

    @property
    def algorithm(self) -> str:
        """`ES256` or `SM2`."""
        return self.suite.algorithm

    @property
    def jwk(self) -> dict[str, str]:
        """The public half as a JWK (RFC 7517) with its use and algorithm."""
        return {**public_jwk(self.suite, self.public), "kid": self.kid, "use": "sig", "alg": self.algorithm}

    def sign(self, message: bytes) -> bytes:
        """A signature of 64 bytes, r then s."""
        return self.suite.sign(self.secret, message)

    def verify(self, message: bytes, signature: bytes) -> bool:
        return self.suite.verify(self.public, message, signature)


def public_jwk(suite: Suite, public: bytes) -> dict[str, str]:
    return {"kty": "EC", "crv": suite.curve, "x": _base64url(public[:32]), "y": _base64url(public[32:])}


def thumbprint(jwk: dict[str, Any]) -> str:
    """The RFC 7638 thumbprint of an EC key: SHA-256 over its required members in order, base64url."""
    members = {name: jwk[name] for name in ("crv", "kty", "x", "y")}
    text = json.dumps(members, separators=(",", ":"), sort_keys=True)
    return _base64url(INTERNATIONAL.digest(text.encode()))


def signing_key(purpose: str) -> SigningKey:
    """The key that signs now for a purpose (`access-token`, `seal` ...); the first call of a city's life makes it."""
    keys = _usable(purpose)
    if not keys:
        _make_first(purpose)
        keys = _usable(purpose)
    return keys[-1]


def verification_keys(purpose: str) -> dict[str, ec.EllipticCurvePublicKey]:
    """The P-256 keys by `kid` that signatures of a purpose may carry now, a coming one included."""
    return {key.kid: p256_public(key.public) for key in _stored(purpose) if key.private is not None and not _retired(key)}


def verify(purpose: str, kid: str, message: bytes, signature: bytes) -> bool:
    """Whether the key ever was the purpose's own and signed this; for proofs that outlive the key, such as seals."""
    return any(key.kid == kid and key.verify(message, signature) for key in _stored(purpose))


def every_key(purpose: str) -> tuple[SigningKey, ...]:
    """All keys that a purpose has and had, with their times, oldest first: for lists that verifiers take along."""
    return _stored(purpose)


def jwks(*purposes: str) -> dict[str, list[dict[str, str]]]:
    """The JWK set of the purposes whose signatures others verify."""
    keys = [key for purpose in purposes for key in _stored(purpose)]
    return {"keys": [key.jwk for key in keys if key.private is not None and not _retired(key)]}


def rotate(purpose: str) -> str:
    """Add the next key of a purpose, to sign after `LEAD`, and retire the present ones after the overlap; returns its kid."""
    starts = clock.now() + LEAD
    with db.connection().transaction():
        _lock(purpose)
        db.connection().execute(
            "UPDATE signing_key SET retired_at = %s WHERE purpose = %s AND retired_at IS NULL",
            (starts + OVERLAP, purpose),
        )
        kid = _insert(purpose, starts)
    forget()
    return kid


def forget() -> None:
    """Read the keys anew at the next use; for rotation and for tests."""
    with _guard:
        _kept.clear()


def _make_first(purpose: str) -> None:
    with db.connection().transaction():
        _lock(purpose)
        found = db.connection().execute("SELECT 1 FROM signing_key WHERE purpose = %s LIMIT 1", (purpose,)).fetchone()
        if found is None:
            # Valid from the beginning of time: a city whose test clock is set back must still be able to sign.
            _insert(purpose, dt.datetime(2020, 1, 1, tzinfo=dt.UTC))
    forget()


def _lock(purpose: str) -> None:
    # Two processes that start together would otherwise each make a first key.
    db.connection().execute("SELECT pg_advisory_xact_lock(hashtextextended('signing_key|' || %s, 0))", (purpose,))


def _insert(purpose: str, starts: dt.datetime) -> str:
    ring = keyring()
    suite = ring.suite if purpose in OWN_PURPOSES else INTERNATIONAL
    secret, public = suite.make_signer()
    jwk = public_jwk(suite, public)
    kid = thumbprint(jwk)
    db.connection().execute(
        "INSERT INTO signing_key (kid, city_id, purpose, wrapped, public_jwk, not_before) VALUES (%s, 0, %s, %s, %s, %s)",
        (kid, purpose, ring.wrap(0, f"signing_key|{purpose}|{kid}", secret), json.dumps(jwk), starts),
    )
    return kid


_kept: dict[str, tuple[float, tuple[SigningKey, ...]]] = {}
_guard = threading.Lock()


def _stored(purpose: str) -> tuple[SigningKey, ...]:
    with _guard:
        kept = _kept.get(purpose)
    if kept and kept[0] > time.monotonic():
        return kept[1]
    rows = db.connection().execute(
        "SELECT kid, wrapped, public_jwk, not_before, retired_at FROM signing_key WHERE purpose = %s ORDER BY not_before, kid",
        (purpose,),
    )
    keys = tuple(_load(keyring(), purpose, *row) for row in rows.fetchall())
    with _guard:
        _kept[purpose] = (time.monotonic() + _KEPT_SECONDS, keys)
    return keys


def _load(
    ring: Keyring, purpose: str, kid: str, wrapped: bytes, jwk: dict[str, str], not_before: dt.datetime, retired_at: dt.datetime | None
) -> SigningKey:
    suite = _suite_of(jwk["crv"])
    secret = ring.unwrap(0, f"signing_key|{purpose}|{kid}", wrapped)
    public = _bytes(jwk["x"]) + _bytes(jwk["y"])
    private = p256_private(secret) if suite is INTERNATIONAL else None
    return SigningKey(kid, purpose, suite, public, secret, not_before, retired_at, private)


def _suite_of(curve: str) -> Suite:
    for number in (1, 2):
        if suite_numbered(number).curve == curve:
            return suite_numbered(number)
    raise UnknownSuite(suite=curve)


def _usable(purpose: str) -> list[SigningKey]:
    now = clock.now()
    return [key for key in _stored(purpose) if key.not_before <= now and not _retired(key)]


def _retired(key: SigningKey) -> bool:
    return key.retired_at is not None and key.retired_at <= clock.now()


def _base64url(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
