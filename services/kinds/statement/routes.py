"""Accounts, bills and their payment over HTTP, for residents."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from core.actors import Actor
from core.gateway import GatewayAnsweredWrong, GatewayUnavailable
from core.paging import CursorUnknown, Page, page
from core.web import PageQuery, Routes, page_of, resident
from payments import charge_errors, ledger
from payments import errors as payment_errors
from services.catalogue import ItemOff, ItemUnknown
from services.kinds.statement import bills, errors, orders, paying
from services.kinds.statement import schemas as s
from services.kinds.statement.binding import accept, bind, bindings_of, share, unbind
from services.kinds.statement.models import Binding

routes = Routes("statement")


@routes.post(
    "/api/bindings",
    operation="bindAccount",
    access=resident(level=2),
    takes=s.BindIn,
    gives=s.BindingOut,
    mode="calls",
    status=201,
    per_minute=30,
    errors=(ItemUnknown, ItemOff, errors.AccountNotMatched, errors.TooManyBindings, GatewayUnavailable, GatewayAnsweredWrong),
)
def bind_account(actor: Actor, body: dict[str, Any]) -> Binding:
    """Bind an account at an agency by its number and its owner's name; bound already, it is the same binding."""
    return bind(actor, **body)


@routes.get(
    "/api/bindings",
    operation="listBindings",
    access=resident(strength=2),
    query=PageQuery,
    gives=page_of(s.BindingOut),
    errors=(CursorUnknown,),
)
def list_bindings(actor: Actor, query: dict[str, Any]) -> Page:
    """The accounts that the resident has bound, newest first."""
    return page(bindings_of(actor), Binding.id, **query)


@routes.delete("/api/bindings/<id:binding>", operation="unbindAccount", access=resident(strength=2))
def unbind_account(actor: Actor, binding: UUID) -> None:
    """End a binding and everything shared from it."""
    unbind(actor, binding)


@routes.post(
    "/api/bindings/<id:binding>/shares",
    operation="shareAccount",
    access=resident(level=2),
    gives=s.ShareOut,
    status=201,
    errors=(errors.NotYoursToShare,),
)
def share_account(actor: Actor, binding: UUID) -> dict[str, Any]:
    """A code by which one other resident can bind the same account within a day."""
    code, expires_at = share(actor, binding)
    return {"code": code, "expires_at": expires_at}


@routes.post(
    "/api/binding-shares",
    operation="acceptShare",
    access=resident(level=2),
    takes=s.AcceptIn,
    gives=s.BindingOut,
    status=201,
    errors=(errors.ShareUnknown, errors.TooManyBindings, ItemOff),
)
def accept_share(actor: Actor, body: dict[str, Any]) -> Binding:
    """Bind an account by a code that its resident gave."""
    return accept(actor, **body)


@routes.get(
    "/api/bindings/<id:binding>/bills",
    operation="listBills",
    access=resident(strength=2),
    gives=s.BillsOut,
    mode="calls",
    errors=(ItemOff,),
)
def list_bills(actor: Actor, binding: UUID) -> dict[str, Any]:
    """The bills of a bound account, asked of the agency now; while it is away, those it told last."""
    found, fresh = bills.bills_of(actor, binding)
    return {"bills": found, "fresh": fresh}


@routes.get("/api/bills/<id:bill>", operation="getBill", access=resident(strength=2), gives=s.BillOut, etag=True)
def get_bill(actor: Actor, bill: UUID) -> bills.Shown:
    """One bill, explained line by line."""
    return bills.bill_of(actor, bill)


@routes.post(
    "/api/bills/<id:bill>/payment",
    operation="payBill",
    access=resident(level=2),
    takes=s.PayIn,
    gives=s.BillPaymentOut,
    mode="calls",
    idempotent=True,
    status=201,
    errors=(
        ItemOff,
        errors.BillChanged,
        errors.BillSettled,
        payment_errors.WalletMissing,
        ledger.InsufficientFunds,
        charge_errors.WalletStopped,
        charge_errors.AboveYourLimits,
    ),
)
def pay_bill(actor: Actor, bill: UUID, body: dict[str, Any], work_id: UUID) -> orders.OrderView:
    """Pay a bill from the wallet; `processing` until the agency has answered for certain."""
    return paying.pay(actor, bill, amount_fen=body["amount_fen"], payment_id=work_id)


@routes.get(
    "/api/bill-payments",
    operation="listBillPayments",
    access=resident(strength=2),
    query=s.BillPaymentsQuery,
    gives=page_of(s.ListedBillPaymentOut),
    etag=True,
    errors=(CursorUnknown,),
)
def list_bill_payments(actor: Actor, query: dict[str, Any]) -> Page:
    """The bills that the resident has paid or tried to, newest first, each with how it ended."""
    return orders.orders_of(actor, **query)


@routes.get(
    "/api/bill-payments/<id:bill_payment>", operation="getBillPayment", access=resident(strength=2), gives=s.BillPaymentOut, etag=True
)
def get_bill_payment(actor: Actor, bill_payment: UUID) -> orders.OrderView:
    """Where the payment of a bill stands."""
    return orders.own(actor, bill_payment)
