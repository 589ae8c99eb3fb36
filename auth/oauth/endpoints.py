"""What a partner asks of its tokens: userinfo, introspection (RFC 7662), revocation (RFC 7009), and signing the resident out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from authlib.oauth2.rfc6749 import InvalidRequestError

from auth import proofs
from auth.consents import ledger, sharing, subjects
from auth.errors import ProofRefused, TokenRefused, TokenRevoked
from auth.installing import parts
from auth.oauth import browsers, clients, issuing, pages, tokens
from auth.oauth.clients import Client
from auth.oauth.grammar import Asked, refuse_header
from auth.oauth.granting import SERVER
from auth.oauth.models import Grant
from auth.oauth.tokens import AccessToken
from auth.oauth.wanting import CLAIM_OF_FIELD
from auth.partners import registering
from auth.partners.rules import FIELDS_OF_SCOPE, SIGN_IN
from core import ids, revocation
from core.actors import Actor, ActorKind
from core.db import session
from core.errors import Unauthenticated
from core.ports import Call
from core.web import Answer


def token(call: Call, form: Mapping[str, str]) -> Answer:
    """The token endpoint: the grammar decides, the grants give."""
    refuse_header(call)
    asked = Asked(call, form)
    if call.headers.get("DPoP"):
        asked.thumbprint = proofs.of_call(call).thumbprint
    if not asked.parameters.get("grant_type"):
        raise InvalidRequestError("grant_type is missing")
    answer: Answer = SERVER.create_token_response(asked)
    return answer


def userinfo(call: Call) -> dict[str, Any]:
    """What the resident consented to show, checked now and written down (OpenID Connect Core 5.3)."""
    scheme, _, text = (call.headers.get("Authorization") or "").partition(" ")
    read = tokens.read_access(text) if scheme.lower() in ("bearer", "dpop") else None
    if read is None:
        raise TokenRefused()
    _check_key(call, read, scheme.lower(), text)
    grant = session().get(Grant, read.grant_id)
    if grant is None or not issuing.holds(grant) or registering.living(grant.partner_id) is None:
        raise TokenRevoked()
    consent = ledger.living(grant.resident_id, grant.partner_id, SIGN_IN, lock=True)
    if consent is None:
        raise TokenRevoked()
    fields = [name for name in _fields_of(grant, read) if name in consent.fields]
    claims: dict[str, Any] = {"sub": read.subject}
    if fields:
        actor = Actor(kind=ActorKind.PARTNER, id=grant.partner_id, city_id=grant.city_id)
        given = sharing.open_fields(actor, grant.resident_id, fields, purpose=SIGN_IN)
        claims |= {CLAIM_OF_FIELD[name]: value for name, value in given.items() if value is not None}
    if "phone_number" in claims:
        claims |= {"phone_number": "+86" + claims["phone_number"], "phone_number_verified": True}
    return claims


def introspect(call: Call, form: Mapping[str, str]) -> dict[str, Any]:
    """Whether a token of this partner is good now, and what it says; of any other token nothing is said (RFC 7662 section 4)."""
    client, text = _authenticated(call, form, "introspection")
    found = _describe(client, text)
    return found or {"active": False}


def revoke(call: Call, form: Mapping[str, str]) -> None:
    """End a token of this partner and everything of the same sign-in; an unknown token is as good as ended (RFC 7009 section 2.2)."""
    client, text = _authenticated(call, form, "revocation")
    actor = Actor(kind=ActorKind.PARTNER, id=client.id, city_id=client.partner.city_id)
    grant = issuing.of_refresh(text)
    if grant is None and (read := tokens.read_access(text)) is not None:
        grant = session().get(Grant, read.grant_id, with_for_update=True)
    if grant is not None:
        if grant.partner_id == client.id:
            issuing.revoke(actor, grant, "partner")
        return
    own = _own(text)
    if own is not None and own["client_id"] == client.get_client_id():
        revocation.revoke(f"token:{own['jti']}")


def logout(call: Call, given: Mapping[str, str], language: str, *, confirmed: bool) -> Answer:
    """RP-Initiated Logout 1.0: sign the resident out and send them back to a registered address; without a hint that names the
    resident who is signed in here, they are asked first."""
    parameters = {name: value for name, value in given.items() if value}
    hint = tokens.read_hint(parameters["id_token_hint"]) if "id_token_hint" in parameters else None
    client = clients.find(str(hint["aud"]) if hint else parameters.get("client_id"))
    if hint and parameters.get("client_id", hint["aud"]) != hint["aud"]:
        client = hint = None
    browser = browsers.of_call(call)
    held = browsers.session_of(browser, browser.city_id) if browser is not None else None
    if browser is not None and held is not None and held.resident_id is not None:
        named = hint is not None and client is not None and hint["sub"] == subjects.name_of(client.id, held.resident_id)
        if not named and not (confirmed and browsers.form_token_fits(browser, browser.id, parameters.get("token", ""))):
            kept = {name: parameters[name] for name in _LOGOUT if name in parameters}
            hidden = {**kept, "token": browsers.form_token(browser, browser.id)}
            return pages.confirm_logout(hidden, language, sends_to=client.partner.logout_uris if client else ())
        actor = Actor(kind=ActorKind.RESIDENT, id=held.resident_id, city_id=held.city_id, session_id=held.id)
        issuing.end_session(actor, held.id)
        browsers.leave(browser)
    return _after_logout(client, parameters, language)


_LOGOUT = ("id_token_hint", "client_id", "post_logout_redirect_uri", "state")


def _after_logout(client: Client | None, parameters: Mapping[str, str], language: str) -> Answer:
    """Back to the partner, if it is known and the address is registered exactly so; otherwise our own last page."""
    address = parameters.get("post_logout_redirect_uri", "")
    if client is None or address not in client.partner.logout_uris:
        return pages.signed_out(language)
    separator = "&" if "?" in address else "?"
    tail = f"{separator}{urlencode({'state': parameters['state']})}" if "state" in parameters else ""
    return Answer(b"", status=303, headers={"Location": address + tail})


def _authenticated(call: Call, form: Mapping[str, str], endpoint: str) -> tuple[Client, str]:
    refuse_header(call)
    asked = Asked(call, form)
    client: Client = SERVER.authenticate_client(asked, clients.METHODS, endpoint)
    text = asked.parameters.get("token")
    if text is None:
        raise InvalidRequestError("token is missing")
    return client, text


def _fields_of(grant: Grant, read: AccessToken) -> list[str]:
    """The fields of a grant less those of scopes that this token was asked for without (RFC 6749 section 6); what the ``claims``
    parameter named by itself belongs to no scope and stays."""
    held = read.scope.split()
    left_out = {name for scope, names in FIELDS_OF_SCOPE.items() if scope in grant.scopes and scope not in held for name in names}
    return [name for name in grant.fields if name not in left_out]


def _check_key(call: Call, read: AccessToken, scheme: str, text: str) -> None:
    """A bound token comes with a proof of its key and under its own scheme (RFC 9449 section 7.1)."""
    if bool(read.bound_to) != (scheme == "dpop"):
        raise TokenRefused()
    if read.bound_to and proofs.of_call(call, access_token=text).thumbprint != read.bound_to:
        raise ProofRefused(reason="key")


def _describe(client: Client, text: str) -> dict[str, Any] | None:
    shown, issuer = client.get_client_id(), parts().issuer
    read = tokens.read_access(text)
    if read is not None:
        grant = session().get(Grant, read.grant_id)
        if grant is None or grant.partner_id != client.id or not issuing.holds(grant):
            return None
        found = {"sub": read.subject, "scope": read.scope, "exp": read.expires_at, "iat": read.issued_at, "jti": read.jti}
        bound = {"cnf": {"jkt": read.bound_to}} if read.bound_to else {}
        kind = "DPoP" if read.bound_to else "Bearer"
        return {"active": True, "client_id": shown, "iss": issuer, "aud": tokens.userinfo_address(), "token_type": kind, **found, **bound}
    grant = issuing.of_refresh(text)
    if grant is not None and grant.partner_id == client.id and issuing.holds(grant) and grant.refresh_expires_at is not None:
        return {
            "active": True,
            "client_id": shown,
            "iss": issuer,
            "scope": grant.get_scope(),
            "exp": int(grant.refresh_expires_at.timestamp()),
        }
    own = _own(text)
    return own if own is not None and own["client_id"] == shown else None


def _own(text: str) -> dict[str, Any] | None:
    """What a partner's token in its own name says, if it is good now."""
    try:
        verified = parts().tokens.verify(text)
    except Unauthenticated:
        return None
    if verified.actor.kind is not ActorKind.PARTNER:
        return None
    shown = ids.show("partner", verified.actor.id)
    return {
        "active": True,
        "client_id": shown,
        "sub": shown,
        "iss": parts().issuer,
        "aud": parts().issuer,
        "scope": " ".join(sorted(verified.actor.scopes)),
        "token_type": "DPoP" if verified.bound_to else "Bearer",
        "exp": verified.expires_at,
        "iat": int(verified.issued_at.timestamp()),
        "jti": verified.jti,
        **({"cnf": {"jkt": verified.bound_to}} if verified.bound_to else {}),
    }
