"""A top-up taken back to where it was paid from: reserve and commit, call the provider, then post or void by what it says (F29).

The money leaves the wallet with the reservation. A notice only makes us ask; what counts is the provider's own view of the refund, and
each step is taken once, whoever brings the news: the answer, a notice, or the job that asks.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Final
from uuid import NAMESPACE_URL, UUID, uuid5

import structlog
from sqlalchemy import func, select

from core import audit, clock, ids, outbox
from core.actors import Actor, system
from core.db import session, transaction
from core.errors import NotFound, Unavailable
from core.vocabulary import AuditEvent, Event
from payments import ledger, wallets
from payments.errors import ProviderUnknown, TopUpNotRefundable, TopUpRefundTooMuch
from payments.ledger import InsufficientFunds, Posted, Transfer
from payments.models import TopUp, Wallet
from payments.providers import Refund, RefundState, RefundView
from payments.receipt_numbers import next_number
from payments.rules import TopUpState
from payments.seeding import OPENING
from payments.top_up_refund_models import TopUpRefund
from payments.topping_up import TopUpView, clearing_account
from payments.topping_up import own as own_top_up
from payments.wiring import provider_named

log = structlog.get_logger("top_up")
_FIRST_PAUSE: Final = dt.timedelta(seconds=10)
_LONGEST_PAUSE: Final = dt.timedelta(hours=1)
SHOWN: Final = 20
# The step that a decided refund takes, with what the audit log and the outbox say of it.
STEPS: Final[Mapping[RefundState, tuple[str, AuditEvent, Event]]] = MappingProxyType(
    {
        RefundState.DONE: ("posted", AuditEvent.TOP_UP_REFUNDED, Event.TOP_UP_REFUNDED),
        RefundState.REFUSED: ("voided", AuditEvent.TOP_UP_REFUND_VOIDED, Event.TOP_UP_REFUND_VOIDED),
    }
)
PUBLIC_STATE: Final = MappingProxyType({"reserved": "pending", "posted": "refunded", "voided": "failed"})


@dataclass(frozen=True, slots=True)
class TopUpRefundView:
    """A refund of a top-up as its resident sees it, amount in fen."""

    id: UUID
    top_up_id: UUID
    amount_fen: int
    provider: str
    state: str
    reason: str
    receipt_number: str | None
    reserved_at: dt.datetime
    decided_at: dt.datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TopUpSeen(TopUpView):
    """A top-up with what was taken back of it, newest first, and what still can be (0 where nothing can), in fen."""

    refundable_fen: int
    refunds: list[TopUpRefundView]


def top_up_of(actor: Actor, top_up_id: UUID) -> TopUpSeen:
    """A top-up of the resident who asks, with its refunds."""
    view = own_top_up(actor, top_up_id)
    taken = select(TopUpRefund).where(TopUpRefund.top_up_id == top_up_id).order_by(TopUpRefund.id.desc()).limit(SHOWN)
    rows = session().scalars(taken.execution_options(populate_existing=True))
    possible = view.state == "credited" and view.provider != OPENING and wallets.own_wallet(actor).state == "open"
    left = view.amount_fen - _taken_back(top_up_id) if possible else 0
    told = {each.name: getattr(view, each.name) for each in fields(TopUpView)}
    return TopUpSeen(**told, refundable_fen=left, refunds=[_view(row) for row in rows])


def refund_top_up(actor: Actor, top_up_id: UUID, *, amount_fen: int, refund_id: UUID) -> TopUpRefundView:
    """Take back part of a top-up, or all of it, under an id; the same id again goes on where the first left off. Calls outside."""
    with transaction():
        provider, asked_for = _reserve(actor, top_up_id, amount_fen, refund_id)
    if asked_for is not None:
        _ask(provider, refund_id, asked_for)
    with transaction():
        return own(actor, refund_id)


def _ask(provider: str, refund_id: UUID, asked_for: Refund) -> None:
    """Ask for the refund; a provider that is away, or was switched off meanwhile, is left to the polling job.

    Its refusal of the attempt must not reach the caller: the money is reserved, and a try under a fresh id would reserve it again.
    """
    try:
        seen = provider_named(provider).refund(asked_for)
    except (Unavailable, ProviderUnknown) as fault:
        log.warning("refund_outcome_unknown", top_up_refund=ids.show("top_up_refund", refund_id), code=fault.code)
        return
    learn(refund_id, seen)


def own(actor: Actor, refund_id: UUID) -> TopUpRefundView:
    """A refund of the resident who asks."""
    row = session().get(TopUpRefund, refund_id, populate_existing=True)
    if row is None or row.resident_id != actor.id or row.city_id != actor.city_id:
        raise NotFound()
    return _view(row)


def _view(row: TopUpRefund) -> TopUpRefundView:
    state = PUBLIC_STATE[row.state]
    facts = (row.receipt_number, row.reserved_at, row.decided_at)
    return TopUpRefundView(row.id, row.top_up_id, row.amount_fen, row.provider, state, row.reason, *facts)


def of_number(provider: str, number: str) -> UUID:
    """Our refund behind a number that the provider names; NotFound."""
    found = session().scalar(select(TopUpRefund.id).where(TopUpRefund.provider == provider, TopUpRefund.refund_number == number))
    if found is None:
        raise NotFound()
    return found


def find_out(refund_id: UUID) -> None:
    """Ask the provider what became of a refund; one that it never received is asked for again under its number. Calls outside."""
    with transaction():
        row = session().get_one(TopUpRefund, refund_id)
        again, provider, state = _asked_for(row), row.provider, row.state
    if state != "reserved":
        return
    chosen = provider_named(provider)
    learn(refund_id, chosen.query_refund(again.number) or chosen.refund(again))


def learn(refund_id: UUID, seen: RefundView) -> str:
    """Take the step that the provider's own view asks for, in one transaction; harmless when repeated. Gives the state after it."""
    with transaction():
        row = session().get_one(TopUpRefund, refund_id, with_for_update=True, populate_existing=True)
        decided = STEPS[seen.state][0] if seen.state in STEPS else None
        other = (seen.number, seen.amount_fen) != (row.refund_number, row.amount_fen)
        if other or (decided is not None and row.state not in ("reserved", decided)):
            # Not the refund we asked for, or another outcome than was told: nothing is booked, and the settlement office reads why.
            _note(row, AuditEvent.TOP_UP_REFUND_MISMATCHED, outcome="mismatch", seen_fen=seen.amount_fen, seen_number=seen.number[:64])
            return "mismatch"
        if decided is not None and row.state == "reserved":
            _decide(row, seen)
        return row.state


