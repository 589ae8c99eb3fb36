"""An authorization request comes in: directly, or pushed before (RFC 9126); it is judged, kept, and given a browser to answer it."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import InvalidRequestError
from sqlalchemy import select

from auth import proofs
from auth.installing import parts
from auth.oauth import browsers, clients, wanting
from auth.oauth.clients import Client
from auth.oauth.errors import RequestNotForUs
from auth.oauth.grammar import Asked, back, refuse_header
from auth.oauth.granting import SERVER
from auth.oauth.models import AuthorizationRequest
from auth.oauth.wanting import Wanted
from core import clock, ids
from core.db import session
from core.ports import Call
from core.web import Answer

REQUEST_URI = "urn:ietf:params:oauth:request_uri:"
# What an authorization request may carry; the rest of the form is ours (the client's proof of itself) or unknown, and is not kept.
KNOWN = (
    "response_type", "client_id", "redirect_uri", "scope", "state", "nonce", "code_challenge", "code_challenge_method", "dpop_jkt",
    "prompt", "max_age", "acr_values", "claims", "id_token_hint", "login_hint", "display", "ui_locales", "response_mode",
    "request", "registration",
)  # fmt: skip
MOST_BYTES = 8_000


def begin(call: Call, given: Mapping[str, str]) -> Answer:
    """Judge a request and send the browser to our page; what is wrong with it is told at the partner's address, if that is certain.

    RequestNotForUs where it is not: an unknown partner or address gets no redirect (RFC 6749 section 4.1.2.1).
    """
    parameters = {name: value for name, value in given.items() if value}
    client = known_client(parameters)
    if "request_uri" in parameters:
        parameters = _pushed(client, parameters["request_uri"])
    elif client.partner.push_required:
        raise RequestNotForUs(reason="this partner pushes its requests first (RFC 9126)")
    address = known_address(client, parameters)
    try:
        judge(client, call, parameters)
    except OAuth2Error as error:
        return tell(error, address, parameters.get("state"))
    kept, planted = _keep(client, call, parameters)
    path = f"/oauth2/interactions/{ids.show('interaction', kept.id)}"
    headers = {"Location": path, **({"Set-Cookie": planted} if planted else {})}
    return Answer(b"", status=303, headers=headers)


def push(call: Call, form: Mapping[str, str]) -> Answer:
    """Keep a request of an authenticated partner for a minute and name it (RFC 9126 section 2)."""
    refuse_header(call)
    asked = Asked(call, form)
    client: Client = SERVER.authenticate_client(asked, clients.METHODS, "token")
    if "request_uri" in asked.parameters:
        raise InvalidRequestError("request_uri has no place in a pushed request")
    if asked.parameters.get("client_id", client.get_client_id()) != client.get_client_id():
        raise InvalidRequestError("client_id is of another client")
    parameters = {name: asked.parameters[name] for name in KNOWN if name in asked.parameters}
    parameters["client_id"] = client.get_client_id()
    _bind(call, parameters)
    if not client.check_redirect_uri(parameters.get("redirect_uri", "")):
        raise InvalidRequestError("redirect_uri is not registered")
    judge(client, call, parameters)
    name, now = secrets.token_urlsafe(32), clock.now()
    lifetime = parts().policy.pushed_request_lifetime
    session().add(_row(client, parameters, expires_at=now + lifetime, pushed_digest=_digest(name)))
    session().flush()
    return Answer({"request_uri": REQUEST_URI + name, "expires_in": int(lifetime.total_seconds())}, status=201)


def _bind(call: Call, parameters: dict[str, str]) -> None:
    """A proof that comes with a pushed request names the key as ``dpop_jkt`` does, and both name the same (RFC 9449 section 10.1)."""
    if call.headers.get("DPoP"):
        proved = proofs.of_call(call).thumbprint
        if parameters.setdefault("dpop_jkt", proved) != proved:
            raise InvalidRequestError("dpop_jkt is not the key that the DPoP proof shows")


def judge(client: Client, call: Call, parameters: Mapping[str, str]) -> Wanted:
    """Let the grammar look at a request, and then ourselves; raises what the partner is told."""
    if parameters.get("response_type") != "code":
        raise OAuth2Error(error="unsupported_response_type")
    if sum(len(value.encode()) for value in parameters.values()) > MOST_BYTES:
        raise InvalidRequestError("the request is too long")
    SERVER.get_consent_grant(Asked(call, parameters))
    return wanting.read(client, parameters)


def known_client(parameters: Mapping[str, str]) -> Client:
    """The partner of a request; RequestNotForUs for nobody."""
    client = clients.find(parameters.get("client_id"))
    if client is None:
        raise RequestNotForUs(reason="client_id")
    return client


def known_address(client: Client, parameters: Mapping[str, str]) -> str:
    """Where the answer goes; RequestNotForUs for an address that is not registered exactly so."""
    address = parameters.get("redirect_uri", "")
    if not client.check_redirect_uri(address):
        raise RequestNotForUs(reason="redirect_uri")
    return address


def tell(error: OAuth2Error, address: str, state: str | None) -> Answer:
    """Tell a partner at its address what is wrong (RFC 6749 section 4.1.2.1)."""
    given = {"error": str(error.error), **({"error_description": error.description} if error.description else {})}
    return back(address, state, **given)


def _pushed(client: Client, request_uri: str) -> dict[str, str]:
    """The parameters of a pushed request, used up with this."""
    name = request_uri.removeprefix(REQUEST_URI) if request_uri.startswith(REQUEST_URI) else ""
    found = session().scalar(select(AuthorizationRequest).where(AuthorizationRequest.pushed_digest == _digest(name)).with_for_update())
    now = clock.now()
    if found is None or found.partner_id != client.id or found.finished_at is not None or now >= found.expires_at:
        raise RequestNotForUs(reason="request_uri")
    found.finished_at = now
    session().flush()
    return dict(found.parameters)


def _keep(client: Client, call: Call, parameters: dict[str, str]) -> tuple[AuthorizationRequest, str | None]:
    """The request, kept for the browser that brought it, and the cookie of a browser that is new here."""
    browser, planted = browsers.of_call(call), None
    if browser is None:
        browser, planted = browsers.begin(client.partner.city_id)
    kept = {name: parameters[name] for name in KNOWN if name in parameters}
    made = _row(client, kept, expires_at=clock.now() + parts().policy.oauth_request_lifetime, browser_id=browser.id)
    session().add(made)
    session().flush()
    return made, planted


def _row(
    client: Client, parameters: dict[str, str], *, expires_at: Any, browser_id: UUID | None = None, pushed_digest: bytes | None = None
) -> AuthorizationRequest:
    return AuthorizationRequest(
        id=ids.new_id(),
        city_id=client.partner.city_id,
        partner_id=client.id,
        browser_id=browser_id,
        pushed_digest=pushed_digest,
        parameters=dict(parameters),
        created_at=clock.now(),
        expires_at=expires_at,
    )


def _digest(name: str) -> bytes:
    return hashlib.sha256(name.encode()).digest()
