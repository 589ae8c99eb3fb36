"""What the city paid for a resident at gates without network is made good: before a phone gets authorisations that are worth
something, and at once when a report of loss is taken back."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select

import cards
from cards import CardView
from core import clock, ids
from core.actors import Actor
from core.db import session
from payments import ledger
from payments.ledger import Posted, Transfer
from payments.offline import repaying
from payments.offline.accounts import risk_account
from payments.offline.errors import OfflineNotCovered, OfflineOwed
from payments.offline.models import OfflineTrade
from payments.offline.rules import Result, Why, owed


def cover(actor: Actor, card: CardView, at_stake_fen: int) -> None:
    """The hook that cards run before they give authorisations; raises OfflineOwed or OfflineNotCovered."""
    if card.wallet_account_id is None:
        raise OfflineNotCovered()
    if still := _make_good(actor, card, card.wallet_account_id):
        raise OfflineOwed(owed_fen=still)
    if ledger.balance(card.wallet_account_id) < at_stake_fen:
        raise OfflineNotCovered()


def collect(actor: Actor, card: CardView) -> None:
    """The hook that cards run after a loss was taken back; what the wallet does not hold stays owed."""
    if card.wallet_account_id is not None:
        _make_good(actor, card, card.wallet_account_id)


def _make_good(actor: Actor, card: CardView, wallet: UUID) -> int:
    """Take from the wallet what its resident owes, all of it or nothing; returns how much is owed still, in fen."""
    open_ = _owed(card)
    if not open_:
        return 0
    total = sum(trade.amount_fen for trade in open_)
    back = Transfer(
        id=ids.new_id(),
        city_id=card.city_id,
        kind="adjustment",
        debit=wallet,
        credit=risk_account(card.city_id),
        amount_fen=total,
        occurred_at=clock.now(),
    )
    posted = ledger.post([back])[0]
    if not isinstance(posted, Posted):
        return total
    repaying.write(actor, card, open_, posted)
    return 0


def _owed(card: CardView) -> Sequence[OfflineTrade]:
    mine = OfflineTrade.resident_id == card.resident_id, OfflineTrade.city_id == card.city_id
    open_ = (
        OfflineTrade.result == Result.RISK,
        OfflineTrade.reason.in_((Why.INSUFFICIENT, Why.LOST)),
        OfflineTrade.repaid_by.is_(None),
    )
    found = session().scalars(select(OfflineTrade).where(*mine, *open_).order_by(OfflineTrade.id).with_for_update()).all()
    return owed(found, cards.losses_of(trade.card_id for trade in found if trade.card_id), clock.now())
