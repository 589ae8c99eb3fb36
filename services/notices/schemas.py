"""The shape of a notice on the wire."""

from __future__ import annotations

import marshmallow as ma

from core import fields


class BothLanguages(fields.Schema):
    """One text in both languages."""

    zh_cn = ma.fields.String(required=True, data_key="zh-CN")
    en = ma.fields.String(required=True)


class NoticeOut(fields.Schema):
    """A notice: what it is about, in words, and whether it was read."""

    id = fields.Id("notice", required=True)
    kind = ma.fields.String(required=True)
    title = ma.fields.Nested(BothLanguages, required=True)
    text = ma.fields.Nested(BothLanguages, required=True)
    subject = ma.fields.String(required=True)
    created_at = fields.Moment(required=True)
    read_at = fields.Moment(required=True, allow_none=True)
