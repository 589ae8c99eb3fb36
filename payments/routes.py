"""The payments floor over HTTP: who may call what, and what goes in and out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from core.actors import Actor
from core.idempotency import Once
from core.paging import CursorUnknown, Page
from core.ports import Call
from core.web import Answer, PageQuery, Routes, anyone, either, page_of, resident, staff, terminal
from payments import (
    bookkeeping,
    charge_errors,
    charges,
    charging,
    errors,
    ledger,
    limits,
    notices,
    providers,
    receipts,
    refunding,
    top_up_refunds,
    topping_up,
    wallets,
)
from payments import schemas as s

routes = Routes("payments")


@routes.get("/api/wallet", operation="getWallet", access=resident(strength=2), gives=s.WalletOut, etag=True, errors=(errors.WalletMissing,))
def get_wallet(actor: Actor) -> wallets.WalletView:
    """The resident's wallet: balance, limits, mode, and who keeps the money."""
    return wallets.wallet_of(actor)


@routes.patch(
    "/api/wallet/limits",
    operation="changeLimits",
    access=resident(level=1, strength=2),
    takes=s.LimitsIn,
    gives=s.WalletOut,
    errors=(errors.WalletMissing, errors.LimitsOutOfOrder, errors.LimitTooHigh),
)
def change_limits(actor: Actor, body: dict[str, Any]) -> wallets.WalletView:
    """Lower spending limits at once, or raise them after a fresh and strong sign-in."""
    return limits.change_limits(actor, **body)


@routes.post(
    "/api/top-ups",
    operation="createTopUp",
    access=resident(level=2),
    takes=s.TopUpIn,
    gives=s.TopUpOut,
    mode="calls",
    idempotent=True,
    status=201,
    errors=(
        errors.WalletMissing,
        errors.WalletClosed,
        errors.WalletFull,
        errors.TopUpAmountRefused,
        errors.ProviderUnknown,
        providers.ProviderRefused,
    ),
)
def create_top_up(actor: Actor, body: dict[str, Any], work_id: UUID) -> topping_up.TopUpView:
    """Order a top-up from a payment provider; the resident then approves it at `pay_url`."""
    return topping_up.top_up(actor, **body, top_up_id=work_id)


@routes.get("/api/top-ups/<id:top_up>", operation="getTopUp", access=resident(strength=2), gives=s.TopUpSeenOut, etag=True)
def get_top_up(actor: Actor, top_up: UUID) -> top_up_refunds.TopUpSeen:
    """Where a top-up stands, what was taken back of it and what still can be."""
    return top_up_refunds.top_up_of(actor, top_up)


@routes.post(
    "/api/top-ups/<id:top_up>/refunds",
    operation="refundTopUp",
    access=resident(level=2, fresh=limits.RAISE_FRESH),
    takes=s.TopUpRefundIn,
    gives=s.TopUpRefundOut,
    mode="calls",
    idempotent=True,
    status=201,
    errors=(
        errors.WalletMissing,
        errors.TopUpNotRefundable,
        errors.TopUpRefundTooMuch,
        errors.ProviderUnknown,
        ledger.InsufficientFunds,
    ),
)
def refund_top_up(actor: Actor, top_up: UUID, body: dict[str, Any], work_id: UUID) -> top_up_refunds.TopUpRefundView:
    """Take back part of a top-up, or all of it, to where it was paid from; `pending` until the provider has answered for certain."""
    return top_up_refunds.refund_top_up(actor, top_up, **body, refund_id=work_id)


@routes.get(
    "/api/top-up-refunds/<id:top_up_refund>",
    operation="getTopUpRefund",
    access=resident(strength=2),
    gives=s.TopUpRefundOut,
    etag=True,
)
def get_top_up_refund(actor: Actor, top_up_refund: UUID) -> top_up_refunds.TopUpRefundView:
    """Where the refund of a top-up stands."""
    return top_up_refunds.own(actor, top_up_refund)


@routes.post(
    "/api/callbacks/payments/<provider>",
    operation="takePaymentNotice",
    access=anyone(reason="the provider signs the body, and is asked before anything is credited"),
    gives=s.NoticeOut,
    mode="calls",
    per_minute=6000,
    most_bytes=16 * 1024,
    errors=(errors.ProviderUnknown, errors.NoticeMismatch, providers.CallbackRefused),
)
def take_notice(actor: Actor, provider: str, call: Call) -> dict[str, bool]:
    """Take a payment provider's notice; answered only when what follows from it is committed."""
    notices.take_notice(provider, call.headers, call.body)
    return {"received": True}


