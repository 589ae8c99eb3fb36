"""A partner proves itself by a statement that its own key signed (RFC 7523, OpenID Connect Core 9), each accepted once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Any
from uuid import UUID

import jwt

from auth import jwk, jws, proofs
from auth.errors import ProofRefused
from auth.partners.models import Partner
from core import clock, ids
from core.errors import NotFound

TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
LONGEST = dt.timedelta(hours=1)
EARLY = 60.0
_JTI = range(8, 129)


class AssertionFailed(Exception):
    """A statement that proves nothing; the reason is stable and safe to print."""


def claimed_partner(text: str) -> UUID:
    """Which partner a statement says it is from, unchecked; AssertionFailed when it names none."""
    try:
        return ids.parse("partner", str(jws.read_assertion(text).claims.get("sub")))
    except (jws.Unreadable, NotFound) as fault:
        raise AssertionFailed("the assertion cannot be read") from fault


def check(partner: Partner, text: str, *, audiences: Collection[str]) -> None:
    """Raise AssertionFailed unless one of the partner's keys signed this for us, now, and for the first time."""
    try:
        statement = jws.read_assertion(text)
        claims = statement.check(jwk.known(_key(partner, statement.header.get("kid"))))
    except (jws.Unreadable, jwt.PyJWTError) as fault:
        raise AssertionFailed("the signature of the assertion is wrong") from fault
    shown = ids.show("partner", partner.id)
    if claims.get("iss") != shown or claims.get("sub") != shown:
        raise AssertionFailed("iss and sub of the assertion must be the client_id")
    _check_audience(claims.get("aud"), audiences)
    _check_once(partner, claims, _check_times(claims))


def _key(partner: Partner, kid: object) -> dict[str, Any]:
    keys: list[dict[str, Any]] = partner.keys["keys"]
    fitting = [key for key in keys if key["kid"] == kid] if kid is not None else keys
    if len(fitting) != 1:
        raise AssertionFailed("no registered key has this kid")
    return fitting[0]


def _check_audience(audience: object, allowed: Collection[str]) -> None:
    named = audience if isinstance(audience, list) else [audience]
    if not named or not all(isinstance(each, str) and each in allowed for each in named):
        raise AssertionFailed("aud of the assertion must be the issuer or the token endpoint")


def _check_times(claims: dict[str, Any]) -> float:
    """The end of the statement's life, which may be an hour away at most."""
    now = clock.timestamp()
    times = {name: claims[name] for name in ("exp", "nbf", "iat") if name in claims}
    if not all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in times.values()) or "exp" not in times:
        raise AssertionFailed("exp of the assertion is missing or no number")
    if not now < times["exp"] <= now + LONGEST.total_seconds() + EARLY:
        raise AssertionFailed("the assertion is expired, or lives too long")
    if times.get("nbf", now) > now + EARLY or times.get("iat", now) > now + EARLY:
        raise AssertionFailed("the assertion is from the future")
    return float(times["exp"])


def _check_once(partner: Partner, claims: dict[str, Any], expires: float) -> None:
    jti = claims.get("jti")
    if not isinstance(jti, str) or len(jti) not in _JTI:
        raise AssertionFailed("jti of the assertion is missing")
    try:
        proofs.use_once(f"assertion|{partner.id}|{jti}", dt.timedelta(seconds=expires - clock.timestamp()))
    except ProofRefused as fault:
        raise AssertionFailed("the assertion was used before") from fault
