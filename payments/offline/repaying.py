"""What a resident made good, written down and told: a receipt with its own number that names each trade, an audit line and a notice."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from cards import CardView
from core import audit, ids, outbox
from core.actors import Actor
from core.db import session
from core.vocabulary import AuditEvent, Event
from payments.ledger import Posted
from payments.offline.models import OfflineRepayment, OfflineTrade
from payments.receipt_numbers import next_number


@dataclass(frozen=True, slots=True)
class RepaidTrade:
    """One trade that a repayment made good, for its receipt."""

    merchant_id: UUID | None
    amount_fen: int
    occurred_at: dt.datetime


def write(actor: Actor, card: CardView, trades: Sequence[OfflineTrade], posted: Posted) -> OfflineRepayment:
    """Write the receipt of a posted repayment, tie its trades to it, and tell its resident; all in the posting's transaction."""
    made = OfflineRepayment(
        id=posted.id,
        city_id=card.city_id,
        resident_id=card.resident_id,
        amount_fen=sum(trade.amount_fen for trade in trades),
        receipt_number=next_number(card.city_id),
        recorded_at=posted.recorded_at,
    )
    session().add(made)
    session().flush()
    for trade in trades:
        trade.repaid_by = made.id
    session().flush()
    _tell(actor, card, made, len(trades))
    return made


def trades_of(repayments: Iterable[UUID]) -> dict[UUID, list[RepaidTrade]]:
    """The trades that each repayment made good, in the order in which they happened; a few dozen at most, as a day's limits bound them."""
    wanted = set(repayments)
    found: dict[UUID, list[RepaidTrade]] = defaultdict(list)
    if not wanted:
        return found
    repaid = select(OfflineTrade).where(OfflineTrade.repaid_by.in_(wanted)).order_by(OfflineTrade.occurred_at, OfflineTrade.id)
    for trade in session().scalars(repaid):
        assert trade.repaid_by is not None  # by the query
        found[trade.repaid_by].append(RepaidTrade(trade.merchant_id, trade.amount_fen, trade.occurred_at))
    return found


def _tell(actor: Actor, card: CardView, made: OfflineRepayment, trades: int) -> None:
    audit.record(
        actor,
        AuditEvent.OFFLINE_REPAID,
        city_id=made.city_id,
        subject=ids.show("card", card.id),
        resident_id=made.resident_id,
        detail={"amount_fen": made.amount_fen, "trades": trades, "receipt_number": made.receipt_number},
    )
    subject = ids.show("offline_repayment", made.id)
    payload = {
        "offline_repayment": subject,
        "resident": str(made.resident_id),
        "card": str(card.id),
        "amount_fen": made.amount_fen,
        "trades": trades,
        "receipt_number": made.receipt_number,
        "recorded_at": made.recorded_at.isoformat(),
    }
    outbox.emit(Event.OFFLINE_REPAID, city_id=made.city_id, subject=subject, payload=payload)
