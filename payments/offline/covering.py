"""Before a phone gets authorisations that are worth something: old trades are made good, and the wallet covers what is at stake."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

from cards import CardView
from core import audit, clock, ids
from core.actors import Actor
from core.db import session
from core.vocabulary import AuditEvent
from payments import ledger
from payments.ledger import Posted, Transfer
from payments.offline.accounts import risk_account
from payments.offline.errors import OfflineNotCovered, OfflineOwed
from payments.offline.models import OfflineTrade
from payments.offline.rules import Result, Why


def cover(actor: Actor, card: CardView, at_stake_fen: int) -> None:
    """The hook that cards run before they give authorisations; raises OfflineOwed or OfflineNotCovered."""
    if card.wallet_account_id is None:
        raise OfflineNotCovered()
    _make_good(actor, card, card.wallet_account_id)
    if ledger.balance(card.wallet_account_id) < at_stake_fen:
        raise OfflineNotCovered()


def _make_good(actor: Actor, card: CardView, wallet: UUID) -> None:
    """Take what the wallet did not hold when its trades came in."""
    mine = OfflineTrade.resident_id == card.resident_id, OfflineTrade.city_id == card.city_id
    open_ = OfflineTrade.result == Result.RISK, OfflineTrade.reason == Why.INSUFFICIENT, OfflineTrade.repaid_by.is_(None)
    owed = session().scalars(select(OfflineTrade).where(*mine, *open_).order_by(OfflineTrade.id).with_for_update()).all()
    if not owed:
        return
    total, transfer_id = sum(trade.amount_fen for trade in owed), ids.new_id()
    for trade in owed:
        trade.repaid_by = transfer_id
    session().flush()
    subject = ids.show("card", card.id)
    audit.record(
        actor,
        AuditEvent.OFFLINE_REPAID,
        city_id=card.city_id,
        subject=subject,
        resident_id=card.resident_id,
        detail={"amount_fen": total, "trades": len(owed)},
    )
    back = Transfer(
        id=transfer_id,
        city_id=card.city_id,
        kind="adjustment",
        debit=wallet,
        credit=risk_account(card.city_id),
        amount_fen=total,
        occurred_at=clock.now(),
    )
    if not isinstance(ledger.post([back])[0], Posted):
        raise OfflineOwed(owed_fen=total)
