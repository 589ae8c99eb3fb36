"""Access tokens (RFC 9068 `at+jwt`, ES256): made here, and read at this one place and no other (RFC 8725).

A token's header is never interpreted. The only headers that exist are the few texts this program itself writes, one per key, so
a token whose header segment is any other text (another algorithm, `kid`, `typ`, `jku`, a repeated member) is refused unread.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import re
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

import jwt
import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePrivateKey, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from auth import claims as claims_of
from auth import rules
from auth.errors import TokenExpired, TokenRefused, TokenRevoked
from core import clock, ids, pulse, revocation
from core.actors import Actor, ActorKind
from core.errors import NotFound

PURPOSE: Final = "access-token"
TYPE: Final = "at+jwt"
LIFETIME: Final = dt.timedelta(minutes=10)
MAX_LENGTH: Final = 4096
"""Characters; longer texts are refused before anything is decoded."""
REMEMBERED: Final = 20_000
_KEYS_KEPT: Final = 5.0
_URL_SAFE: Final = bytes.maketrans(b"-_", b"+/")
_EARLY: Final = 60.0
_LONGEST: Final = 3600.0
"""Seconds; a revocation is remembered for an hour, so no token may outlive that."""
# 64 bytes are 86 characters of which the last carries four bits: any other last character would be a second spelling.
_SHAPE: Final = re.compile(r"[A-Za-z0-9_-]{20,400}\.[A-Za-z0-9_-]{20,3800}\.[A-Za-z0-9_-]{85}[AQgw]")
_ES256: Final = ECDSA(SHA256())


class SigningKey(Protocol):
    """What the key room hands out for signing."""

    @property
    def kid(self) -> str: ...
    @property
    def private(self) -> EllipticCurvePrivateKey | None: ...


@dataclass(frozen=True, slots=True)
class Verified:
    """A token that was checked: who bears it, until when, under which keys, and what may take trust from it."""

    actor: Actor
    jti: str
    expires_at: int
    issued_at: dt.datetime
    subjects: tuple[str, ...]
    keys: Mapping[bytes, EllipticCurvePublicKey]
    bound_to: str = ""


@dataclass(frozen=True, slots=True)
class Issued:
    """A new token and how many seconds it lives."""

    access_token: str
    expires_in: int
    jti: str


class AccessTokens:
    """Makes and reads the access tokens of one issuer, and remembers the ones it has read."""

    def __init__(
        self,
        issuer: str,
        *,
        signing: Callable[[str], SigningKey],
        verification: Callable[[str], dict[str, EllipticCurvePublicKey]],
        remembered: int = REMEMBERED,
    ) -> None:
        self.issuer = issuer
        self._signing, self._verification = signing, verification
        self._keys: dict[bytes, EllipticCurvePublicKey] = {}
        self._kids: frozenset[str] = frozenset()
        self._keys_until = 0.0
        self._remembered = remembered // 2
        # Two generations instead of a linked list: a hit is one or two dict look-ups and needs no lock.
        self._young: dict[str, tuple[Verified, int]] = {}
        self._old: dict[str, tuple[Verified, int]] = {}
        self._lock = threading.Lock()

    def issue(self, actor: Actor, *, lifetime: dt.timedelta = LIFETIME, bound_to: str = "") -> Issued:
        """A token for an actor, signed by the present key; ``signed_in_at`` becomes ``auth_time``, ``bound_to`` a key's name (RFC 9449)."""
        now, jti = clock.now(), secrets.token_urlsafe(16)
        claims: dict[str, Any] = {
            "iss": self.issuer,
            "aud": self.issuer,
            "sub": ids.show(claims_of.PREFIX[actor.kind], actor.id),
            # Down, never up: a revocation in the same millisecond must find the token older than itself.
            "iat": int(now.timestamp() * 1000) / 1000,
            "exp": int((now + lifetime).timestamp()),
            "jti": jti,
            "kind": str(actor.kind),
            "city": actor.city_id,
            "acr": rules.acr(actor.identity_level, actor.strength),
            "auth_time": int((actor.signed_in_at or now).timestamp()),
            **claims_of.optional(actor),
        }
        if actor.kind is ActorKind.PARTNER:
            claims["client_id"] = claims["sub"]
        if bound_to:
            claims["cnf"] = {"jkt": bound_to}
        key = self._signing(PURPOSE)
        if key.private is None:
            raise RuntimeError("access tokens need a P-256 key")
        token = jwt.encode(claims, key.private, algorithm="ES256", headers={"typ": TYPE, "kid": key.kid})
        return Issued(token, int(lifetime.total_seconds()), jti)

    def verify(self, token: str) -> Verified:
        """The bearer of a token; TokenRefused, TokenExpired or TokenRevoked, and Unavailable when that cannot be known."""
        # First of all the time and what was revoked: a token that another process issued after the clock moved is not of the future.
        pulse.beat()
        known = self._young.get(token) or self._promoted(token)
        if known is not None and known[0].keys is self._current_keys():
            return self._still_good(token, *known)
        verified = self._read(token)
        version = revocation.version()
        if revocation.is_revoked(verified.subjects, verified.issued_at):
            raise TokenRevoked()
        self._remember(token, verified, version)
        return verified

    def _still_good(self, token: str, verified: Verified, version: int) -> Verified:
        if clock.timestamp() >= verified.expires_at:
            self.forget(token)
            raise TokenExpired()
        current = revocation.version()
        if version != current:
            if revocation.is_revoked(verified.subjects, verified.issued_at):
                self.forget(token)
                raise TokenRevoked()
            self._young[token] = (verified, current)
        return verified

    def _promoted(self, token: str) -> tuple[Verified, int] | None:
        if (known := self._old.get(token)) is not None:
            self._remember(token, *known)
        return known

    def _remember(self, token: str, verified: Verified, version: int) -> None:
        with self._lock:
            if len(self._young) >= self._remembered:
                self._old, self._young = self._young, {}
            self._young[token] = (verified, version)

    def forget(self, token: str | None = None) -> None:
        """Drop one remembered token, or all of them and the keys."""
        with self._lock:
            if token is not None:
                self._young.pop(token, None)
                self._old.pop(token, None)
                return
            self._young, self._old, self._keys_until, self._kids = {}, {}, 0.0, frozenset()

    def _read(self, token: str) -> Verified:
        if len(token) > MAX_LENGTH or not _SHAPE.fullmatch(token):
            raise TokenRefused()
        signed, _, signature = token.encode().rpartition(b".")
        header, _, payload = signed.partition(b".")
        keys = self._current_keys()
        key = keys.get(header)
        if key is None or not _signed(key, signed, _bytes(signature)):
            raise TokenRefused()
        try:
            claims = claims_of.read(_bytes(payload))
        except msgspec.MsgspecError as fault:
            raise TokenRefused() from fault
        return self._judge(claims, keys)

    def _judge(self, claims: claims_of.Claims, keys: Mapping[bytes, EllipticCurvePublicKey]) -> Verified:
        now = clock.timestamp()
        if claims.iss != self.issuer or claims.aud != self.issuer:
            raise TokenRefused()
        if claims.iat > now + _EARLY or claims.exp > claims.iat + _LONGEST:
            raise TokenRefused()
        if now >= claims.exp:
            raise TokenExpired()
        try:
            actor = claims_of.actor(claims)
        except (ValueError, KeyError, NotFound) as fault:
            raise TokenRefused() from fault
        issued_at = dt.datetime.fromtimestamp(claims.iat, dt.UTC)
        return Verified(actor, claims.jti, claims.exp, issued_at, claims_of.subjects(claims, actor), keys, claims.cnf.get("jkt", ""))

    def _current_keys(self) -> dict[bytes, EllipticCurvePublicKey]:
        """Header segment to key. The same object as long as the keys are the same, so that identity is the key epoch."""
        if time.monotonic() < self._keys_until:
            return self._keys
        found = self._verification(PURPOSE)
        if frozenset(found) != self._kids:
            self._keys, self._kids = {_header(kid): key for kid, key in found.items()}, frozenset(found)
        # A look at the key room's own memory; five seconds keep it off the path of most requests.
        self._keys_until = time.monotonic() + _KEYS_KEPT
        return self._keys


def _header(kid: str) -> bytes:
    """The header segment that PyJWT writes for a key: the only one accepted under it."""
    sample = jwt.encode({}, "a key of no meaning, long enough for HS256", algorithm="HS256", headers={"typ": TYPE, "kid": kid})
    spoken = jwt.get_unverified_header(sample) | {"alg": "ES256"}
    text = msgspec.json.encode(dict(sorted(spoken.items())))
    return base64.urlsafe_b64encode(text).rstrip(b"=")


def _signed(key: EllipticCurvePublicKey, message: bytes, signature: bytes) -> bool:
    """Whether the 64 bytes are the key's ES256 signature (RFC 7518 section 3.4): as PyJWT checks it, without asking what key it is."""
    try:
        key.verify(encode_dss_signature(int.from_bytes(signature[:32]), int.from_bytes(signature[32:])), message, _ES256)
    except InvalidSignature:
        return False
    return True


def _bytes(segment: bytes) -> bytes:
    """What base64url of the checked shape says; binascii itself, because a token is read for every new caller."""
    return binascii.a2b_base64(segment.translate(_URL_SAFE) + b"===")