def take_due(at_most: int) -> list[UUID]:
    """Refunds that it is time to ask about, in the current transaction; each is put off, further each time."""
    due = select(TopUpRefund).where(TopUpRefund.ask_at <= clock.now()).order_by(TopUpRefund.ask_at).limit(at_most)
    # Another worker's rows are left to it.
    rows = list(session().scalars(due.with_for_update(skip_locked=True)))
    for row in rows:
        row.asked += 1
        row.ask_at = clock.now() + min(_FIRST_PAUSE * 2 ** min(row.asked, 10), _LONGEST_PAUSE)
    session().flush()
    return [row.id for row in rows]


def waiting_account(city_id: int) -> UUID:
    """The city's account of money on its way back to where it was paid from; zero when nothing is."""
    return uuid5(NAMESPACE_URL, f"citycard:top_up_refunds_on_their_way:{city_id}")


def _reserve(actor: Actor, top_up_id: UUID, amount_fen: int, refund_id: UUID) -> tuple[str, Refund | None]:
    """Write the reservation, or find the one of an earlier try; nothing is left to ask for once it is decided."""
    known = session().get(TopUpRefund, refund_id)
    if known is not None:
        return known.provider, _asked_for(known) if known.state == "reserved" else None
    # Wallet before top-up, in everybody's order; two refunds at once must not both find the same rest.
    wallet = wallets.own_wallet(actor, lock=True)
    top_up = session().get(TopUp, top_up_id, with_for_update=True)
    if top_up is None or top_up.resident_id != actor.id or top_up.city_id != actor.city_id:
        raise NotFound()
    if top_up.state != TopUpState.CREDITED or top_up.provider == OPENING or wallet.state != "open":
        raise TopUpNotRefundable()
    provider_named(top_up.provider)  # switched off, nobody could be asked: refused before any money moves
    left = top_up.amount_fen - _taken_back(top_up_id)
    if amount_fen > left:
        raise TopUpRefundTooMuch(left_fen=left)
    row = TopUpRefund(
        id=refund_id,
        city_id=top_up.city_id,
        resident_id=top_up.resident_id,
        top_up_id=top_up_id,
        amount_fen=amount_fen,
        provider=top_up.provider,
        refund_number=ids.show("top_up_refund", refund_id),
        state="reserved",
        reserve_id=ids.new_id(),
        reserved_at=clock.now(),
        ask_at=clock.now() + _FIRST_PAUSE,
    )
    waiting = waiting_account(row.city_id)
    ledger.open_account(waiting, city_id=row.city_id, kind="suspense")
    assert wallet.account_id is not None
    _move(row, row.reserve_id, "reserve", debit=wallet.account_id, credit=waiting)
    session().add(row)
    session().flush()
    _note(row, AuditEvent.TOP_UP_REFUND_RESERVED, actor=actor)
    return row.provider, _asked_for(row)


