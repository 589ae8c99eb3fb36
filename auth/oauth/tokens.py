"""What the provider signs for a signed-in resident: ID tokens, and access tokens that only userinfo takes (RFC 9068, 8725).

Each kind has a key of its own, so that no text can be taken for another kind, whatever its claims say.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import secrets
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import jwt

from auth.installing import parts
from core import clock, crypto, ids
from core.errors import NotFound

ID_TOKEN: Final = "id-token"
ACCESS: Final = "resident-access-token"
LIFETIME: Final = dt.timedelta(minutes=10)
MAX_LENGTH: Final = 4096
_TYPE: Final = {ID_TOKEN: "JWT", ACCESS: "at+jwt"}
_NO_TIMES: Final = {"verify_exp": False, "verify_iat": False, "verify_nbf": False}
# A token that names the partner whose grant it came from; the audience is the one address that takes it (RFC 8707).
_NEEDED: Final = ["iss", "aud", "sub", "iat", "exp"]


@dataclass(frozen=True, slots=True)
class AccessToken:
    """An access token of a resident's sign-in, read and in time; whether its grant still holds is for the table to say."""

    grant_id: UUID
    partner_id: UUID
    subject: str
    scope: str
    issued_at: int
    expires_at: int
    jti: str
    bound_to: str


def userinfo_address() -> str:
    """The only audience of these access tokens."""
    return parts().issuer + "/oauth2/userinfo"


def access_token(*, grant_id: UUID, partner_id: UUID, subject: str, scope: str, acr: str, auth_time: int, bound_to: str | None) -> str:
    """An access token for userinfo, ten minutes long."""
    now = int(clock.timestamp())
    claims: dict[str, Any] = {
        "iss": parts().issuer,
        "aud": userinfo_address(),
        "sub": subject,
        "client_id": ids.show("partner", partner_id),
        "iat": now,
        "exp": now + int(LIFETIME.total_seconds()),
        "jti": secrets.token_urlsafe(16),
        "scope": scope,
        "acr": acr,
        "auth_time": auth_time,
        "grant": ids.show("grant", grant_id),
    }
    if bound_to:
        claims["cnf"] = {"jkt": bound_to}
    return _sign(ACCESS, claims)


def id_token(*, partner_id: UUID, subject: str, acr: str, methods: list[str], auth_time: int, nonce: str | None, access_token: str) -> str:
    """An ID token (OpenID Connect Core 2): who signed in, how strongly on both axes, when, and for which access token."""
    now = int(clock.timestamp())
    claims: dict[str, Any] = {
        "iss": parts().issuer,
        "aud": ids.show("partner", partner_id),
        "sub": subject,
        "iat": now,
        "exp": now + int(LIFETIME.total_seconds()),
        "auth_time": auth_time,
        "acr": acr,
        "amr": methods,
        "at_hash": half_hash(access_token),
    }
    if nonce is not None:
        claims["nonce"] = nonce
    return _sign(ID_TOKEN, claims)


def read_access(text: str) -> AccessToken | None:
    """An access token of ours that has not expired, or None."""
    claims = _read(ACCESS, text, audience=userinfo_address())
    if claims is None or clock.timestamp() >= claims["exp"]:
        return None
    try:
        return AccessToken(
            grant_id=ids.parse("grant", claims["grant"]),
            partner_id=ids.parse("partner", claims["client_id"]),
            subject=claims["sub"],
            scope=claims["scope"],
            issued_at=claims["iat"],
            expires_at=claims["exp"],
            jti=claims["jti"],
            bound_to=claims.get("cnf", {}).get("jkt", ""),
        )
    except (KeyError, NotFound):
        return None


def read_hint(text: str, partner_id: UUID | None = None) -> dict[str, Any] | None:
    """The claims of an ID token that we once gave this partner, expired or not (RP-Initiated Logout 2), or None."""
    return _read(ID_TOKEN, text, audience=ids.show("partner", partner_id) if partner_id else None)


def half_hash(token: str) -> str:
    """The left half of a token's SHA-256 (OpenID Connect Core 3.1.3.6)."""
    return base64.urlsafe_b64encode(hashlib.sha256(token.encode()).digest()[:16]).decode().rstrip("=")


def _sign(purpose: str, claims: dict[str, Any]) -> str:
    key = crypto.signing_key(purpose)
    if key.private is None:
        raise RuntimeError("tokens for others need a P-256 key")
    return jwt.encode(claims, key.private, algorithm="ES256", headers={"typ": _TYPE[purpose], "kid": key.kid})


def _read(purpose: str, text: str, *, audience: str | None) -> dict[str, Any] | None:
    if len(text) > MAX_LENGTH:
        return None
    try:
        header = jwt.get_unverified_header(text)
        key = crypto.verification_keys(purpose).get(str(header.get("kid")))
        if key is None or header.keys() != {"alg", "typ", "kid"} or header["typ"] != _TYPE[purpose]:
            return None
        options: Any = {**_NO_TIMES, "require": _NEEDED, "verify_aud": audience is not None}
        found: dict[str, Any] = jwt.decode(text, key, algorithms=["ES256"], audience=audience, issuer=parts().issuer, options=options)
    except jwt.PyJWTError:
        return None
    return found
