"""The shape of webhooks over HTTP."""

from __future__ import annotations

import marshmallow as ma
from marshmallow import validate

from core.fields import Count, Id, Moment, OneOf, Schema, Text
from services.exchange.destinations import LONGEST
from services.exchange.telling import WANTED, Told


class EndpointIn(Schema):
    """Where a partner wants to be told, and of what."""

    url = Text(least=12, most=LONGEST, required=True)
    events = ma.fields.List(OneOf(*WANTED), required=True, validate=validate.Length(1, len(WANTED)))


class EndpointOut(Schema):
    """An endpoint; ``note`` says why it is disabled: ``gone`` after a 410, ``failing`` after five days without a success."""

    id = Id("endpoint", required=True)
    url = ma.fields.String(required=True)
    events = ma.fields.List(OneOf(*WANTED), required=True)
    state = OneOf("active", "disabled", required=True)
    note = OneOf("gone", "failing", required=True, allow_none=True)
    failing_since = Moment(required=True, allow_none=True)
    earlier_secret_until = Moment(attribute="earlier_until", required=True, allow_none=True)
    created_at = Moment(required=True)


class EndpointsOut(Schema):
    """The partner's endpoints."""

    items = ma.fields.List(ma.fields.Nested(EndpointOut), required=True)


class SecretOut(Schema):
    """An endpoint with its secret, which is shown this once."""

    endpoint = ma.fields.Nested(EndpointOut, required=True)
    secret = ma.fields.String(required=True)


class DeliveryOut(Schema):
    """One event for one endpoint, and what came of sending it."""

    id = Id("delivery", required=True)
    event = OneOf(*(str(told) for told in Told), required=True)
    state = OneOf("waiting", "delivered", "dead", "dropped", required=True)
    attempts = Count(required=True)
    next_at = Moment(required=True, allow_none=True)
    last_at = Moment(required=True, allow_none=True)
    last_status = Count(required=True, allow_none=True)
    last_fault = ma.fields.String(required=True, allow_none=True)
    created_at = Moment(required=True)
