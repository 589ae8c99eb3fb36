"""Receipts: one for each movement of a resident's wallet, read from what charges, refunds, top-ups, bills and gates left (F34)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Select, Text, Uuid, case, cast, literal, null, select, text, union_all

from core import clock
from core.actors import Actor
from core.db import session
from core.errors import NotFound
from core.paging import Page, cut, decode
from payments import ledger, merchants, wallets
from payments.bill_models import BillPayment
from payments.models import Charge, Refund, TopUp
from payments.offline import repaying
from payments.offline.models import OfflineRepayment, OfflineTrade
from payments.rules import TopUpState
from payments.top_up_refund_models import TopUpRefund

# What a receipt adds to the wallet, by kind.
SIGN = {
    "charge": -1,
    "refund": 1,
    "reversal": 1,
    "top_up": 1,
    "top_up_refund": -1,
    "bill": -1,
    "offline": -1,
    "offline_repayment": -1,
}
Names = dict[str, str] | None


@dataclass(frozen=True, slots=True)
class MadeGood:
    """One trade at a gate without network that the city had paid and the resident has now."""

    merchant: Names
    amount_fen: int
    occurred_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Receipt:
    """One receipt; `change_fen` is what it did to the wallet, `refunded_fen` what of a charge came back since, `trades` what it repays."""

    id: UUID
    number: str
    kind: str
    amount_fen: int
    change_fen: int
    refunded_fen: int
    state: str
    charge_id: UUID | None
    top_up_id: UUID | None
    merchant: Names
    provider: str | None
    recorded_at: dt.datetime
    trades: list[MadeGood]


@dataclass(frozen=True, slots=True)
class Statement:
    """A month of a wallet: what it began and ended with, and what came and went by kind; amounts in fen."""

    month: str
    opening_fen: int
    closing_fen: int
    in_fen: int
    out_fen: int
    totals: list[dict[str, Any]]


def receipts_of(actor: Actor, *, cursor: str | None, limit: int) -> Page:
    """The resident's receipts, newest first."""
    before = decode(cursor) if cursor else None
    branches = [branch.where(key < before) if before else branch for branch, key in _branches(actor)]
    # Each branch is cut on its own index first; the union then has a few short lists to sort.
    cut_off = [select(b.order_by(b.selected_columns.id.desc()).limit(limit + 1).subquery()) for b in branches]
    union = union_all(*cut_off).subquery()
    rows = session().execute(select(union).order_by(union.c.id.desc()).limit(limit + 1)).all()
    return cut(_named(list(rows)), limit, lambda receipt: receipt.id)


def receipt_of(actor: Actor, receipt_id: UUID) -> Receipt:
    """One receipt of the resident who asks."""
    for branch, key in _branches(actor):
        row = session().execute(branch.where(key == receipt_id)).first()
        if row is not None:
            return _named([row])[0]
    raise NotFound()


def statement(actor: Actor, month: dt.date) -> Statement:
    """The statement of a calendar month in the city's time, from the books themselves; so far, for the current month."""
    first = dt.datetime.combine(month.replace(day=1), dt.time(), clock.CHINA)
    until = dt.datetime.combine((month.replace(day=1) + dt.timedelta(days=32)).replace(day=1), dt.time(), clock.CHINA)
    wallet = wallets.own_wallet(actor)
    assert wallet.account_id is not None
    moved = session().execute(text(_MOVED), {"account": wallet.account_id, "since": first, "until": until}).all()
    opening = ledger.balance_at(wallet.account_id, first - dt.timedelta(microseconds=1))
    came, went = sum(row.in_fen for row in moved), sum(row.out_fen for row in moved)
    totals = [dict(row._mapping) for row in moved]
    return Statement(f"{month:%Y-%m}", opening, opening + came - went, came, went, totals)


_MOVED = """
SELECT CASE WHEN r.id IS NULL THEN t.kind ELSE 'offline_repayment' END AS kind, count(*) AS count,
       coalesce(sum(t.amount_fen) FILTER (WHERE t.credit_account = :account), 0)::bigint AS in_fen,
       coalesce(sum(t.amount_fen) FILTER (WHERE t.debit_account = :account), 0)::bigint AS out_fen
  FROM transfer t LEFT JOIN offline_repayment r ON r.id = t.id
 WHERE (t.debit_account = :account OR t.credit_account = :account) AND t.recorded_at >= :since AND t.recorded_at < :until
 GROUP BY 1 ORDER BY 1
"""


