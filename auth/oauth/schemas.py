"""The shape of OAuth's forms and answers. Unknown parameters are passed over and a repeated one is refused (RFC 6749 section 3.1)."""

from __future__ import annotations

from typing import Any

import marshmallow as ma

from core.fields import Schema, printable

LONGEST = 4096


class Parameter(ma.fields.String):
    """A parameter: one text."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        if not isinstance(value, str):
            raise ma.ValidationError("This parameter came more than once.")
        if len(value) > LONGEST or not printable(value):
            raise ma.ValidationError("Too long, or with control characters.")
        return value


class Form(Schema):
    """Parent of OAuth's forms."""

    class Meta:
        unknown = ma.EXCLUDE


class ClientForm(Form):
    """How a client says and proves who it is."""

    client_id = Parameter()
    client_assertion = Parameter()
    client_assertion_type = Parameter()
    client_secret = Parameter()


class AuthorizeIn(Form):
    """An authorization request (OpenID Connect Core 3.1.2.1)."""

    response_type = Parameter()
    client_id = Parameter()
    redirect_uri = Parameter()
    scope = Parameter()
    state = Parameter()
    nonce = Parameter()
    code_challenge = Parameter()
    code_challenge_method = Parameter()
    dpop_jkt = Parameter()
    prompt = Parameter()
    max_age = Parameter()
    acr_values = Parameter()
    claims = Parameter()
    id_token_hint = Parameter()
    login_hint = Parameter()
    display = Parameter()
    ui_locales = Parameter()
    response_mode = Parameter()
    request = Parameter()
    request_uri = Parameter()
    registration = Parameter()


class PushIn(AuthorizeIn, ClientForm):
    """An authorization request that is pushed (RFC 9126)."""


class TokenIn(ClientForm):
    """A token request."""

    grant_type = Parameter()
    code = Parameter()
    redirect_uri = Parameter()
    code_verifier = Parameter()
    refresh_token = Parameter()
    scope = Parameter()
    resource = Parameter()
    # Known so that Authlib's grammar refuses them by name.
    username = Parameter()
    password = Parameter()


class TokenHintIn(ClientForm):
    """A token to look at or to end."""

    token = Parameter()
    token_type_hint = Parameter()


class LogoutIn(Form):
    """A partner signs a resident out (OpenID Connect RP-Initiated Logout 2)."""

    id_token_hint = Parameter()
    client_id = Parameter()
    post_logout_redirect_uri = Parameter()
    state = Parameter()
    logout_hint = Parameter()
    ui_locales = Parameter()
    token = Parameter()


class InteractionIn(Schema):
    """A form of our own page; beside these it carries the version of each text that was read."""

    class Meta:
        unknown = ma.INCLUDE

    token = Parameter(required=True)
    step = Parameter(required=True)
    phone = Parameter()
    code = Parameter()


class OAuthTokensOut(ma.Schema):
    """Tokens (RFC 6749 section 5.1, OpenID Connect Core 3.1.3.3), or an error."""

    access_token = ma.fields.String()
    token_type = ma.fields.String()
    expires_in = ma.fields.Integer()
    scope = ma.fields.String()
    id_token = ma.fields.String()
    refresh_token = ma.fields.String()
    error = ma.fields.String()
    error_description = ma.fields.String()


class PushedOut(ma.Schema):
    """The name of a pushed request, or an error."""

    request_uri = ma.fields.String()
    expires_in = ma.fields.Integer()
    error = ma.fields.String()
    error_description = ma.fields.String()
