"""What goes in and out of the upload of offline trades."""

from __future__ import annotations

from marshmallow import fields
from marshmallow.validate import Length

from citycode.journal import MOST_IN_BATCH
from core.fields import Count, Fen, Moment, OneOf, Schema, Text
from payments.offline.rules import Result


class OfflineTradeIn(Schema):
    """A trade as the terminal took it: the scanned code is its proof."""

    serial = Count(least=1, most=2**53, required=True)
    code = Text(most=600, required=True)
    amount_fen = Fen(least=0, most=1_000_000, required=True)
    occurred_at = Moment(required=True)


class OfflineBatchIn(Schema):
    """A batch, oldest first, with the terminal's signature over it (64 bytes, base64url)."""

    trades = fields.List(fields.Nested(OfflineTradeIn), required=True, validate=Length(1, MOST_IN_BATCH))
    signature = Text(least=86, most=86, pattern=r"^[A-Za-z0-9_-]{85}[AQgw]$", required=True)


class OfflineResultOut(Schema):
    """What became of one trade."""

    serial = Count(most=2**53, required=True)
    result = OneOf(*Result, required=True)
    reason = fields.String(required=True, allow_none=True)
    receipt_number = fields.String(required=True, allow_none=True)


class OfflineBatchOut(Schema):
    """What became of each trade, in the order of the batch."""

    results = fields.List(fields.Nested(OfflineResultOut), required=True)
