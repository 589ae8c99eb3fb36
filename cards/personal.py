"""What the card floor holds of a resident, for them to take along and to be forgotten (PIPL articles 45 and 47)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import select, text

from cards.authorisations.models import AuthorisationBatch
from cards.models import Card, CardEvent, PayHandle
from cards.numbers import tail
from core import clock, ids
from core.db import session
from core.fields import rfc3339


class CardData:
    """Cards, their history and the phones that made codes for them."""

    tables: Iterable[str] = ("card", "card_event", "pay_handle", "authorisation_batch")

    def export(self, resident_id: UUID) -> dict[str, Any]:
        """Every card with its history, since when a phone holds a pay key, and when it fetched authorisations."""
        cards = session().scalars(select(Card).where(Card.resident_id == resident_id).order_by(Card.id))
        handles = session().scalars(select(PayHandle).where(PayHandle.resident_id == resident_id).order_by(PayHandle.given_at))
        batches = session().scalars(
            select(AuthorisationBatch).where(AuthorisationBatch.resident_id == resident_id).order_by(AuthorisationBatch.number)
        )
        return {
            "authorisations": [{"card": ids.show("card", b.card_id), "given_at": rfc3339(b.given_at), "count": b.size} for b in batches],
            "cards": [self._card(card) for card in cards],
            "pay_keys": [{"card": ids.show("card", held.card_id), "given_at": rfc3339(held.given_at)} for held in handles],
        }

    def erase(self, resident_id: UUID) -> None:
        """Take the name off the cards and end the pay keys; numbers and history stay as the books they belong to are kept."""
        session().execute(text("UPDATE card SET masked_name = '***', concession = NULL WHERE resident_id = :id"), {"id": resident_id})
        ended = "UPDATE pay_handle SET revoked_at = :now WHERE resident_id = :id AND revoked_at IS NULL"
        session().execute(text(ended), {"now": clock.now(), "id": resident_id})

    def _card(self, card: Card) -> dict[str, Any]:
        events = session().scalars(select(CardEvent).where(CardEvent.card_id == card.id).order_by(CardEvent.ordinal))
        return {
            "id": ids.show("card", card.id),
            "product": card.product,
            "number_tail": tail(card.number),
            "state": card.state,
            "expires_on": card.expires_on.isoformat(),
            "history": [{"event": e.event, "at": rfc3339(e.occurred_at), "by": e.actor_kind} for e in events],
        }
