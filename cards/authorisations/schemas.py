"""What goes in and out about authorisations, trusted keys and the hotlist."""

from __future__ import annotations

from marshmallow import fields
from marshmallow.validate import Length

from cards.authorisations.rules import LIMITS_FEN, MOST_KEYS
from core.fields import Count, Fen, Id, Moment, Schema, Text


class AuthorisationsIn(Schema):
    """One-time public keys of a phone (compressed points on P-256, base64url); ``following`` asks for the city's next day."""

    keys = fields.List(Text(least=44, most=44, pattern=r"^[A-Za-z0-9_-]{44}$"), required=True, validate=Length(1, MOST_KEYS))
    limit_fen = Fen(least=0, most=max(LIMITS_FEN), required=True)
    shows_concession = fields.Boolean(load_default=False, truthy={True}, falsy={False})
    following = fields.Boolean(load_default=False, truthy={True}, falsy={False})


class AuthorisationsOut(Schema):
    """An authorisation for each key, in their order."""

    card_id = Id("card", required=True)
    authorisations = fields.List(fields.String(), required=True)
    limit_fen = Fen(least=0, required=True)
    concession = Count(most=255, required=True)
    starts_at = Moment(required=True)
    expires_at = Moment(required=True)
    server_time = Moment(required=True)


class PublicJwkOut(Schema):
    """A public key (RFC 7517)."""

    kty = fields.String(required=True)
    crv = fields.String(required=True)
    x = fields.String(required=True)
    y = fields.String(required=True)


class TrustedKeyOut(Schema):
    """An issuer key that terminals trust."""

    key_id = fields.String(required=True)
    public_jwk = fields.Nested(PublicJwkOut, required=True)
    starts_at = Moment(required=True)
    ends_at = Moment(required=True, allow_none=True)


class TrustListOut(Schema):
    """The issuer keys of the terminal's city."""

    city_id = Count(required=True)
    keys = fields.List(fields.Nested(TrustedKeyOut), required=True)


class SinceQuery(Schema):
    """The version a terminal has; 0 for none."""

    since = Count(least=0, most=2**53, load_default=0)


class HotlistOut(Schema):
    """What changed: entries of five bytes one after the other, base64url."""

    city_id = Count(required=True)
    version = Count(most=2**53, required=True)
    full = fields.Boolean(required=True)
    made_at = Moment(required=True)
    added = fields.String(required=True)
    removed = fields.String(required=True)


class AckIn(Schema):
    """The version that a terminal has now."""

    version = Count(least=0, most=2**53, required=True)
