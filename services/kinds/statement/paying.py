"""Paying a bill: reserve and commit, tell the agency, then post or void by what is certain (F107).

The agency is told under a number that is ours, as often as needed and with one effect. Until it has answered for certain the money is
reserved and the bill is shown as being paid. An outcome that nobody knows is found out by asking.
"""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import Update, select, update
from sqlalchemy.exc import IntegrityError

import payments
from core import clock, ids
from core.actors import Actor
from core.db import session, transaction
from core.errors import NotFound, Unavailable
from payments import bill_paying
from services import catalogue
from services.catalogue import Offer
from services.gateways.utilities import Accepted, OrderToPay, Paid, PaymentState, Refusal, Told
from services.kinds.statement import bills, rules
from services.kinds.statement.errors import BillChanged, BillSettled
from services.kinds.statement.models import Bill, BillOrder, Binding
from services.kinds.statement.orders import OrderView, own

log = structlog.get_logger("bills")


def pay(actor: Actor, bill_id: UUID, *, amount_fen: int, payment_id: UUID) -> OrderView:
    """Pay a bill out of the wallet under an id; the same id again goes on where the first left off. Calls outside.

    The price is the agency's, kept here with the bill; `amount_fen` is what the resident saw and must agree.
    """
    try:
        with transaction():
            _reserve(actor, bill_id, amount_fen, payment_id)
    except IntegrityError as fault:
        # Somebody else of the household pays the same bill at this very moment.
        raise BillSettled() from fault
    try:
        tell(payment_id)
    except Unavailable as fault:
        log.warning("agency_away", payment=ids.show("bill_payment", payment_id), code=fault.code)
    with transaction():
        return own(actor, payment_id)


def tell(order_id: UUID) -> None:
    """Tell the agency, and take the step that its answer allows; calls outside, and may be repeated as often as one likes."""
    with transaction():
        row = session().get_one(BillOrder, order_id, with_for_update=True)
        if row.state != "reserved":
            return
        row.told += 1
        session().flush()
        offer, order = catalogue.offer(row.city_id, row.item), _order(row)
    settle(order_id, offer.gateway.pay(order))


def find_out(order_id: UUID) -> None:
    """Ask the agency where a payment stands and take the step that follows; calls outside."""
    with transaction():
        row = session().get(BillOrder, order_id)
        if row is None:
            raise NotFound()
        if row.state != "reserved":
            return
        offer, number = catalogue.offer(row.city_id, row.item), ids.show("bill_payment", row.id)
        too_old = clock.now() - row.created_at > rules.PATIENCE
    seen = offer.gateway.payment(number)
    if seen is None and too_old:
        # Withdrawn first: from here on it is never accepted, so giving the money back cannot give it twice.
        seen = offer.gateway.withdraw(number)
    if seen is None:
        tell(order_id)
    else:
        settle(order_id, Accepted(seen) if seen.state is PaymentState.ACCEPTED else Refusal("withdrawn"))


def settle(order_id: UUID, told: Told) -> None:
    """Post or void by what is certain, in one transaction; harmless when repeated."""
    with transaction():
        row = session().get_one(BillOrder, order_id, with_for_update=True)
        if row.state != "reserved":
            return
        if isinstance(told, Accepted):
            if _fits(told.paid, row):
                _accepted(row, told.paid.company_number, told.paid.day)
            else:
                # Left as it is: the day's reconciliation shows it to people.
                row.reason = "mismatch"
        elif isinstance(told, Refusal):
            _refused(row, told.code)
        else:
            row.reason = told.reason
        session().flush()


def given_back(order_id: UUID) -> None:
    """A posted payment that the agency turned out not to have is given back, in the current transaction."""
    row = session().get_one(BillOrder, order_id, with_for_update=True)
    row.state = rules.ORDER_STEPS[row.state, "give_back"]
    bill_paying.give_back(order_id)
    session().flush()


def accepted_by_people(order_id: UUID, *, company_number: str, day: dt.date) -> None:
    """A payment that the agency has in its books in a way of its own is posted as it has it, in the current transaction."""
    _accepted(session().get_one(BillOrder, order_id, with_for_update=True), company_number, day)


