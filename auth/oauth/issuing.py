"""Codes, used once within a minute, and the refresh tokens that come of them; a second use ends the whole family (RFC 9700 4.5, 4.14)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select

from auth import sessions
from auth.consents import ledger, subjects
from auth.installing import parts
from auth.models import Resident, SignIn
from auth.oauth import tokens
from auth.oauth.clients import Client
from auth.oauth.models import Grant
from auth.oauth.wanting import Wanted
from auth.partners.rules import SIGN_IN
from auth.scopes import PartnerScope
from core import audit, clock, crypto, ids, revocation
from core.actors import Actor, ActorKind
from core.db import session
from core.vocabulary import AuditEvent

_REFRESH_FORM = re.compile(r"ort_[A-Za-z0-9_-]{64}")


def give_code(actor: Actor, client: Client, wanted: Wanted, *, scopes: Sequence[str], acr: str, methods: list[str]) -> str:
    """A code for the scopes that the resident allowed, bound to address, challenge, partner, and its key where one was named."""
    code, now = "oc_" + secrets.token_urlsafe(32), clock.now()
    policy = parts().policy
    made = Grant(
        id=ids.new_id(),
        city_id=actor.city_id,
        resident_id=actor.id,
        partner_id=client.id,
        session_id=actor.session_id,
        scopes=list(scopes),
        fields=list(wanted.fields),
        redirect_uri=wanted.redirect_uri,
        code_challenge=wanted.code_challenge,
        code_digest=_digest(code),
        code_expires_at=now + policy.oauth_code_lifetime,
        code_thumbprint=wanted.thumbprint,
        nonce=wanted.nonce,
        acr=acr,
        methods=methods,
        proved_at=actor.signed_in_at or now,
        created_at=now,
        expires_at=now + policy.oauth_grant_lifetime,
    )
    session().add(made)
    session().flush()
    _note(actor, AuditEvent.GRANT_GIVEN, made, scopes=made.scopes)
    return code


def redeem(code: str, client: Client, *, bound_to: str | None) -> Grant | None:
    """The grant of a code that is used for the first time, in time, by the partner and the key it was given to; None otherwise.

    A code that comes a second time was stolen before or after its first use: everything that came of it ends.
    """
    found = session().scalar(select(Grant).where(Grant.code_digest == _digest(code)).with_for_update())
    if found is None or found.partner_id != client.id:
        return None
    if found.code_used_at is not None:
        revoke(_partner_actor(found), found, "code_reused")
        return None
    found.code_used_at = clock.now()
    session().flush()
    if found.code_thumbprint is not None and found.code_thumbprint != bound_to:
        return None
    return found if clock.now() < found.code_expires_at and holds(found) else None


def holds(grant: Grant) -> bool:
    """Whether a grant still stands: not revoked, not run out, the account open and the consent to sign in not withdrawn."""
    if grant.revoked_at is not None or clock.now() >= grant.expires_at:
        return False
    owner = session().get(Resident, grant.resident_id)
    if owner is None or owner.state != "active":
        return False
    return ledger.living(grant.resident_id, grant.partner_id, SIGN_IN) is not None and _session_holds(grant)


def _session_holds(grant: Grant) -> bool:
    """Without ``offline_access`` a grant ends with the resident's own session (OpenID Connect Core 11)."""
    if PartnerScope.OFFLINE in grant.scopes:
        return True
    held = session().get(SignIn, grant.session_id) if grant.session_id else None
    return held is not None and held.ended_at is None


def tokens_for(grant: Grant, client: Client, *, scope: str, bound_to: str | None, first: bool) -> dict[str, Any]:
    """The answer of the token endpoint for a grant: access token, ID token, and a refresh token where one was allowed."""
    subject = subjects.subject_for(client.id, grant.resident_id, grant.city_id)
    auth_time = int(grant.proved_at.timestamp())
    access = tokens.access_token(
        grant_id=grant.id,
        partner_id=client.id,
        subject=subject,
        scope=scope,
        acr=grant.acr,
        auth_time=auth_time,
        bound_to=bound_to,
    )
    answer: dict[str, Any] = {
        "access_token": access,
        "token_type": "DPoP" if bound_to else "Bearer",
        "expires_in": int(tokens.LIFETIME.total_seconds()),
        "scope": scope,
        "id_token": tokens.id_token(
            partner_id=client.id,
            subject=subject,
            acr=grant.acr,
            methods=list(grant.methods),
            auth_time=auth_time,
            nonce=grant.nonce if first else None,
            access_token=access,
        ),
    }
    refresh = _refresh_token(grant, client, bound_to=bound_to, first=first)
    return {**answer, "refresh_token": refresh} if refresh else answer


