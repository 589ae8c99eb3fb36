"""The shape of partners over HTTP."""

from __future__ import annotations

import marshmallow as ma
from marshmallow import validate

from auth.partners.registering import MOST_KEYS
from auth.partners.rules import FIELDS
from auth.schemas import DeviceKeyIn
from auth.scopes import PartnerScope
from core.fields import Count, Id, Moment, OneOf, Schema, Text

CODE = r"^[a-z][a-z0-9_-]{1,39}$"
_URI = validate.Length(0, 10)


class PartnerKeyIn(DeviceKeyIn):
    """A public P-256 key for signing, with its kid."""

    kid = Text(most=120, required=True)


class PurposeIn(Schema):
    """Why a partner asks, in both languages, and for which fields; sending it again writes the next version of the text."""

    code = Text(most=40, pattern=CODE, required=True)
    zh = Text(least=4, most=400, required=True)
    en = Text(least=4, most=400, required=True)
    fields_ = ma.fields.List(OneOf(*FIELDS), data_key="fields", required=True, validate=validate.Length(0, len(FIELDS)))


class PartnerIn(Schema):
    """A system of an agency."""

    code = Text(most=40, pattern=CODE, required=True)
    zh = Text(most=80, required=True)
    en = Text(most=120, required=True)
    agency = Id("agency", required=True)
    kind = OneOf("confidential", "public", load_default="confidential")
    scopes = ma.fields.List(OneOf(*(str(scope) for scope in PartnerScope)), required=True, validate=validate.Length(1, 20))
    redirect_uris = ma.fields.List(Text(most=400), load_default=list, validate=_URI)
    logout_uris = ma.fields.List(Text(most=400), load_default=list, validate=_URI)
    keys = ma.fields.List(ma.fields.Nested(PartnerKeyIn), load_default=list, validate=validate.Length(0, MOST_KEYS))
    purposes = ma.fields.List(ma.fields.Nested(PurposeIn), load_default=list, validate=validate.Length(0, 20))
    dpop_required = ma.fields.Boolean(load_default=False, truthy={True}, falsy={False})
    push_required = ma.fields.Boolean(load_default=False, truthy={True}, falsy={False})


class KeysIn(Schema):
    """The partner's keys from now on."""

    keys = ma.fields.List(ma.fields.Nested(PartnerKeyIn), required=True, validate=validate.Length(1, MOST_KEYS))


class SwitchIn(Schema):
    """On or off."""

    on = ma.fields.Boolean(required=True, truthy={True}, falsy={False})


class PartnerOut(Schema):
    """A partner as staff see it; its id is its OAuth client_id."""

    id = Id("partner", required=True)
    code = ma.fields.String(required=True)
    zh = ma.fields.String(required=True)
    en = ma.fields.String(required=True)
    agency = Id("agency", attribute="agency_id", required=True)
    kind = OneOf("confidential", "public", required=True)
    scopes = ma.fields.List(ma.fields.String(), required=True)
    redirect_uris = ma.fields.List(ma.fields.String(), required=True)
    logout_uris = ma.fields.List(ma.fields.String(), required=True)
    dpop_required = ma.fields.Boolean(required=True)
    push_required = ma.fields.Boolean(required=True)
    switched_off_at = Moment(required=True, allow_none=True)
    version = Count(required=True)


class PartnersOut(Schema):
    """The partners of the city."""

    items = ma.fields.List(ma.fields.Nested(PartnerOut), required=True)


class PurposeOut(Schema):
    """The present text of a purpose."""

    code = ma.fields.String(required=True)
    text_version = Count(required=True)
    zh = ma.fields.String(required=True)
    en = ma.fields.String(required=True)
    fields_ = ma.fields.List(ma.fields.String(), attribute="fields", data_key="fields", required=True)