def _taken_back(top_up_id: UUID) -> int:
    taken = select(func.coalesce(func.sum(TopUpRefund.amount_fen), 0))
    return int(session().execute(taken.where(TopUpRefund.top_up_id == top_up_id, TopUpRefund.state != "voided")).scalar_one())


def _asked_for(row: TopUpRefund) -> Refund:
    order = session().get_one(TopUp, row.top_up_id).order_number
    return Refund(number=row.refund_number, order_number=order, amount_fen=row.amount_fen, reason="充值退回")


def _decide(row: TopUpRefund, seen: RefundView) -> None:
    """Post the reservation to the provider's clearing account, or give it back to the wallet; the row is locked."""
    state, audited, told = STEPS[seen.state]
    transfer_id, waiting = ids.new_id(), waiting_account(row.city_id)
    if state == "posted":
        _move(row, transfer_id, "refund", debit=waiting, credit=clearing_account(row.city_id, row.provider))
        row.receipt_number = next_number(row.city_id)
    else:
        wallet = session().get_one(Wallet, session().get_one(TopUp, row.top_up_id).wallet_id)
        assert wallet.account_id is not None
        _move(row, transfer_id, "reversal", debit=waiting, credit=wallet.account_id, reverses=row.reserve_id)
    row.state, row.transfer_id, row.decided_at, row.ask_at, row.reason = state, transfer_id, clock.now(), None, seen.reason[:80]
    session().flush()
    _note(row, audited, outcome=row.reason or "done")
    payload = {
        "top_up_refund": ids.show("top_up_refund", row.id),
        "top_up": ids.show("top_up", row.top_up_id),
        "resident": str(row.resident_id),
        "amount_fen": row.amount_fen,
        "receipt_number": row.receipt_number,
    }
    outbox.emit(told, city_id=row.city_id, subject=ids.show("top_up_refund", row.id), payload=payload)


def _move(row: TopUpRefund, transfer_id: UUID, kind: str, *, debit: UUID, credit: UUID, reverses: UUID | None = None) -> None:
    posted = ledger.post(
        [
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
        ]
    )[0]
    if isinstance(posted, Posted):
        return
    if kind == "reserve" and posted.why is ledger.Why.INSUFFICIENT:
        raise InsufficientFunds()
    raise RuntimeError(f"a refund of a top-up could not be posted: {posted}")


def _note(row: TopUpRefund, event: AuditEvent, *, actor: Actor | None = None, outcome: str = "done", **detail: object) -> None:
    audit.record(
        actor or system("top-ups", row.city_id),
        event,
        city_id=row.city_id,
        subject=ids.show("top_up_refund", row.id),
        resident_id=row.resident_id,
        outcome=outcome,
        detail={"amount_fen": row.amount_fen, "provider": row.provider, **detail},
    )
