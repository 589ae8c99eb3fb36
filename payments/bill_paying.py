"""Paying a bill out of the wallet: reserve, then post to the agency or void; and give back what was posted in error (F52).

The money leaves the wallet with the reservation, into the city's account of money on its way. Whoever asked for it commits, tells the
agency, and comes back with what is certain. Each step is taken once: repeated, it changes nothing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final
from uuid import NAMESPACE_URL, UUID, uuid5

from sqlalchemy import select, text

from core import audit, clock, ids, outbox
from core.actors import Actor, system
from core.db import session
from core.vocabulary import AuditEvent, Event
from payments import ledger, rules, wallets
from payments.bill_models import BillPayment
from payments.charge_errors import AboveYourLimits, WalletStopped
from payments.errors import MerchantShort, StepForbidden
from payments.ledger import InsufficientFunds, Posted, Transfer
from payments.merchants import open_merchant
from payments.models import Merchant, Wallet
from payments.receipt_numbers import next_number

# state and step → next state, with what the audit log and the outbox say of it.
STEPS: Final[Mapping[tuple[str, str], tuple[str, AuditEvent, Event]]] = MappingProxyType(
    {
        ("reserved", "post"): ("posted", AuditEvent.BILL_PAID, Event.BILL_PAID),
        ("reserved", "void"): ("voided", AuditEvent.BILL_VOIDED, Event.BILL_VOIDED),
        ("posted", "give_back"): ("given_back", AuditEvent.BILL_GIVEN_BACK, Event.BILL_GIVEN_BACK),
    }
)


@dataclass(frozen=True, slots=True)
class Payee:
    """The agency that is paid: its merchant's id, and its name in both languages."""

    merchant_id: UUID
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class BillPaid:
    """Where the money for a bill is, amount in fen; a receipt exists once it has reached the agency."""

    id: UUID
    state: str
    amount_fen: int
    receipt_number: str | None


@dataclass(frozen=True, slots=True)
class PaidTo:
    """To whom the money for a bill goes, in both languages, and the receipt once it has reached them."""

    zh: str
    en: str
    receipt_number: str | None


def payee_id(company: str) -> UUID:
    """The merchant of an agency that is paid by bills; the same id on every machine."""
    return uuid5(NAMESPACE_URL, f"citycard:payee:{company}")


def reserve(actor: Actor, payment_id: UUID, *, payee: Payee, amount_fen: int, purpose: str) -> BillPaid:
    """Take the money out of the resident's wallet into the account of money on its way; the same id again is the same reservation."""
    known = session().get(BillPayment, payment_id)
    if known is not None:
        return _view(known)
    wallet = wallets.own_wallet(actor, lock=True)
    if wallet.state != "open" or wallet.account_id is None:
        raise WalletStopped()
    # One moment for both: what is counted on a day is given back on that day, also around midnight.
    now = clock.now()
    _spend(wallet, amount_fen, today=rules.city_day(now, clock.CHINA))
    merchant = _payee(wallet.city_id, payee)
    row = BillPayment(
        id=payment_id,
        city_id=wallet.city_id,
        resident_id=wallet.resident_id,
        wallet_id=wallet.id,
        merchant_id=merchant.id,
        amount_fen=amount_fen,
        purpose=purpose,
        state="reserved",
        reserve_id=ids.new_id(),
        reserved_at=now,
    )
    waiting = waiting_account(wallet.city_id)
    ledger.open_account(waiting, city_id=wallet.city_id, kind="suspense")
    _move(row, row.reserve_id, "reserve", debit=wallet.account_id, credit=waiting)
    session().add(row)
    session().flush()
    _note(actor, row, AuditEvent.BILL_RESERVED)
    return _view(row)


def post(payment_id: UUID) -> BillPaid:
    """The agency has it: the reserved money becomes the agency's, with a receipt."""
    row = _locked(payment_id)
    if row.state == "posted":
        return _view(row)
    merchant = session().get_one(Merchant, row.merchant_id)
    step, transfer_id = _step(row, "post"), ids.new_id()
    _move(row, transfer_id, "bill", debit=waiting_account(row.city_id), credit=merchant.account_id)
    return _taken(row, *step, transfer_id=transfer_id, receipt_number=next_number(row.city_id))


def void(payment_id: UUID) -> BillPaid:
    """The agency surely does not have it and never will: the reservation is reversed."""
    row = _locked(payment_id)
    if row.state == "voided":
        return _view(row)
    step, wallet = _step(row, "void"), session().get_one(Wallet, row.wallet_id, with_for_update={"key_share": True})
    assert wallet.account_id is not None
    transfer_id = ids.new_id()
    _move(row, transfer_id, "reversal", debit=waiting_account(row.city_id), credit=wallet.account_id, reverses=row.reserve_id)
    # A reservation that came to nothing leaves its room in the limits of its own day and month.
    wallets.restore_room(wallet, row.amount_fen, day=rules.city_day(row.reserved_at, clock.CHINA))
    return _taken(row, *step, transfer_id=transfer_id)


def give_back(payment_id: UUID) -> BillPaid:
    """Return a posted payment that the agency turns out not to have: a new entry; raises MerchantShort."""
    row = _locked(payment_id)
    if row.state == "given_back":
        return _view(row)
    step, wallet = _step(row, "give_back"), session().get_one(Wallet, row.wallet_id)
    assert wallet.account_id is not None
    refund_id, merchant = ids.new_id(), session().get_one(Merchant, row.merchant_id)
    _move(row, refund_id, "refund", debit=merchant.account_id, credit=wallet.account_id)
    return _taken(row, *step, refund_id=refund_id)


