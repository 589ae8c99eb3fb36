"""What comes in and goes out of the payments floor; every amount is in whole fen."""

from __future__ import annotations

from marshmallow import fields

from core.fields import Count, Fen, Id, Moment, OneOf, Schema, Text

MOST_CHARGE_FEN = 500_000


class NamesOut(Schema):
    """A name in both languages."""

    zh = fields.String(required=True)
    en = fields.String(required=True)


class LimitsOut(Schema):
    """What may leave a wallet at once, in a day, in a month."""

    single_fen = Fen(least=0, required=True)
    daily_fen = Fen(least=0, required=True)
    monthly_fen = Fen(least=0, required=True)


class WalletOut(Schema):
    """A wallet; `mode` says whose books hold the money and `keeper` which bank keeps it."""

    id = Id("wallet", required=True)
    mode = OneOf("platform", "bank", "transport", "subsidy", required=True)
    state = OneOf("open", "frozen", "closed", required=True)
    currency = fields.String(required=True)
    balance_fen = Fen(least=0, required=True)
    most_balance_fen = Fen(required=True)
    least_top_up_fen = Fen(required=True)
    most_top_up_fen = Fen(required=True)
    top_up_unit_fen = Fen(required=True)
    limits = fields.Nested(LimitsOut, required=True)
    highest_limits = fields.Nested(LimitsOut, required=True)
    daily_count = Count(required=True)
    spent_today_fen = Fen(least=0, required=True)
    spent_this_month_fen = Fen(least=0, required=True)
    providers = fields.List(fields.String(), required=True)
    keeper = fields.Nested(NamesOut, required=True, allow_none=True)
    opened_at = Moment(required=True)


class LimitsIn(Schema):
    """The limits to change; what is absent stays."""

    single_fen = Fen(least=0, load_default=None)
    daily_fen = Fen(least=0, load_default=None)
    monthly_fen = Fen(least=0, load_default=None)


class TopUpIn(Schema):
    """How much to top up, and through whom."""

    amount_fen = Fen(required=True)
    provider = Text(most=40, pattern=r"^[a-z][a-z0-9_]{0,39}$", required=True)


class TopUpOut(Schema):
    """A top-up; the resident approves it at `pay_url` while it is pending."""

    id = Id("top_up", required=True)
    amount_fen = Fen(required=True)
    provider = fields.String(required=True)
    state = OneOf("pending", "credited", "failed", "expired", required=True)
    reason = fields.String(required=True)
    pay_url = fields.String(required=True, allow_none=True)
    receipt_number = fields.String(required=True, allow_none=True)
    created_at = Moment(required=True)
    expires_at = Moment(required=True)
    decided_at = Moment(required=True, allow_none=True)


class TopUpRefundIn(Schema):
    """How much of the top-up to take back."""

    amount_fen = Fen(required=True)


class TopUpRefundOut(Schema):
    """A refund of a top-up; `pending` until the provider has answered for certain."""

    id = Id("top_up_refund", required=True)
    top_up = Id("top_up", required=True, attribute="top_up_id")
    amount_fen = Fen(required=True)
    provider = fields.String(required=True)
    state = OneOf("pending", "refunded", "failed", required=True)
    reason = fields.String(required=True)
    receipt_number = fields.String(required=True, allow_none=True)
    reserved_at = Moment(required=True)
    decided_at = Moment(required=True, allow_none=True)


class TopUpSeenOut(TopUpOut):
    """A top-up with what was taken back of it, newest first; `refundable_fen` is what still can be, 0 where nothing can."""

    refundable_fen = Fen(least=0, required=True)
    refunds = fields.List(fields.Nested(TopUpRefundOut), required=True)


class NoticeOut(Schema):
    """The notice was taken and what follows from it is committed."""

    received = fields.Boolean(required=True)


class ChargeIn(Schema):
    """What to charge: an amount, and the code that was scanned or the presentation that was made of it."""

    amount_fen = Fen(most=MOST_CHARGE_FEN, required=True)
    code = Text(least=18, most=18, pattern=r"^[0-9]{18}$", load_default=None)
    presentation_id = Id("presentation", load_default=None)


class ChargeOut(Schema):
    """A posted charge, as the terminal prints it."""

    id = Id("charge", required=True)
    receipt_number = fields.String(required=True)
    amount_fen = Fen(required=True)
    masked_name = fields.String(required=True)
    merchant_id = Id("merchant", required=True)
    terminal_id = Id("terminal", required=True)
    occurred_at = Moment(required=True)
    recorded_at = Moment(required=True)