@routes.post(
    "/api/charges",
    operation="createCharge",
    access=terminal("charge:create"),
    takes=s.ChargeIn,
    gives=s.ChargeOut,
    mode="posts",
    idempotent=True,
    status=201,
    errors=charge_errors.ALL,
)
def create_charge(actor: Actor, body: dict[str, Any], once: Once) -> Answer:
    """Charge the wallet behind a scanned code or a presentation of this terminal."""
    done = charging.charge(actor, once=once, **body)
    return Answer(done, replayed=done.replayed)


@routes.get(
    "/api/charges/<id:charge>",
    operation="getCharge",
    access=either(resident(strength=2), terminal("charge:create"), staff("payments:charge:read")),
    gives=s.ChargeViewOut,
    mode="transaction",
    etag=True,
)
def get_charge(actor: Actor, charge: UUID) -> charges.ChargeView:
    """One charge with its reversal or refunds."""
    return charges.charge_of(actor, charge)


@routes.post(
    "/api/charges/<id:charge>/reversal",
    operation="reverseCharge",
    access=terminal("charge:reverse"),
    takes=s.ReasonIn,
    gives=s.UndoneOut,
    idempotent=True,
    status=201,
    errors=(errors.ChargeUndone, errors.ReversalTooLate, errors.MerchantShort),
)
def reverse_charge(actor: Actor, charge: UUID, body: dict[str, Any]) -> refunding.Undone:
    """Undo a whole charge at the terminal that made it, on the same day."""
    return refunding.reverse(actor, charge, **body)


@routes.post(
    "/api/charges/<id:charge>/refunds",
    operation="refundCharge",
    access=either(terminal("charge:refund"), staff("payments:charge:refund")),
    takes=s.RefundIn,
    gives=s.UndoneOut,
    idempotent=True,
    status=201,
    errors=(errors.ChargeUndone, errors.RefundTooMuch, errors.MerchantShort),
)
def refund_charge(actor: Actor, charge: UUID, body: dict[str, Any]) -> refunding.Undone:
    """Give part of a charge back, or what is left of it."""
    return refunding.refund(actor, charge, **body)


@routes.get(
    "/api/receipts",
    operation="listReceipts",
    access=resident(strength=2),
    query=PageQuery,
    gives=page_of(s.ReceiptOut),
    etag=True,
    errors=(CursorUnknown,),
)
def list_receipts(actor: Actor, query: dict[str, Any]) -> Page:
    """The resident's receipts, newest first."""
    return receipts.receipts_of(actor, **query)


@routes.get("/api/receipts/<id:receipt>", operation="getReceipt", access=resident(strength=2), gives=s.ReceiptOut, etag=True)
def get_receipt(actor: Actor, receipt: UUID) -> receipts.Receipt:
    """One receipt."""
    return receipts.receipt_of(actor, receipt)


@routes.get(
    "/api/statement",
    operation="getStatement",
    access=resident(strength=2),
    query=s.MonthQuery,
    gives=s.StatementOut,
    errors=(errors.WalletMissing,),
)
def get_statement(actor: Actor, query: dict[str, Any]) -> receipts.Statement:
    """A calendar month of the wallet, from the books."""
    return receipts.statement(actor, dt.date.fromisoformat(query["month"] + "-01"))


@routes.get("/api/ledger/trial-balance", operation="getTrialBalance", access=staff("payments:ledger:read"), gives=s.TrialBalanceOut)
def get_trial_balance(actor: Actor) -> ledger.TrialBalance:
    """The trial balance of the staff member's city."""
    return bookkeeping.trial_balance(actor)


@routes.get(
    "/api/ledger/journal",
    operation="readJournal",
    access=staff("payments:journal:read"),
    query=s.DaysQuery,
    mode="transaction",
    status=200,
    media="text/plain",
    errors=(errors.TooManyDays,),
)
def read_journal(actor: Actor, query: dict[str, Any]) -> Iterator[str]:
    """The journal of at most a month as plain text, as hledger and beancount's readers know it.

    It is sent as it is read. The last line tells how many transfers there were; an answer without it was cut short.
    """
    return bookkeeping.journal(actor, **query)
