"""What stands in an access token, and the caller whom it describes."""

from __future__ import annotations

import datetime as dt
from typing import Final
from uuid import UUID

import msgspec

from core import ids
from core.actors import Actor, ActorKind

PREFIX: Final = {ActorKind.RESIDENT: "resident", ActorKind.STAFF: "staff", ActorKind.TERMINAL: "terminal", ActorKind.PARTNER: "partner"}
_KINDS: Final = {str(kind): kind for kind in PREFIX}


class Claims(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What stands in an access token; a member without a default is required, and others are refused."""

    iss: str
    aud: str
    sub: str
    iat: float
    exp: int
    jti: str
    kind: str
    city: int
    acr: str
    auth_time: int
    sid: str = ""
    dev: str = ""
    scope: str = ""
    name: str = ""
    agency: str = ""
    merchant: str = ""
    account: str = ""
    client_id: str = ""
    cnf: dict[str, str] = msgspec.field(default_factory=dict)


read = msgspec.json.Decoder(Claims, strict=True).decode


def optional(actor: Actor) -> dict[str, str]:
    """The claims that stand only where there is something to say."""
    claims = {
        "sid": str(actor.session_id or ""),
        "dev": str(actor.device_id or ""),
        "scope": " ".join(sorted(actor.scopes)),
        "name": actor.name,
        "agency": str(actor.agency_id or ""),
        "merchant": str(actor.merchant_id or ""),
        "account": str(actor.account_id or ""),
    }
    return {name: value for name, value in claims.items() if value}


def actor(claims: Claims) -> Actor:
    """The bearer whom the claims describe; ValueError, KeyError or NotFound where they describe nobody."""
    kind = _KINDS[claims.kind]
    level, _, strength = claims.acr.partition(".")
    return Actor(
        kind=kind,
        id=ids.parse(PREFIX[kind], claims.sub),
        city_id=claims.city,
        scopes=frozenset(claims.scope.split()),
        identity_level=int(level[1:]),
        strength=int(strength[1:]),
        signed_in_at=dt.datetime.fromtimestamp(claims.auth_time, dt.UTC),
        session_id=_uuid(claims.sid),
        device_id=_uuid(claims.dev),
        agency_id=_uuid(claims.agency),
        merchant_id=_uuid(claims.merchant),
        account_id=_uuid(claims.account),
        name=claims.name,
    )


def _uuid(text: str) -> UUID | None:
    """The UUID in a claim of our own; ValueError for anything of another form."""
    return ids.of_text(text) if text else None


def subjects(claims: Claims, bearer: Actor) -> tuple[str, ...]:
    """Everything whose revocation ends this token."""
    found = [f"{claims.kind}:{bearer.id}"]
    if claims.sid:
        found.append(f"session:{claims.sid}")
    if claims.dev:
        found.append(f"device:{claims.dev}")
    if bearer.kind is ActorKind.PARTNER:
        found.append(f"token:{claims.jti}")
    return tuple(found)
