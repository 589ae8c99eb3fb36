"""Top-ups: reserve and commit, call the provider, then credit what the provider itself confirms (F25, threat 20).

A notice or an answer never moves money by what it says. It makes us ask the provider, and only an order that the provider
shows as paid, with our number and our amount, is credited: once, in one transaction with the change of state.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final
from uuid import NAMESPACE_URL, UUID, uuid5

import structlog
from sqlalchemy import func, select

from core import audit, clock, ids, outbox
from core.actors import Actor, system
from core.db import session, transaction
from core.errors import NotFound, Unavailable
from core.vocabulary import Event
from payments import ledger, rules, wallets
from payments.errors import WalletClosed
from payments.ledger import Posted, Transfer
from payments.models import TopUp, Wallet
from payments.providers import Order, OrderState, OrderView, PaymentProvider, ProviderRefused
from payments.receipt_numbers import next_number
from payments.rules import TopUpState, TopUpStep
from payments.top_up_refund_models import TopUpRefund
from payments.wiring import provider_named

log = structlog.get_logger("top_up")
VALID_FOR: Final = dt.timedelta(minutes=15)
# A lost answer is asked for after this pause, and then less and less often.
_FIRST_PAUSE: Final = dt.timedelta(seconds=10)
_LONGEST_PAUSE: Final = dt.timedelta(minutes=10)
_STEP_OF: Final = {
    OrderState.PAID: TopUpStep.PAID,
    OrderState.REFUSED: TopUpStep.REFUSED,
    OrderState.CLOSED: TopUpStep.RAN_OUT,
    OrderState.EXPIRED: TopUpStep.RAN_OUT,
}
_OPEN: Final = (TopUpState.CREATED, TopUpState.PENDING)


@dataclass(frozen=True, slots=True)
class TopUpView:
    """A top-up as its resident sees it, amount in fen; `pay_url` is where to approve it while it is pending."""

    id: UUID
    amount_fen: int
    provider: str
    state: str
    reason: str
    pay_url: str | None
    receipt_number: str | None
    created_at: dt.datetime
    expires_at: dt.datetime
    decided_at: dt.datetime | None


def top_up(actor: Actor, *, amount_fen: int, provider: str, top_up_id: UUID) -> TopUpView:
    """Reserve a top-up under an id and place its order; the same id again goes on where the first left off.

    Calls outside, so no transaction may be open. An unknown outcome leaves it pending, and the polling job finds out.
    """
    chosen = provider_named(provider)
    with transaction():
        order = _reserve(actor, amount_fen, chosen.name, top_up_id)
    if order is not None:
        _place(chosen, top_up_id, order)
    with transaction():
        return own(actor, top_up_id)


def own(actor: Actor, top_up_id: UUID) -> TopUpView:
    """A top-up of the resident who asks."""
    # Read anew: in a caller's session an earlier look may still be remembered.
    row = session().get(TopUp, top_up_id, populate_existing=True)
    if row is None or row.resident_id != actor.id or row.city_id != actor.city_id:
        raise NotFound()
    return view(row)


def view(row: TopUp) -> TopUpView:
    """The row as its resident sees it."""
    state = TopUpState(row.state)
    return TopUpView(
        id=row.id,
        amount_fen=row.amount_fen,
        provider=row.provider,
        state=rules.PUBLIC_TOP_UP_STATE[state],
        reason=row.reason,
        pay_url=row.pay_url if state is TopUpState.PENDING else None,
        receipt_number=row.receipt_number,
        created_at=row.created_at,
        expires_at=row.expires_at,
        decided_at=row.decided_at,
    )


def find_out(top_up_id: UUID) -> None:
    """Ask the provider where a top-up stands and take the step that follows; calls outside."""
    with transaction():
        row = session().get(TopUp, top_up_id)
        if row is None:
            raise NotFound()
        provider, number, expired = row.provider, row.order_number, clock.now() >= row.expires_at
        placed, order = row.state != TopUpState.CREATED, _order(row)
    chosen = provider_named(provider)
    seen = chosen.query(number)
    if expired and (seen is None or seen.state is OrderState.WAITING):
        # Closing first: from here on nobody can pay it, so giving it up cannot lose anybody's money.
        seen = chosen.close(number)
        if seen is None:
            _run_out(top_up_id)
    elif seen is None and not placed:
        _place(chosen, top_up_id, order)
    if seen is not None:
        learn(top_up_id, seen)


def learn(top_up_id: UUID, seen: OrderView) -> TopUpState:
    """Take the step that the provider's own view of the order asks for, in one transaction; harmless when repeated."""
    with transaction():
        row = session().get_one(TopUp, top_up_id, with_for_update=True)
        if (seen.number, seen.amount_fen) != (row.order_number, row.amount_fen):
            return _mismatch(row, seen)
        if seen.state is OrderState.WAITING:
            return _ordered(row, seen)
        step, state = _STEP_OF[seen.state], TopUpState(row.state)
        if step is TopUpStep.PAID:
            return state if state is TopUpState.CREDITED else _credit(row, seen)
        if state in _OPEN:
            _take(row, step, reason=seen.state.value)
        return TopUpState(row.state)


