"""What comes in and goes out of the kind `statement`; every amount is in whole fen, every price in ten-thousandths of a yuan."""

from __future__ import annotations

import marshmallow as ma

from core.fields import Day, Fen, Id, Moment, OneOf, Schema, Text
from core.web import PageQuery

MOST_BILL_FEN = 10_000_000
REMEDIES = ("give_back", "adjust", "accept", "void", "note")
RELATIONS = ("owner", "tenant", "family", "other")


class BindIn(Schema):
    """An account's number and its owner's name, as both stand on the bill."""

    item = Text(most=32, pattern=r"^[a-z][a-z_]{1,30}$", required=True)
    account_number = Text(most=32, pattern=r"^[A-Za-z0-9-]{4,32}$", required=True)
    owner_name = Text(most=50, required=True)
    alias = Text(least=0, most=20, load_default="")
    relation = OneOf(*RELATIONS, load_default="owner")


class BindingOut(Schema):
    """A bound account: whose it is only as far as anybody is told."""

    id = Id("binding", required=True)
    item = ma.fields.String(required=True)
    account_number = ma.fields.String(required=True)
    alias = ma.fields.String(required=True)
    relation = OneOf(*RELATIONS, required=True)
    masked_owner = ma.fields.String(required=True)
    masked_address = ma.fields.String(required=True)
    persons = ma.fields.Integer(required=True)
    shared = ma.fields.Function(lambda row: row.shared_from is not None, metadata={"type": "boolean"})
    bound_at = Moment(required=True)


class ShareOut(Schema):
    """A code for one other resident, good once and until then."""

    code = ma.fields.String(required=True)
    expires_at = Moment(required=True)


class AcceptIn(Schema):
    """A code that somebody shared."""

    code = Text(most=20, pattern=r"^[0-9A-Za-z]{12}$", required=True)
    alias = Text(least=0, most=20, load_default="")


class BothOut(Schema):
    """One text in both languages."""

    zh_cn = ma.fields.String(required=True, data_key="zh-CN")
    en = ma.fields.String(required=True)


class LineOut(Schema):
    """One line of a bill, with its words."""

    since = ma.fields.String(required=True)
    until = ma.fields.String(required=True)
    tier = ma.fields.Integer(required=True)
    quantity = ma.fields.Integer(required=True)
    price_e4 = ma.fields.Integer(required=True)
    amount_fen = Fen(least=0, required=True)
    text = ma.fields.Nested(BothOut, required=True)


class FactsOut(Schema):
    """What was measured."""

    since = ma.fields.String(required=True)
    until = ma.fields.String(required=True)
    unit = ma.fields.String(required=True)
    opening = ma.fields.Integer(required=True)
    closing = ma.fields.Integer(required=True)
    quantity = ma.fields.Integer(required=True)
    used_before = ma.fields.Integer(required=True)
    persons = ma.fields.Integer(required=True)
    due_on = ma.fields.String(required=True)


class BillOut(Schema):
    """A bill, explained line by line; `agrees` says that the published tariff gives the same lines."""

    id = Id("bill", required=True)
    binding_id = Id("binding", required=True)
    item = ma.fields.String(required=True)
    number = ma.fields.String(required=True)
    period = ma.fields.String(required=True)
    amount_fen = Fen(required=True)
    state = OneOf("due", "processing", "paid", required=True)
    payment_id = Id("bill_payment", required=True, allow_none=True)
    facts = ma.fields.Nested(FactsOut, required=True)
    lines = ma.fields.List(ma.fields.Nested(LineOut), required=True)
    notes = ma.fields.List(ma.fields.Nested(BothOut), required=True)
    agrees = ma.fields.Boolean(required=True)
    fetched_at = Moment(required=True)


class BillsOut(Schema):
    """The bills of an account, newest first; `fresh` when the agency told them just now."""

    bills = ma.fields.List(ma.fields.Nested(BillOut), required=True)
    fresh = ma.fields.Boolean(required=True)


class PayIn(Schema):
    """The amount that the resident saw and agrees to."""

    amount_fen = Fen(most=MOST_BILL_FEN, required=True)


class BillPaymentsQuery(PageQuery):
    """A page of payments; of one item, or of the account of a binding, if given."""

    item = Text(most=32, pattern=r"^[a-z][a-z_]{1,30}$", load_default=None)
    binding = Id("binding", load_default=None)


class ListedBillPaymentOut(Schema):
    """The payment of a bill: `processing` until the agency has answered for certain, and never `paid` before.

    `failed` and `refunded` say that the money is back in the wallet; `bill_id` is null where the account is bound no longer. The bill's
    number, which at some agencies begins with the account's, is told with one payment alone.
    """

    id = Id("bill_payment", required=True)
    binding_id = Id("binding", required=True)
    bill_id = Id("bill", required=True, allow_none=True)
    item = ma.fields.String(required=True)
    item_name = ma.fields.Nested(BothOut, required=True)
    biller = ma.fields.Nested(BothOut, required=True)
    masked_account = ma.fields.String(required=True)
    alias = ma.fields.String(required=True)
    period = ma.fields.String(required=True)
    amount_fen = Fen(required=True)
    state = OneOf("processing", "paid", "failed", "refunded", required=True)
    reason = ma.fields.String(required=True)
    receipt_number = ma.fields.String(required=True, allow_none=True)
    company_number = ma.fields.String(required=True, allow_none=True)
    created_at = Moment(required=True)
    decided_at = Moment(required=True, allow_none=True)


class BillPaymentOut(ListedBillPaymentOut):
    """The payment of a bill, with the bill's number in the agency's words."""

    bill_number = ma.fields.String(required=True)


class ReconcileIn(Schema):
    """Which agency's day."""

    item = Text(most=32, pattern=r"^[a-z][a-z_]{1,30}$", required=True)
    day = Day(required=True)


class ReconciliationOut(Schema):
    """One reading of an agency's day against ours, amounts in fen."""

    id = Id("reconciliation", required=True)
    item = ma.fields.String(required=True)
    day = Day(required=True)
    state = OneOf("equal", "different", "damaged", required=True)
    equal = ma.fields.Integer(required=True)
    ours_fen = Fen(least=0, required=True)
    theirs_fen = Fen(least=0, required=True)
    differences = ma.fields.Integer(required=True)
    at = Moment(required=True)


class DifferenceOut(Schema):
    """A difference and how far its repair has come; `gone` when the newest reading of its day shows it no more."""

    id = Id("difference", required=True)
    item = ma.fields.String(required=True)
    day = Day(required=True)
    kind = OneOf("missing", "extra", "differ", "damaged", required=True)
    number = ma.fields.String(required=True)
    ours_fen = Fen(least=0, required=True, allow_none=True)
    theirs_fen = Fen(least=0, required=True, allow_none=True)
    company_number = ma.fields.String(required=True, allow_none=True)
    note = ma.fields.String(required=True)
    state = OneOf("open", "proposed", "repaired", "gone", required=True)
    remedy = OneOf(*REMEDIES, required=True, allow_none=True)
    reason = ma.fields.String(required=True)
    proposed_by = Id("staff", required=True, allow_none=True)
    approved_by = Id("staff", required=True, allow_none=True)


class RepairIn(Schema):
    """How a difference should be repaired, and why."""

    remedy = OneOf(*REMEDIES, required=True)
    reason = Text(most=200, required=True)


class RefusalIn(Schema):
    """Why a proposal is taken back or turned down."""

    reason = Text(most=200, required=True)
