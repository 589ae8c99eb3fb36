"""Proof of possession of a device's key over one request (RFC 9449), each accepted once."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import re
from dataclasses import dataclass
from typing import Any

import psycopg

from auth import jwk, jws
from auth.errors import KeyInvalid, ProofRefused
from auth.installing import parts
from core import clock, db
from core.errors import Unavailable
from core.ports import Call

TYPE = "dpop+jwt"
_MEMBERS = frozenset({"typ", "alg", "jwk"})
_JTI = re.compile(r"[A-Za-z0-9_.~-]{16,128}")


@dataclass(frozen=True, slots=True)
class Proof:
    """The key that signed this request, and its name (RFC 7638)."""

    public_jwk: dict[str, object]
    thumbprint: str


def of_call(call: Call, *, access_token: str | None = None) -> Proof:
    """The proof in the request's ``DPoP`` header; ProofRefused says what is wrong with it, and a second use is refused too.

    With an access token that is bound to a key, the proof must name that token (RFC 9449 section 4.3, ``ath``).
    """
    text = call.headers.get("DPoP")
    if not text:
        raise ProofRefused(reason="missing")
    try:
        statement = jws.read(text, type_=TYPE, members=_MEMBERS)
        key = jwk.read(statement.header["jwk"])
        claims = statement.check(key)
    except jws.Unreadable as fault:
        raise ProofRefused(reason=fault.reason) from fault
    except KeyInvalid as fault:
        raise ProofRefused(reason="key") from fault
    public = jwk.public(key)
    thumbprint = jwk.thumbprint(public)
    _check_claims(claims, call)
    if access_token is not None and claims.get("ath") != token_hash(access_token):
        raise ProofRefused(reason="ath")
    use_once(f"{thumbprint}|{claims['jti']}", parts().policy.proof_age)
    return Proof(public, thumbprint)


def _check_claims(claims: dict[str, Any], call: Call) -> None:
    if claims.get("htm") != call.method:
        raise ProofRefused(reason="htm")
    if claims.get("htu") not in {origin + call.path for origin in parts().origins}:
        raise ProofRefused(reason="htu")
    check_age(claims.get("iat"), parts().policy.proof_age)
    if not isinstance(claims.get("jti"), str) or not _JTI.fullmatch(claims["jti"]):
        raise ProofRefused(reason="jti")


def token_hash(token: str) -> str:
    """The SHA-256 of a token as base64url (RFC 9449 section 4.2)."""
    return base64.urlsafe_b64encode(hashlib.sha256(token.encode()).digest()).decode().rstrip("=")


def check_age(issued_at: object, allowed: dt.timedelta) -> None:
    """ProofRefused unless ``iat`` is a number within ``allowed`` of the city's time, on either side."""
    number = isinstance(issued_at, (int, float)) and not isinstance(issued_at, bool)
    if not number or not abs(clock.timestamp() - float(issued_at)) <= allowed.total_seconds():  # type: ignore[arg-type]  # a number, see above
        raise ProofRefused(reason="iat")


def use_once(name: str, allowed: dt.timedelta) -> None:
    """Remember a proof for as long as it could come again; ProofRefused when it has been seen.

    Durable at once and before the work, so that of two requests with one proof at most one goes on, whatever becomes of it.
    """
    digest = hashlib.sha256(name.encode()).digest()
    until = clock.now() + 2 * allowed
    try:
        first = (
            db.connection()
            .execute("INSERT INTO used_proof (digest, expires_at) VALUES (%s, %s) ON CONFLICT DO NOTHING RETURNING 1", (digest, until))
            .fetchone()
        )
    except psycopg.OperationalError as fault:
        db.drop_connection()
        raise Unavailable() from fault
    if first is None:
        raise ProofRefused(reason="used before")