def refused_by_people(order_id: UUID) -> None:
    """A payment that the agency has withdrawn is voided, in the current transaction."""
    _refused(session().get_one(BillOrder, order_id, with_for_update=True), "withdrawn")


def withdrawn(offer: Offer, number: str) -> bool:
    """Whether the agency surely does not have our number and never will; calls outside."""
    seen = offer.gateway.payment(number) or offer.gateway.withdraw(number)
    return seen.state is PaymentState.WITHDRAWN


def take_due(at_most: int) -> list[UUID]:
    """Payments that it is time to ask about, in the current transaction; each is put off, further each time."""
    due = select(BillOrder).where(BillOrder.ask_at <= clock.now()).order_by(BillOrder.ask_at).limit(at_most)
    # Another worker's rows are left to it.
    rows = list(session().scalars(due.with_for_update(skip_locked=True)))
    for row in rows:
        row.asked += 1
        row.ask_at = clock.now() + rules.pause(row.asked)
    session().flush()
    return [row.id for row in rows]


def _reserve(actor: Actor, bill_id: UUID, amount_fen: int, payment_id: UUID) -> None:
    """Write reservation and order in one transaction, unless an earlier try did."""
    if session().get(BillOrder, payment_id) is not None:
        return
    bill, bound = bills.own(actor, bill_id)
    offer = catalogue.open_offer(actor.city_id, bound.item)
    if bill.amount_fen != amount_fen:
        raise BillChanged(amount_fen=bill.amount_fen)
    if bill.state == "paid" or bills.order_of(actor.city_id, bound.item, bill.number) is not None:
        raise BillSettled()
    purpose = f"{bound.item} {bill.number}"
    bill_paying.reserve(actor, payment_id, payee=payee_of(offer), amount_fen=amount_fen, purpose=purpose)
    now = clock.now()
    session().add(
        BillOrder(
            id=payment_id,
            city_id=actor.city_id,
            resident_id=actor.id,
            binding_id=bound.id,
            item=bound.item,
            account_number=bound.account_number,
            bill_number=bill.number,
            period=bill.period,
            amount_fen=amount_fen,
            state="reserved",
            ask_at=now + rules.FIRST_PAUSE,
            created_at=now,
        )
    )
    session().flush()


def payee_of(offer: Offer) -> payments.bill_paying.Payee:
    """Who is paid."""
    return bill_paying.Payee(bill_paying.payee_id(offer.company), offer.zh, offer.en)


def settled_bills(row: BillOrder) -> Update:
    """Whoever of the city bound the account reads this bill as paid; numbers of bills are an item's own."""
    of_item = (Bill.city_id == row.city_id, Bill.number == row.bill_number, Bill.binding_id == Binding.id, Binding.item == row.item)
    return update(Bill).where(*of_item).values(state="paid")


def _order(row: BillOrder) -> OrderToPay:
    number = ids.show("bill_payment", row.id)
    return OrderToPay(number=number, account=row.account_number, bill=row.bill_number, amount_fen=row.amount_fen, day=clock.today())


def _fits(paid: Paid, row: BillOrder) -> bool:
    wanted = (ids.show("bill_payment", row.id), row.account_number, row.bill_number, row.amount_fen)
    return (paid.number, paid.account, paid.bill, paid.amount_fen) == wanted


def _accepted(row: BillOrder, company_number: str, day: dt.date) -> None:
    # First the bill: the posting locks two accounts that every payment of the city to this agency needs.
    session().execute(settled_bills(row))
    bill_paying.post(row.id)
    _decided(row, "accepted", company_number=company_number, day=day)


def _refused(row: BillOrder, code: str) -> None:
    bill_paying.void(row.id)
    _decided(row, "refused", reason=code[:80])


def _decided(row: BillOrder, step: str, *, reason: str = "", **learnt: Any) -> None:
    """Write the step down at once, as the database wants it."""
    state = rules.ORDER_STEPS[row.state, step]
    for name, value in {**learnt, "state": state, "reason": reason, "decided_at": clock.now(), "ask_at": None}.items():
        setattr(row, name, value)
    session().flush()