class ReasonIn(Schema):
    """Why a charge is undone, for the receipt and the audit log."""

    reason = Text(most=100, required=True)


class RefundIn(ReasonIn):
    """How much of a charge to give back."""

    amount_fen = Fen(most=MOST_CHARGE_FEN, required=True)


class UndoneOut(Schema):
    """A reversal or a refund; `left_fen` is what of the charge could still be given back."""

    id = Id("refund", required=True)
    charge_id = Id("charge", required=True)
    kind = OneOf("reversal", "refund", required=True)
    amount_fen = Fen(required=True)
    left_fen = Fen(least=0, required=True)
    state = OneOf("reversed", "refunded", "partly_refunded", required=True)
    receipt_number = fields.String(required=True)
    recorded_at = Moment(required=True)


class GivenBackOut(Schema):
    """One reversal or refund of a charge."""

    id = Id("refund", required=True)
    kind = OneOf("reversal", "refund", required=True)
    amount_fen = Fen(required=True)
    receipt_number = fields.String(required=True)
    recorded_at = Moment(required=True)


class ChargeViewOut(Schema):
    """A charge with what was given back of it."""

    id = Id("charge", required=True)
    receipt_number = fields.String(required=True)
    state = OneOf("posted", "reversed", "refunded", "partly_refunded", required=True)
    amount_fen = Fen(required=True)
    refunded_fen = Fen(least=0, required=True)
    masked_name = fields.String(required=True)
    merchant = fields.Nested(NamesOut, required=True, allow_none=True)
    terminal_id = Id("terminal", required=True)
    occurred_at = Moment(required=True)
    recorded_at = Moment(required=True)
    refunds = fields.List(fields.Nested(GivenBackOut), required=True)


class MadeGoodOut(Schema):
    """One trade at a gate without network that the city had paid and a receipt says is paid back."""

    merchant = fields.Nested(NamesOut, required=True, allow_none=True)
    amount_fen = Fen(required=True)
    occurred_at = Moment(required=True)


class ReceiptOut(Schema):
    """A receipt; `change_fen` is what it did to the wallet, `trades` what an `offline_repayment` pays back, the first one first."""

    id = Id("receipt", required=True)
    number = fields.String(required=True)
    kind = OneOf("charge", "refund", "reversal", "top_up", "top_up_refund", "bill", "offline", "offline_repayment", required=True)
    amount_fen = Fen(required=True)
    change_fen = fields.Integer(required=True)
    refunded_fen = Fen(least=0, required=True)
    state = OneOf("posted", "reversed", "refunded", "partly_refunded", required=True)
    charge_id = Id("charge", required=True, allow_none=True)
    top_up_id = Id("top_up", required=True, allow_none=True)
    merchant = fields.Nested(NamesOut, required=True, allow_none=True)
    provider = fields.String(required=True, allow_none=True)
    recorded_at = Moment(required=True)
    trades = fields.List(fields.Nested(MadeGoodOut), required=True)


class MonthQuery(Schema):
    """A calendar month."""

    month = Text(least=7, most=7, pattern=r"^20\d\d-(0[1-9]|1[0-2])$", required=True)


class TotalOut(Schema):
    """What came and went in a month by kind."""

    kind = fields.String(required=True)
    count = Count(required=True)
    in_fen = Fen(least=0, required=True)
    out_fen = Fen(least=0, required=True)


class StatementOut(Schema):
    """A month of a wallet, from the books."""

    month = fields.String(required=True)
    opening_fen = Fen(least=0, required=True)
    closing_fen = Fen(least=0, required=True)
    in_fen = Fen(least=0, required=True)
    out_fen = Fen(least=0, required=True)
    totals = fields.List(fields.Nested(TotalOut), required=True)


class TrialLineOut(Schema):
    """All accounts of a kind together."""

    kind = fields.String(required=True)
    accounts = Count(required=True)
    debits_fen = fields.Integer(required=True)
    credits_fen = fields.Integer(required=True)
    balance_fen = fields.Integer(required=True)


class TrialBalanceOut(Schema):
    """The proof that the books of a city balance."""

    balanced = fields.Boolean(required=True)
    debits_fen = fields.Integer(required=True)
    credits_fen = fields.Integer(required=True)
    carried_fen = fields.Integer(required=True)
    lines = fields.List(fields.Nested(TrialLineOut), required=True)


class DaysQuery(Schema):
    """Days from `since` up to before `until`, in the city's time."""

    since = fields.Date(required=True)
    until = fields.Date(required=True)
