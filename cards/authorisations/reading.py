"""Whose an authorisation is, and how it stood at a moment: for the floor that settles what gates took."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from cards.authorisations.identities import origin
from cards.authorisations.models import AuthorisationBatch
from cards.history import Loss, losses_of
from cards.models import Card
from core.db import session


@dataclass(frozen=True, slots=True)
class Holder:
    """The card behind an authorisation; ``listed_at`` is since when gates can know that it is refused.

    ``lost_at`` is of the report of loss that stands, ``lapsed`` are those that ended by themselves: they decide who bears what.
    """

    city_id: int
    resident_id: UUID
    card_id: UUID
    wallet_account_id: UUID | None
    lost_at: dt.datetime | None
    listed_at: dt.datetime | None
    lapsed: tuple[Loss, ...] = ()

    def lost_since(self, moment: dt.datetime) -> dt.datetime | None:
        """Since when the card was reported lost at a moment; a report that was taken back counts as never made."""
        if self.lost_at is not None and moment >= self.lost_at:
            return self.lost_at
        return next((loss.since for loss in self.lapsed if loss.until is not None and loss.since <= moment < loss.until), None)


def holders(authorisation_ids: Iterable[bytes]) -> dict[bytes, Holder]:
    """The holder of each id that was made here; their cards stay locked, in order, until the transaction ends."""
    origins = {identity: place for identity in authorisation_ids if (place := origin(identity)) is not None}
    mine = AuthorisationBatch.number.in_({number for number, _ in origins.values()})
    # Cards before batches, as a report of loss does it: the other way round the two would lock each other out.
    named = select(AuthorisationBatch.card_id).where(mine)
    locked = select(Card).where(Card.id.in_(named)).order_by(Card.id).with_for_update()
    cards = {card.id: card for card in session().scalars(locked.execution_options(populate_existing=True))}
    wanted = select(AuthorisationBatch).where(mine).execution_options(populate_existing=True)
    batches = {batch.number: batch for batch in session().scalars(wanted)}
    losses = losses_of(cards)
    found: dict[bytes, Holder] = {}
    for identity, (number, nth) in origins.items():
        batch = batches.get(number)
        if batch is not None and nth < batch.size:
            found[identity] = _holder(batch, cards[batch.card_id], losses.get(batch.card_id, ()))
    return found


def _holder(batch: AuthorisationBatch, card: Card, losses: Iterable[Loss]) -> Holder:
    return Holder(
        city_id=batch.city_id,
        resident_id=batch.resident_id,
        card_id=batch.card_id,
        wallet_account_id=card.wallet_account_id,
        lost_at=card.lost_at,
        listed_at=batch.listed_at,
        # What was fetched after a report ended was not shown under it, whatever a terminal's clock says.
        lapsed=tuple(loss for loss in losses if loss.lapsed and loss.until is not None and loss.until > batch.given_at),
    )
