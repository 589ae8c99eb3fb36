"""The shape of agreements over HTTP."""

from __future__ import annotations

import marshmallow as ma
from marshmallow import validate

from auth.agreements.guardians import DOCUMENTS
from auth.agreements.texts import Kind
from auth.schemas import ChipIn
from core.fields import Id, Moment, OneOf, Schema, Text

VERSION = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
KINDS = tuple(str(kind) for kind in Kind)


class SectionOut(Schema):
    """One paragraph of a text."""

    title_zh = ma.fields.String(required=True)
    text_zh = ma.fields.String(required=True)
    title_en = ma.fields.String(required=True)
    text_en = ma.fields.String(required=True)


class TextOut(Schema):
    """One version of a text."""

    kind = OneOf(*KINDS, required=True)
    version = ma.fields.String(required=True)
    zh = ma.fields.String(required=True)
    en = ma.fields.String(required=True)
    sections = ma.fields.List(ma.fields.Nested(SectionOut), required=True)


class TextsOut(Schema):
    """The present texts, one of each kind."""

    items = ma.fields.List(ma.fields.Nested(TextOut), required=True)


class AgreedIn(Schema):
    """One text that was read."""

    kind = OneOf(*KINDS, required=True)
    version = Text(least=10, most=10, pattern=VERSION, required=True)


class AgreementsIn(Schema):
    """The texts that were read and are agreed to."""

    items = ma.fields.List(ma.fields.Nested(AgreedIn), validate=validate.Length(min=1, max=len(KINDS)), required=True)


class GuardianAgreementsIn(AgreementsIn):
    """The texts that a guardian at the counter agrees to for a child: the guardian's chip, and what the clerk was shown."""

    guardian = ma.fields.Nested(ChipIn, required=True)
    document = OneOf(*DOCUMENTS, required=True)


class DueOut(Schema):
    """What still has to be agreed to."""

    due = ma.fields.List(OneOf(*KINDS), required=True)


class AgreementOut(Schema):
    """What the caller, or a guardian for them, agreed to, when, and on which device."""

    id = Id("agreement", required=True)
    kind = OneOf(*KINDS, required=True)
    version = ma.fields.String(attribute="text_version", required=True)
    device = Id("device", attribute="device_id", required=True, allow_none=True)
    agreed_at = Moment(required=True)
    withdrawn_at = Moment(required=True, allow_none=True)
    guardian = Id("resident", attribute="guardian_id", required=True, allow_none=True)
