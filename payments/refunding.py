"""Undoing a charge: a reversal by the till on the same day, or refunds later, never more than was paid (F29)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from core import audit, clock, ids, outbox
from core.actors import Actor, ActorKind
from core.db import session
from core.errors import NotFound
from core.vocabulary import AuditEvent, Event
from payments import ledger, rules, wallets
from payments.errors import ChargeUndone, MerchantShort, RefundTooMuch
from payments.ledger import Posted, Transfer
from payments.models import Charge, Merchant, Refund, Wallet
from payments.receipt_numbers import next_number

_EVENTS = {
    "reversal": (AuditEvent.CHARGE_REVERSED, Event.CHARGE_REVERSED),
    "refund": (AuditEvent.CHARGE_REFUNDED, Event.CHARGE_REFUNDED),
}


@dataclass(frozen=True, slots=True)
class Undone:
    """A reversal or a refund with its receipt, amounts in fen."""

    id: UUID
    charge_id: UUID
    kind: str
    amount_fen: int
    left_fen: int
    state: str
    receipt_number: str
    recorded_at: dt.datetime


def reverse(actor: Actor, charge_id: UUID, *, reason: str) -> Undone:
    """Undo a whole charge at the terminal that made it, on its own day, once."""
    charge = _locked(actor, charge_id)
    if actor.kind is ActorKind.TERMINAL and charge.terminal_id != actor.id:
        raise NotFound()
    if charge.state != "posted":
        raise ChargeUndone()
    rules.check_reversible(charge.recorded_at, clock.now(), clock.CHINA)
    wallet = _wallet_of(charge, lock=True)
    undone = _give_back(actor, charge, wallet, kind="reversal", amount_fen=charge.amount_fen, reason=reason)
    _restore_counters(wallet, charge)
    return undone


def refund(actor: Actor, charge_id: UUID, *, amount_fen: int, reason: str) -> Undone:
    """Give part of a charge back, or all of it; several times, until nothing is left."""
    charge = _locked(actor, charge_id)
    if charge.state == "reversed":
        raise ChargeUndone()
    left = charge.amount_fen - charge.refunded_fen
    if amount_fen > left:
        raise RefundTooMuch(left_fen=left)
    return _give_back(actor, charge, _wallet_of(charge), kind="refund", amount_fen=amount_fen, reason=reason)


def _locked(actor: Actor, charge_id: UUID) -> Charge:
    """The charge, locked: of the merchant whose terminal asks, or of the staff member's city."""
    charge = session().get(Charge, charge_id, with_for_update=True)
    if charge is None or charge.city_id != actor.city_id:
        raise NotFound()
    if actor.kind is ActorKind.TERMINAL and charge.merchant_id != actor.merchant_id:
        raise NotFound()
    return charge


def _wallet_of(charge: Charge, *, lock: bool = False) -> Wallet:
    """The wallet that was debited. Locked before any account, in the order in which charges lock."""
    paid_from = ledger.transfer(charge.transfer_id).debit
    wanted = select(Wallet).where(Wallet.account_id == paid_from)
    return session().scalars(wanted.with_for_update(key_share=True) if lock else wanted).one()


def _give_back(actor: Actor, charge: Charge, wallet: Wallet, *, kind: str, amount_fen: int, reason: str) -> Undone:
    assert wallet.account_id is not None
    row_id = ids.new_id()
    posted = ledger.post(
        [
            Transfer(
                id=ids.new_id(),
                city_id=charge.city_id,
                kind=kind,
                debit=session().get_one(Merchant, charge.merchant_id).account_id,
                credit=wallet.account_id,
                amount_fen=amount_fen,
                reference=row_id,
                reverses=charge.transfer_id if kind == "reversal" else None,
                occurred_at=clock.now(),
            )
        ]
    )[0]
    if not isinstance(posted, Posted):
        raise MerchantShort()
    charge.refunded_fen += amount_fen
    charge.state = _state_after(kind, charge)
    row = Refund(
        id=row_id,
        city_id=charge.city_id,
        charge_id=charge.id,
        resident_id=charge.resident_id,
        merchant_id=charge.merchant_id,
        terminal_id=charge.terminal_id if actor.kind is not ActorKind.TERMINAL else actor.id,
        kind=kind,
        amount_fen=amount_fen,
        reason=reason,
        transfer_id=posted.id,
        receipt_number=next_number(charge.city_id),
        balance_after_fen=posted.credit_balance,
        recorded_at=posted.recorded_at,
    )
    session().add(row)
    session().flush()
    _tell(actor, charge, row)
    left = charge.amount_fen - charge.refunded_fen
    return Undone(row.id, charge.id, kind, amount_fen, left, charge.state, row.receipt_number, row.recorded_at)


def _state_after(kind: str, charge: Charge) -> str:
    if kind == "reversal":
        return "reversed"
    return "refunded" if charge.refunded_fen == charge.amount_fen else "partly_refunded"


def _restore_counters(wallet: Wallet, charge: Charge) -> None:
    """A charge undone on its own day leaves its room in the limits of the day and the month."""
    wallets.restore_room(wallet, charge.amount_fen, day=rules.city_day(charge.recorded_at, clock.CHINA))
    session().flush()


def _tell(actor: Actor, charge: Charge, row: Refund) -> None:
    audited, told = _EVENTS[row.kind]
    subject = ids.show("charge", charge.id)
    detail = {
        "amount_fen": row.amount_fen,
        "refund": ids.show("refund", row.id),
        "receipt_number": row.receipt_number,
        "reason": row.reason,
    }
    audit.record(actor, audited, city_id=row.city_id, subject=subject, resident_id=row.resident_id, detail=detail)
    payload = {
        "charge": str(charge.id),
        "refund": str(row.id),
        "resident": str(row.resident_id),
        "card": str(charge.card_id),
        "merchant": str(row.merchant_id),
        "amount_fen": row.amount_fen,
        "balance_after_fen": row.balance_after_fen,
        "receipt_number": row.receipt_number,
        "recorded_at": row.recorded_at.isoformat(),
    }
    outbox.emit(told, city_id=row.city_id, subject=subject, payload=payload)
