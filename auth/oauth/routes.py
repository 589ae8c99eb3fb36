"""HTTP of the provider: forms in, JSON or pages out, every refusal in the shape of RFC 6749 (docs/decisions)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from auth.oauth import endpoints, entering, interacting, metadata, schemas
from auth.oauth.refusing import in_grammar, to_bearer, to_client, to_person
from core.actors import Actor
from core.ports import Call
from core.web import Answer, Routes, anyone
from core.web.problems import language

routes = Routes("oauth")
_CLIENT = anyone(reason="the client proves itself in the form (RFC 7523)")
_PERSON = anyone(reason="the page itself asks who is there")
_PAGE: dict[str, Any] = {"access": _PERSON, "media": "text/html", "own_bearer": True, "refuse": to_person}
# A partner's server speaks for many residents from one address.
_FORM: dict[str, Any] = {"per_minute": 1_200, "access": _CLIENT, "form": True, "own_bearer": True, "refuse": to_client}
_FOUND = anyone(reason="public knowledge for partners' software")


@routes.get("/.well-known/openid-configuration", operation="getOpenidConfiguration", access=_FOUND, mode="posts", status=200)
def get_openid_configuration(actor: Actor) -> Answer:
    """What the provider can do and where (OpenID Connect Discovery 1.0)."""
    return _public()


@routes.get("/.well-known/oauth-authorization-server", operation="getOauthMetadata", access=_FOUND, mode="posts", status=200)
def get_oauth_metadata(actor: Actor) -> Answer:
    """The same by the name that OAuth knows it by (RFC 8414)."""
    return _public()


@routes.get("/oauth2/authorize", operation="authorize", query=schemas.AuthorizeIn, mode="transaction", status=303, **_PAGE)
def authorize(actor: Actor, query: dict[str, str], call: Call) -> Answer:
    """A partner sends a resident to sign in; the answer leads to our page, or back to the partner."""
    return entering.begin(call, query)


@routes.post("/oauth2/authorize", operation="authorizeByForm", takes=schemas.AuthorizeIn, form=True, status=303, **_PAGE)
def authorize_by_form(actor: Actor, body: dict[str, str], call: Call) -> Answer:
    """The same by a form (OpenID Connect Core 3.1.2.1)."""
    return entering.begin(call, body)


@routes.post("/oauth2/par", operation="pushAuthorizationRequest", takes=schemas.PushIn, gives=schemas.PushedOut, status=201, **_FORM)
@in_grammar
def push_authorization_request(actor: Actor, body: dict[str, str], call: Call) -> Answer:
    """Push an authorization request before the browser comes (RFC 9126)."""
    return entering.push(call, body)


@routes.get('/oauth2/interactions/<id("interaction"):interaction>', operation="showInteraction", mode="calls", status=200, **_PAGE)
def show_interaction(actor: Actor, interaction: UUID, call: Call) -> Answer:
    """The page of the step that is due: sign in, approve, consent."""
    return interacting.show(call, interaction, language())


@routes.post(
    '/oauth2/interactions/<id("interaction"):interaction>',
    operation="actOnInteraction",
    takes=schemas.InteractionIn,
    form=True,
    mode="calls",
    status=200,
    per_minute=60,
    **_PAGE,
)
def act_on_interaction(actor: Actor, interaction: UUID, body: dict[str, Any], call: Call) -> Answer:
    """What the resident did on the page."""
    form = {name: value for name, value in body.items() if isinstance(value, str)}
    return interacting.act(actor, call, interaction, form, language())


@routes.post("/oauth2/token", operation="createToken", takes=schemas.TokenIn, gives=schemas.OAuthTokensOut, status=200, **_FORM)
@in_grammar
def create_token(actor: Actor, body: dict[str, str], call: Call) -> Answer:
    """Exchange a code, a refresh token or a client's own proof for tokens (RFC 6749 section 3.2)."""
    return endpoints.token(call, body)


@routes.get(
    "/oauth2/userinfo",
    operation="getUserinfo",
    access=anyone(reason="the access token of a sign-in says who it is"),
    mode="transaction",
    status=200,
    own_bearer=True,
    refuse=to_bearer,
)
def get_userinfo(actor: Actor, call: Call) -> dict[str, Any]:
    """What the resident consented to show this partner (OpenID Connect Core 5.3)."""
    return endpoints.userinfo(call)


@routes.post(
    "/oauth2/userinfo",
    operation="getUserinfoByPost",
    access=anyone(reason="the access token of a sign-in says who it is"),
    status=200,
    own_bearer=True,
    refuse=to_bearer,
)
def get_userinfo_by_post(actor: Actor, call: Call) -> dict[str, Any]:
    """The same by POST (OpenID Connect Core 5.3.1)."""
    return endpoints.userinfo(call)


@routes.post("/oauth2/introspect", operation="introspectToken", takes=schemas.TokenHintIn, status=200, **_FORM)
@in_grammar
def introspect_token(actor: Actor, body: dict[str, str], call: Call) -> dict[str, Any]:
    """Whether a token of this partner is good now (RFC 7662)."""
    return endpoints.introspect(call, body)


@routes.post("/oauth2/revoke", operation="revokeToken", takes=schemas.TokenHintIn, status=200, **_FORM)
@in_grammar
def revoke_token(actor: Actor, body: dict[str, str], call: Call) -> dict[str, Any]:
    """End a token of this partner and its whole sign-in (RFC 7009)."""
    endpoints.revoke(call, body)
    return {}


@routes.get("/oauth2/logout", operation="logout", query=schemas.LogoutIn, mode="transaction", status=200, **_PAGE)
def logout(actor: Actor, query: dict[str, str], call: Call) -> Answer:
    """A partner signs the resident out (OpenID Connect RP-Initiated Logout 1.0)."""
    return endpoints.logout(call, query, language(), confirmed=False)


@routes.post("/oauth2/logout", operation="logoutByForm", takes=schemas.LogoutIn, form=True, status=200, **_PAGE)
def logout_by_form(actor: Actor, body: dict[str, str], call: Call) -> Answer:
    """The same by a form, and the resident's own yes."""
    return endpoints.logout(call, body, language(), confirmed=True)


def _public() -> Answer:
    return Answer(metadata.document(), headers={"Cache-Control": "public, max-age=300", "Access-Control-Allow-Origin": "*"})