def _reserve(actor: Actor, amount_fen: int, provider: str, top_up_id: UUID) -> Order | None:
    """Write the reservation, or find the one of an earlier try; the order to place, or None when it is placed already."""
    known = session().get(TopUp, top_up_id)
    if known is not None:
        return _order(known) if known.state == TopUpState.CREATED else None
    # The wallet's row is the lock: two orders at once must not both find the same room.
    wallet = wallets.own_wallet(actor, lock=True)
    if wallet.state != "open":
        raise WalletClosed()
    terms = wallets.terms_of(wallet.city_id)
    # What is awaited first, then the balance: a top-up credited between the two reads is counted twice, never not at all.
    awaited_fen = _awaited(wallet)
    rules.check_top_up(amount_fen, terms, balance_fen=wallets.balance_of(wallet), awaited_fen=awaited_fen)
    now = clock.now()
    row = TopUp(
        id=top_up_id,
        city_id=wallet.city_id,
        resident_id=wallet.resident_id,
        wallet_id=wallet.id,
        amount_fen=amount_fen,
        provider=provider,
        order_number=ids.show("top_up", top_up_id),
        state=TopUpState.CREATED,
        created_at=now,
        expires_at=now + VALID_FOR,
        ask_at=now + _FIRST_PAUSE,
    )
    session().add(row)
    session().flush()
    return _order(row)


def _awaited(wallet: Wallet) -> int:
    """What may still come: top-ups not decided yet, and refunds of them that the provider may refuse."""
    ordered = select(func.coalesce(func.sum(TopUp.amount_fen), 0)).where(TopUp.wallet_id == wallet.id, TopUp.decided_at.is_(None))
    of_wallet = select(func.coalesce(func.sum(TopUpRefund.amount_fen), 0)).join(TopUp, TopUp.id == TopUpRefund.top_up_id)
    going_back = of_wallet.where(TopUp.wallet_id == wallet.id, TopUpRefund.state == "reserved")
    return int(session().scalar(ordered) or 0) + int(session().scalar(going_back) or 0)


def _order(row: TopUp) -> Order:
    return Order(number=row.order_number, amount_fen=row.amount_fen, subject="市民卡充值", valid_for=VALID_FOR)


def _place(provider: PaymentProvider, top_up_id: UUID, order: Order) -> None:
    """Place the order; a lost answer is left to the polling job, a refusal ends the top-up."""
    try:
        seen = provider.create_order(order)
    except ProviderRefused as refusal:
        with transaction():
            row = session().get_one(TopUp, top_up_id, with_for_update=True)
            if row.state in _OPEN:
                _take(row, TopUpStep.REFUSED, reason=str(refusal.facts.get("reason", "refused"))[:80])
        raise
    except Unavailable as fault:
        log.warning("order_outcome_unknown", top_up=ids.show("top_up", top_up_id), code=fault.code)
        return
    learn(top_up_id, seen)