def _refresh_token(grant: Grant, client: Client, *, bound_to: str | None, first: bool) -> str | None:
    """The next refresh token: turned at every use for a public client, the same one for a partner that proves its key each time."""
    if PartnerScope.OFFLINE not in grant.scopes:
        return None
    now = clock.now()
    grant.refresh_expires_at = now + parts().policy.oauth_refresh_idle
    if not first and not client.public:
        return None
    token = _new_refresh(grant.id)
    if not first:
        grant.previous_digest, grant.rotated_at = grant.refresh_digest, now
    grant.refresh_digest = _digest(token)
    if first and client.public:
        grant.thumbprint = bound_to
    session().flush()
    return token


def find_refresh(text: str, client: Client, *, bound_to: str | None) -> Grant | None:
    """The grant of a refresh token that may be used now; None otherwise, and a token that was turned before ends the family.

    A lost answer is forgiven for a minute to whoever proves the same key (RFC 9449); to nobody else, because a thief looks the same.
    """
    grant = _by_refresh(text)
    if grant is None or grant.partner_id != client.id:
        return None
    digest = _digest(text)
    current = grant.refresh_digest is not None and hmac.compare_digest(digest, grant.refresh_digest)
    again = grant.previous_digest is not None and hmac.compare_digest(digest, grant.previous_digest)
    fresh = grant.rotated_at is not None and clock.now() - grant.rotated_at <= parts().policy.lost_answer
    lost_answer = again and fresh and bound_to is not None and bound_to == grant.thumbprint
    if not (current or lost_answer) or (grant.thumbprint is not None and grant.thumbprint != bound_to):
        revoke(_partner_actor(grant), grant, "refresh_reused")
        return None
    in_time = grant.refresh_expires_at is not None and clock.now() < grant.refresh_expires_at
    return grant if in_time and holds(grant) else None


def of_refresh(text: str) -> Grant | None:
    """The grant of a present refresh token, for introspection and revocation."""
    grant = _by_refresh(text)
    fits = grant is not None and grant.refresh_digest is not None and hmac.compare_digest(_digest(text), grant.refresh_digest)
    return grant if fits else None


def revoke(actor: Actor, grant: Grant, because: str) -> None:
    """End a grant and every token of it."""
    if grant.revoked_at is not None:
        return
    grant.revoked_at, grant.revoked_because = clock.now(), because
    session().flush()
    revocation.revoke(f"grant:{grant.id}")
    _note(actor, AuditEvent.GRANT_REVOKED, grant, because=because)


def end_session(actor: Actor, session_id: UUID) -> None:
    """End a resident's browser session, and with it the grants that do not outlive it."""
    held = session().get(SignIn, session_id, with_for_update=True)
    if held is not None and held.ended_at is None:
        sessions.end(held, "signed_out")
        shown = sessions.show(held.id)
        audit.record(actor, AuditEvent.SESSION_ENDED, city_id=held.city_id, subject=shown, resident_id=held.resident_id)


def _by_refresh(text: str) -> Grant | None:
    if not _REFRESH_FORM.fullmatch(text):
        return None
    raw = base64.urlsafe_b64decode(text[4:])
    if not hmac.compare_digest(raw[32:], _seal(raw[:32])):
        return None
    # Locked: of two holders of one token the second sees what the first left.
    return session().get(Grant, UUID(bytes=raw[:16]), with_for_update=True, populate_existing=True)


def _new_refresh(grant_id: UUID) -> str:
    body = grant_id.bytes + secrets.token_bytes(16)
    return "ort_" + base64.urlsafe_b64encode(body + _seal(body)).decode()


def _seal(body: bytes) -> bytes:
    return crypto.keyring().mac("oauth-refresh-token", body)[:16]


def _digest(text: str) -> bytes:
    # At least 128 random bits: nothing to guess, so a plain hash is enough.
    return hashlib.sha256(text.encode()).digest()


def _partner_actor(grant: Grant) -> Actor:
    return Actor(kind=ActorKind.PARTNER, id=grant.partner_id, city_id=grant.city_id)


def _note(actor: Actor, event: AuditEvent, grant: Grant, **detail: Any) -> None:
    facts = {"partner": ids.show("partner", grant.partner_id), **detail}
    audit.record(actor, event, city_id=grant.city_id, subject=ids.show("grant", grant.id), resident_id=grant.resident_id, detail=facts)
