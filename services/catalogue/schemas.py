"""The catalogue on the wire."""

from __future__ import annotations

import marshmallow as ma

from core.fields import Count, Fen, OneOf, Schema, Text


class BothOut(Schema):
    """One text in both languages."""

    zh_cn = ma.fields.String(required=True, data_key="zh-CN")
    en = ma.fields.String(required=True)


class MaterialsOut(Schema):
    """What to have at hand, in both languages."""

    zh_cn = ma.fields.List(ma.fields.String(), required=True, data_key="zh-CN")
    en = ma.fields.List(ma.fields.String(), required=True)


class LawOut(Schema):
    """A rule that a service stands on."""

    zh_cn = ma.fields.String(required=True, data_key="zh-CN")
    en = ma.fields.String(required=True)
    number = ma.fields.String(required=True)


class AgencyOut(Schema):
    """Who runs a service."""

    code = ma.fields.String(required=True)
    zh_cn = ma.fields.String(required=True, data_key="zh-CN")
    en = ma.fields.String(required=True)


class ItemOut(Schema):
    """A public service: what it is, what it stands on, what it costs, who runs it, and whether it is switched on."""

    code = ma.fields.String(required=True)
    kind = OneOf("statement", required=True)
    name = ma.fields.Nested(BothOut, required=True)
    summary = ma.fields.Nested(BothOut, required=True)
    account_label = ma.fields.Nested(BothOut, required=True)
    account_help = ma.fields.Nested(BothOut, required=True)
    account_pattern = ma.fields.String(required=True)
    materials = ma.fields.Nested(MaterialsOut, required=True)
    law = ma.fields.List(ma.fields.Nested(LawOut), required=True)
    fee_fen = Fen(least=0, required=True)
    agency = ma.fields.Nested(AgencyOut, required=True)
    on = ma.fields.Boolean(required=True)


class CatalogueOut(Schema):
    """Everything that a city offers."""

    services = ma.fields.List(ma.fields.Nested(ItemOut), required=True)


class CityQuery(Schema):
    """Which city; the caller's own unless another is named."""

    city = Count(least=100_000, most=999_999, load_default=None)


class SwitchIn(Schema):
    """On or off, and why."""

    on = ma.fields.Boolean(required=True, truthy={True}, falsy={False})
    reason = Text(most=200, required=True)