def _branches(actor: Actor) -> list[tuple[Select[Any], Any]]:
    """The sources of receipts with one shape of columns, each with its key."""
    charges = select(
        Charge.id,
        Charge.receipt_number,
        literal("charge").label("kind"),
        Charge.amount_fen,
        Charge.refunded_fen,
        Charge.state,
        Charge.id.label("charge_id"),
        Charge.merchant_id,
        cast(null(), Text).label("provider"),
        Charge.recorded_at,
    ).where(Charge.resident_id == actor.id, Charge.city_id == actor.city_id)
    refunds = select(
        Refund.id,
        Refund.receipt_number,
        Refund.kind,
        Refund.amount_fen,
        literal(0).label("refunded_fen"),
        literal("posted").label("state"),
        Refund.charge_id,
        Refund.merchant_id,
        cast(null(), Text).label("provider"),
        Refund.recorded_at,
    ).where(Refund.resident_id == actor.id, Refund.city_id == actor.city_id)
    top_ups = select(
        TopUp.id,
        TopUp.receipt_number,
        literal("top_up").label("kind"),
        TopUp.amount_fen,
        literal(0).label("refunded_fen"),
        literal("posted").label("state"),
        cast(null(), Uuid).label("charge_id"),
        cast(null(), Uuid).label("merchant_id"),
        TopUp.provider,
        TopUp.decided_at.label("recorded_at"),
    ).where(TopUp.resident_id == actor.id, TopUp.city_id == actor.city_id, TopUp.state == TopUpState.CREDITED)
    more = [(_bills(actor), BillPayment.id), (_taken_back(actor), TopUpRefund.id)]
    offline = [(_offline(actor), OfflineTrade.id), (_made_good(actor), OfflineRepayment.id)]
    return [(charges, Charge.id), (refunds, Refund.id), (top_ups, TopUp.id), *more, *offline]


def _bills(actor: Actor) -> Select[Any]:
    """Bills that an agency has; one given back keeps its receipt, with the whole as refunded."""
    given_back = BillPayment.state == "given_back"
    return select(
        BillPayment.id,
        BillPayment.receipt_number,
        literal("bill").label("kind"),
        BillPayment.amount_fen,
        case((given_back, BillPayment.amount_fen), else_=0).label("refunded_fen"),
        case((given_back, "refunded"), else_="posted").label("state"),
        cast(null(), Uuid).label("charge_id"),
        BillPayment.merchant_id,
        cast(null(), Text).label("provider"),
        BillPayment.decided_at.label("recorded_at"),
    ).where(BillPayment.resident_id == actor.id, BillPayment.city_id == actor.city_id, BillPayment.receipt_number.is_not(None))


def _taken_back(actor: Actor) -> Select[Any]:
    """What went back to where a top-up was paid from."""
    return select(
        TopUpRefund.id,
        TopUpRefund.receipt_number,
        literal("top_up_refund").label("kind"),
        TopUpRefund.amount_fen,
        literal(0).label("refunded_fen"),
        literal("posted").label("state"),
        cast(null(), Uuid).label("charge_id"),
        cast(null(), Uuid).label("merchant_id"),
        TopUpRefund.provider,
        TopUpRefund.decided_at.label("recorded_at"),
    ).where(TopUpRefund.resident_id == actor.id, TopUpRefund.city_id == actor.city_id, TopUpRefund.state == "posted")


def _offline(actor: Actor) -> Select[Any]:
    """What gates without network took and the wallet has paid."""
    return select(
        OfflineTrade.id,
        OfflineTrade.receipt_number,
        literal("offline").label("kind"),
        OfflineTrade.amount_fen,
        literal(0).label("refunded_fen"),
        literal("posted").label("state"),
        cast(null(), Uuid).label("charge_id"),
        OfflineTrade.merchant_id,
        cast(null(), Text).label("provider"),
        OfflineTrade.recorded_at,
    ).where(OfflineTrade.resident_id == actor.id, OfflineTrade.city_id == actor.city_id, OfflineTrade.receipt_number.is_not(None))


def _made_good(actor: Actor) -> Select[Any]:
    """What the city had paid at gates without network and took from the wallet later; its books call it an adjustment."""
    return select(
        OfflineRepayment.id,
        OfflineRepayment.receipt_number,
        literal("offline_repayment").label("kind"),
        OfflineRepayment.amount_fen,
        literal(0).label("refunded_fen"),
        literal("posted").label("state"),
        cast(null(), Uuid).label("charge_id"),
        cast(null(), Uuid).label("merchant_id"),
        cast(null(), Text).label("provider"),
        OfflineRepayment.recorded_at,
    ).where(OfflineRepayment.resident_id == actor.id, OfflineRepayment.city_id == actor.city_id)


def _named(rows: list[Any]) -> list[Receipt]:
    repaid = repaying.trades_of(row.id for row in rows if row.kind == "offline_repayment")
    at = {row.merchant_id for row in rows} | {trade.merchant_id for trades in repaid.values() for trade in trades}
    names = {key: {"zh": zh, "en": en} for key, (zh, en) in merchants.names_of({key for key in at if key is not None}).items()}

    def named(trade: repaying.RepaidTrade) -> MadeGood:
        return MadeGood(names.get(trade.merchant_id) if trade.merchant_id else None, trade.amount_fen, trade.occurred_at)

    return [_receipt(row, names.get(row.merchant_id), [named(trade) for trade in repaid.get(row.id, ())]) for row in rows]


def _receipt(row: Any, merchant: Names, trades: list[MadeGood]) -> Receipt:
    return Receipt(
        id=row.id,
        number=row.receipt_number,
        kind=row.kind,
        amount_fen=row.amount_fen,
        change_fen=SIGN[row.kind] * row.amount_fen,
        refunded_fen=row.refunded_fen,
        state=row.state,
        charge_id=row.charge_id,
        top_up_id=row.id if row.kind == "top_up" else None,
        merchant=merchant,
        provider=row.provider,
        recorded_at=row.recorded_at,
        trades=trades,
    )