def _run_out(top_up_id: UUID) -> None:
    with transaction():
        row = session().get_one(TopUp, top_up_id, with_for_update=True)
        if row.state in _OPEN:
            _take(row, TopUpStep.RAN_OUT, reason=OrderState.EXPIRED.value)


def _ordered(row: TopUp, seen: OrderView) -> TopUpState:
    if row.state == TopUpState.CREATED:
        _take(row, TopUpStep.ORDERED)
        row.provider_number, row.pay_url = seen.provider_number, seen.pay_url
        session().flush()
    return TopUpState(row.state)


def _credit(row: TopUp, seen: OrderView) -> TopUpState:
    """Credit the wallet from the provider's clearing account, together with the change of state; the row is locked."""
    wallet = session().get_one(Wallet, row.wallet_id)
    assert wallet.account_id is not None
    clearing = clearing_account(row.city_id, row.provider)
    ledger.open_account(clearing, city_id=row.city_id, kind="clearing")
    posted = ledger.post(
        [
            Transfer(
                id=ids.new_id(),
                city_id=row.city_id,
                kind="top_up",
                debit=clearing,
                credit=wallet.account_id,
                amount_fen=row.amount_fen,
                reference=row.id,
                occurred_at=seen.paid_at or clock.now(),
            )
        ]
    )[0]
    if not isinstance(posted, Posted):
        raise RuntimeError(f"a top-up could not be posted: {posted}")
    row.transfer_id, row.receipt_number = posted.id, next_number(row.city_id)
    row.provider_number = seen.provider_number
    _take(row, TopUpStep.PAID)
    payload = {
        "top_up": ids.show("top_up", row.id),
        "resident": str(row.resident_id),
        "amount_fen": row.amount_fen,
        "balance_after_fen": posted.credit_balance,
        "receipt_number": row.receipt_number,
    }
    outbox.emit(Event.TOP_UP_CREDITED, city_id=row.city_id, subject=ids.show("wallet", row.wallet_id), payload=payload)
    return TopUpState.CREDITED


def clearing_account(city_id: int, provider: str) -> UUID:
    """The account in which a provider owes the city what it has taken; the same id on every machine."""
    return uuid5(NAMESPACE_URL, f"citycard:clearing:{city_id}:{provider}")


def _mismatch(row: TopUp, seen: OrderView) -> TopUpState:
    """An order that is not the one we placed: nothing is credited, and the settlement office reads why."""
    detail = {"ordered_fen": row.amount_fen, "seen_fen": seen.amount_fen, "seen_number": seen.number[:64], "seen_state": seen.state.value}
    if row.state in _OPEN:
        _take(row, TopUpStep.REFUSED, reason="mismatch", detail=detail)
    return TopUpState(row.state)


def _take(row: TopUp, step: TopUpStep, *, reason: str = "", detail: dict[str, object] | None = None) -> None:
    """Move to the state that the step leads to, with its audit line."""
    state, event = rules.next_state(TopUpState(row.state), step)
    row.state, row.reason = state, reason
    if state not in _OPEN:
        row.decided_at, row.ask_at = clock.now(), None
    session().flush()
    audit.record(
        system("top-ups", row.city_id),
        event,
        city_id=row.city_id,
        subject=ids.show("top_up", row.id),
        resident_id=row.resident_id,
        outcome=reason or "done",
        detail={"amount_fen": row.amount_fen, "provider": row.provider, **(detail or {})},
    )


def take_due(at_most: int) -> list[UUID]:
    """Top-ups that it is time to ask about, in the current transaction; each is put off, further each time."""
    due = (
        select(TopUp)
        .where(TopUp.ask_at <= clock.now())
        .order_by(TopUp.ask_at)
        .limit(at_most)
        # Another worker's rows are left to it.
        .with_for_update(skip_locked=True)
    )
    rows = list(session().scalars(due))
    for row in rows:
        row.asked += 1
        row.ask_at = clock.now() + min(_FIRST_PAUSE * 2 ** min(row.asked, 10), _LONGEST_PAUSE)
    session().flush()
    return [row.id for row in rows]
