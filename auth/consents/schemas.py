"""The shape of consents and uses over HTTP."""

from __future__ import annotations

import marshmallow as ma

from auth.partners.schemas import CODE, PurposeOut
from core.fields import Count, Id, Moment, Schema, Text


class ConsentIn(Schema):
    """The text that was read and is agreed to."""

    partner = Id("partner", required=True)
    purpose = Text(most=40, pattern=CODE, required=True)
    text_version = Count(least=1, required=True)


class ConsentOut(Schema):
    """A consent of the caller, standing or ended."""

    id = Id("consent", required=True)
    partner = Id("partner", attribute="partner_id", required=True)
    purpose = ma.fields.String(required=True)
    text_version = Count(required=True)
    fields_ = ma.fields.List(ma.fields.String(), attribute="fields", data_key="fields", required=True)
    offline = ma.fields.Boolean(required=True)
    granted_at = Moment(required=True)
    expires_at = Moment(required=True)
    withdrawn_at = Moment(required=True, allow_none=True)


class OfferOut(Schema):
    """A partner of the city and the purposes for which it may ask."""

    partner = Id("partner", required=True)
    zh = ma.fields.String(required=True)
    en = ma.fields.String(required=True)
    purposes = ma.fields.List(ma.fields.Nested(PurposeOut), required=True)


class OffersOut(Schema):
    """Every partner that is switched on."""

    items = ma.fields.List(ma.fields.Nested(OfferOut), required=True)


class UseOut(Schema):
    """One look at the caller's data."""

    id = Id("use", required=True)
    at = Moment(required=True)
    by = ma.fields.String(required=True)
    by_name = ma.fields.String(required=True, allow_none=True)
    purpose = ma.fields.String(required=True)
    fields_ = ma.fields.List(ma.fields.String(), attribute="fields", data_key="fields", required=True)


class SharedFieldsOut(Schema):
    """The fields a resident consented to; null where the fact is not known, absent where it is not consented."""

    masked_name = ma.fields.String(allow_none=True)
    name = ma.fields.String(allow_none=True)
    birth_date = ma.fields.String(allow_none=True)
    age_band = ma.fields.String(allow_none=True)
    phone = ma.fields.String(allow_none=True)
    citizen_number = ma.fields.String(allow_none=True)
    identity_level = ma.fields.Integer(allow_none=True)


class SharedOut(Schema):
    """A resident as far as they consented."""

    subject = ma.fields.String(required=True)
    purpose = ma.fields.String(required=True)
    text_version = Count(required=True)
    fields_ = ma.fields.Nested(SharedFieldsOut, attribute="fields", data_key="fields", required=True)


class PurposeQuery(Schema):
    """For which registered purpose the partner reads."""

    purpose = Text(most=40, pattern=CODE, required=True)