def adjust(city_id: int, *, payee: Payee, amount_fen: int, reference: UUID) -> UUID:
    """Bring the agency's account up (positive) or down by an amount, against the account of unexplained differences; a new entry."""
    merchant, other = _payee(city_id, payee), difference_account(city_id)
    ledger.open_account(other, city_id=city_id, kind="suspense")
    debit, credit = (other, merchant.account_id) if amount_fen > 0 else (merchant.account_id, other)
    return _posted(
        Transfer(
            id=ids.new_id(),
            city_id=city_id,
            kind="adjustment",
            debit=debit,
            credit=credit,
            amount_fen=abs(amount_fen),
            reference=reference,
            occurred_at=clock.now(),
        )
    )


def waiting_account(city_id: int) -> UUID:
    """The city's account of money that is on its way to an agency; zero when nothing is."""
    return uuid5(NAMESPACE_URL, f"citycard:bills_on_their_way:{city_id}")


def difference_account(city_id: int) -> UUID:
    """The city's account of differences with agencies that people have looked into."""
    return uuid5(NAMESPACE_URL, f"citycard:bill_differences:{city_id}")


def _payee(city_id: int, payee: Payee) -> Merchant:
    known = session().get(Merchant, payee.merchant_id)
    if known is None:
        # The first two payments of a new agency at once: the second waits here and finds the merchant.
        session().execute(text("SELECT pg_advisory_xact_lock(hashtextextended('payee|' || :p, 0))"), {"p": str(payee.merchant_id)})
        known = open_merchant(city_id=city_id, zh=payee.zh, en=payee.en, merchant_id=payee.merchant_id)
    return known


def _spend(wallet: Wallet, amount_fen: int, *, today: dt.date) -> None:
    """Count the payment against the wallet's limits, as a charge does; raises AboveYourLimits."""
    month = today.replace(day=1)
    day_fen, count = (wallet.spent_day_fen, wallet.spent_day_count) if wallet.spent_on == today else (0, 0)
    month_fen = wallet.spent_month_fen if wallet.spent_month == month else 0
    most = wallets.terms_of(wallet.city_id).daily_count if wallet.daily_count_limit is None else wallet.daily_count_limit
    left_day, left_month, left_count = wallet.daily_limit_fen - day_fen, wallet.monthly_limit_fen - month_fen, most - count
    if amount_fen > min(wallet.single_limit_fen, left_day, left_month) or left_count < 1:
        raise AboveYourLimits(
            single_fen=wallet.single_limit_fen,
            left_today_fen=max(0, left_day),
            left_month_fen=max(0, left_month),
            left_count=max(0, left_count),
        )
    wallet.spent_on, wallet.spent_day_fen, wallet.spent_day_count = today, day_fen + amount_fen, count + 1
    wallet.spent_month, wallet.spent_month_fen = month, month_fen + amount_fen


def _locked(payment_id: UUID) -> BillPayment:
    return session().get_one(BillPayment, payment_id, with_for_update=True, populate_existing=True)


def _step(row: BillPayment, step: str) -> tuple[str, AuditEvent, Event]:
    found = STEPS.get((row.state, step))
    if found is None:
        raise StepForbidden(state=row.state, step=step)
    return found


def _move(row: BillPayment, transfer_id: UUID, kind: str, *, debit: UUID, credit: UUID, reverses: UUID | None = None) -> None:
    _posted(
        Transfer(
            id=transfer_id,
            city_id=row.city_id,
            kind=kind,
            debit=debit,
            credit=credit,
            amount_fen=row.amount_fen,
            reference=row.id,
            reverses=reverses,
            occurred_at=clock.now(),
        )
    )


def _posted(transfer: Transfer) -> UUID:
    posted = ledger.post([transfer])[0]
    if isinstance(posted, Posted):
        return posted.id
    if posted.why is ledger.Why.INSUFFICIENT:
        raise InsufficientFunds() if transfer.kind == "reserve" else MerchantShort()
    raise RuntimeError(f"a bill payment could not be posted: {posted}")


def _taken(row: BillPayment, state: str, audited: AuditEvent, told: Event, **made: Any) -> BillPaid:
    """Write the step down at once: the database holds state, transfers and receipt together."""
    for name, value in {**made, "state": state, "decided_at": clock.now()}.items():
        setattr(row, name, value)
    session().flush()
    _note(system("bills", row.city_id), row, audited)
    payload = {
        "bill_payment": str(row.id),
        "resident": str(row.resident_id),
        "merchant": str(row.merchant_id),
        "amount_fen": row.amount_fen,
        "receipt_number": row.receipt_number,
    }
    outbox.emit(told, city_id=row.city_id, subject=ids.show("bill_payment", row.id), payload=payload)
    return _view(row)


def _note(actor: Actor, row: BillPayment, event: AuditEvent) -> None:
    audit.record(
        actor,
        event,
        city_id=row.city_id,
        subject=ids.show("bill_payment", row.id),
        resident_id=row.resident_id,
        detail={"amount_fen": row.amount_fen, "purpose": row.purpose},
    )


def _view(row: BillPayment) -> BillPaid:
    return BillPaid(row.id, row.state, row.amount_fen, row.receipt_number)


def paid_to(payment_ids: Collection[UUID]) -> dict[UUID, PaidTo]:
    """The agency and the receipt of each of these payments."""
    wanted = select(BillPayment.id, Merchant.zh, Merchant.en, BillPayment.receipt_number).join_from(BillPayment, Merchant)
    rows = session().execute(wanted.where(BillPayment.id.in_(payment_ids)))
    return {payment_id: PaidTo(zh, en, receipt) for payment_id, zh, en, receipt in rows}
