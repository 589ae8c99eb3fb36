"""The three grants of the token endpoint, on Authlib's grammar: code, refresh token, client credentials."""

from __future__ import annotations

from typing import Any

from authlib.oauth2.rfc6749 import InvalidScopeError, OAuth2Error
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant, ClientCredentialsGrant, RefreshTokenGrant

from auth.installing import parts
from auth.models import Resident
from auth.oauth import clients, issuing
from auth.oauth.clients import Client
from auth.oauth.grammar import Asked, Server, StrictChallenge, by_key
from auth.oauth.models import Grant
from auth.rules import Strength
from core import clock
from core.actors import Actor, ActorKind
from core.db import session


class DpopNeeded(OAuth2Error):
    """The partner is registered for bound tokens and sent no proof (RFC 9449 section 5)."""

    error = "invalid_dpop_proof"
    description = "This client uses DPoP-bound tokens: send a DPoP proof"


class InvalidTarget(OAuth2Error):
    """A resource that is not ours (RFC 8707 section 2)."""

    error = "invalid_target"
    description = "The only resource here is the issuer"


class CodeGrant(AuthorizationCodeGrant):
    """The authorization code, with PKCE for everybody."""

    TOKEN_ENDPOINT_AUTH_METHODS = clients.METHODS

    def query_authorization_code(self, code: str, client: Client) -> Grant | None:
        """Use a code up, whatever comes of the request: a code that failed once is worth nothing."""
        return issuing.redeem(code, client, bound_to=self.request.thumbprint)

    def authenticate_user(self, authorization_code: Grant) -> Resident | None:
        """The resident who allowed it."""
        return session().get(Resident, authorization_code.resident_id)

    def generate_token(self, **_: Any) -> dict[str, Any]:
        """Tokens of a fresh grant."""
        client, grant = self.request.client, self.request.authorization_code
        return issuing.tokens_for(grant, client, scope=grant.get_scope(), bound_to=proved_key(self.request), first=True)

    def delete_authorization_code(self, authorization_code: Grant) -> None:
        """Nothing: it was used up when it was looked at."""


class RefreshGrant(RefreshTokenGrant):
    """The refresh token: rotating for public clients, standing for partners with a key."""

    TOKEN_ENDPOINT_AUTH_METHODS = clients.METHODS

    def authenticate_refresh_token(self, refresh_token: str) -> Grant | None:
        """The grant of a token that may be used now."""
        return issuing.find_refresh(refresh_token, self.request.client, bound_to=proved_key(self.request))

    def authenticate_user(self, refresh_token: Grant) -> Resident | None:
        """The resident who allowed it."""
        return session().get(Resident, refresh_token.resident_id)

    def issue_token(self, user: Resident, refresh_token: Grant) -> dict[str, Any]:
        """New tokens, perhaps for fewer scopes."""
        scope = self.request.payload.scope or refresh_token.get_scope()
        return issuing.tokens_for(refresh_token, self.request.client, scope=scope, bound_to=proved_key(self.request), first=False)

    def revoke_old_credential(self, refresh_token: Grant) -> None:
        """Nothing: a token that was turned is known as such."""


class OwnGrant(ClientCredentialsGrant):
    """A partner in its own name: what it may do at the API of the city, ten minutes long."""

    TOKEN_ENDPOINT_AUTH_METHODS = [clients.BY_KEY]  # noqa: RUF012  # Authlib reads it off the class

    def generate_token(self, **_: Any) -> dict[str, Any]:
        """An access token for the scopes that were asked for, all of which must be registered; without any, for all that are."""
        client: Client = self.request.client
        allowed = client.for_itself()
        wanted = set((self.request.payload.scope or " ".join(allowed)).split())
        if not wanted or not wanted <= allowed:
            raise InvalidScopeError()
        bound_to = proved_key(self.request)
        actor = Actor(
            kind=ActorKind.PARTNER,
            id=client.id,
            city_id=client.partner.city_id,
            scopes=frozenset(wanted),
            strength=int(Strength.STRONG),
            signed_in_at=clock.now(),
            agency_id=client.partner.agency_id,
            name=client.partner.zh,
        )
        issued = parts().tokens.issue(actor, bound_to=bound_to or "")
        return {
            "access_token": issued.access_token,
            "token_type": "DPoP" if bound_to else "Bearer",
            "expires_in": issued.expires_in,
            "scope": " ".join(sorted(wanted)),
        }


def proved_key(request: Asked) -> str | None:
    """The key that the request proved (RFC 9449); raises where the partner is registered to prove one and did not."""
    if request.thumbprint is None and request.client.partner.dpop_required:
        raise DpopNeeded()
    if request.parameters.get("resource", parts().issuer) != parts().issuer:
        raise InvalidTarget()
    return request.thumbprint


def server() -> Server:
    """The grammar with our grants in it."""
    made = Server()
    made.register_client_auth_method(clients.BY_KEY, by_key)
    made.register_grant(CodeGrant, [StrictChallenge(required=True)])
    made.register_grant(RefreshGrant)
    made.register_grant(OwnGrant)
    return made


SERVER = server()
