"""Authlib's authorization server over our edge: the grammar of RFC 6749, 7636 and 9207, strict where the standards leave a choice."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import AuthorizationServer, InvalidClientError, InvalidRequestError, OAuth2Request
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oauth2.rfc7636.challenge import compare_s256_code_challenge

from auth.installing import parts
from auth.oauth import clients
from auth.oauth.clients import Client
from auth.partners import assertions
from core import ids
from core.ports import Call
from core.web import Answer

S256_LENGTH = 43


class Asked(OAuth2Request):
    """A request as the grammar reads it: its parameters, each once, from the query or the form."""

    def __init__(self, call: Call, parameters: Mapping[str, str]) -> None:
        super().__init__(call.method, parts().issuer + call.path, headers=dict(call.headers))
        # A parameter without a value is one that was not sent (RFC 6749 section 3.1).
        self.parameters = {name: value for name, value in parameters.items() if value}
        self.payload = BasicOAuth2Payload(self.parameters)
        self.thumbprint: str | None = None

    @property
    def form(self) -> dict[str, str]:
        """The parameters; there is one place where a request has them."""
        return self.parameters


class Server(AuthorizationServer):
    """The grammar's server; what it answers is an Answer of our edge."""

    def query_client(self, client_id: str) -> Client | None:
        """The client of an id."""
        return clients.find(client_id)

    def save_token(self, token: Any, request: Any) -> None:
        """Nothing: a token's row is written where it is made."""

    def send_signal(self, name: str, *args: Any, **kwargs: Any) -> None:
        """Nobody listens."""

    def create_oauth2_request(self, request: Any) -> Any:
        """Our requests are the grammar's already."""
        return request

    def handle_response(self, status: int, body: Any, headers: Any) -> Answer:
        """An answer of the token endpoint, never kept by anybody (RFC 6749 section 5.1)."""
        kept = {name: value for name, value in headers if name.lower() != "content-type"}
        return Answer(body, status=status, headers=kept)

    def handle_error_response(self, request: Any, error: OAuth2Error) -> Answer:
        """A refusal in the shape of RFC 6749 section 5.2."""
        return refusal(error)


class StrictChallenge(CodeChallenge):
    """PKCE with S256 for every client (RFC 7636, 9700 section 2.1.1): ``plain`` and an absent method are refused."""

    SUPPORTED_CODE_CHALLENGE_METHOD = ["S256"]  # noqa: RUF012  # Authlib reads it off the class
    CODE_CHALLENGE_METHODS = {"S256": compare_s256_code_challenge}  # noqa: RUF012  # Authlib reads it off the class

    def validate_code_challenge(self, grant: Any, redirect_uri: Any) -> None:
        """Refuse a request without a challenge, with another method, or with a challenge that is no SHA-256."""
        given = grant.request.payload.data
        if given.get("code_challenge_method") != "S256" or len(given.get("code_challenge", "")) != S256_LENGTH:
            raise InvalidRequestError("PKCE is needed: code_challenge with code_challenge_method S256")
        super().validate_code_challenge(grant, redirect_uri)


def by_key(query_client: Callable[[str], Client | None], request: Any) -> Client | None:
    """Authenticate a client by ``private_key_jwt`` (RFC 7523); None where it did not try, so that the next method is looked at."""
    form = request.form
    if "client_assertion" not in form and "client_assertion_type" not in form:
        return None
    if form.get("client_assertion_type") != assertions.TYPE or "client_secret" in form:
        raise InvalidClientError("client_assertion_type is not known")
    try:
        partner_id = assertions.claimed_partner(form.get("client_assertion", ""))
        client = query_client(ids.show("partner", partner_id))
        if client is None or form.get("client_id", client.get_client_id()) != client.get_client_id():
            raise InvalidClientError("The client is unknown, switched off, or not the one that signed")
        issuer = parts().issuer
        assertions.check(client.partner, form["client_assertion"], audiences={issuer, issuer + "/oauth2/token", request.uri})
    except assertions.AssertionFailed as fault:
        raise InvalidClientError(str(fault)) from fault
    return client


def refuse_header(call: Call) -> None:
    """Raise for a client that authenticates in a header: secrets are not known here (RFC 6749 section 5.2)."""
    if "Authorization" in call.headers:
        raise InvalidClientError("Use private_key_jwt; no client has a secret")


def refusal(error: OAuth2Error) -> Answer:
    """The answer for an error of the grammar; a client that is not authenticated is told with 401."""
    body = {"error": error.error}
    if error.description:
        body["error_description"] = error.description
    unauthenticated = error.error == "invalid_client"
    headers = {"WWW-Authenticate": 'Bearer realm="citycard", error="invalid_client"'} if unauthenticated else {}
    return Answer(body, status=401 if unauthenticated else error.status_code, headers=headers)


def back(redirect_uri: str, state: str | None, **given: str) -> Answer:
    """Send the browser back to the partner, with our name in the answer (RFC 9207) and the state as it came."""
    parameters = {**given, **({"state": state} if state else {}), "iss": parts().issuer}
    to = urlsplit(redirect_uri)
    query = "&".join(part for part in (to.query, urlencode(parameters)) if part)
    return Answer(b"", status=303, headers={"Location": urlunsplit(to._replace(query=query))})
