"""A card as other floors and callers see it: plain values, and why it is refused right now."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from cards.errors import REFUSALS
from cards.models import Card
from cards.numbers import tail
from cards.rules import why_refused
from core import clock


@dataclass(frozen=True, slots=True)
class CardView:
    """One card at one moment; ``refused`` is the code of the first reason against using it, or None."""

    id: UUID
    city_id: int
    resident_id: UUID
    product: str
    issuer: str
    number: str
    form: str
    state: str
    lost_at: dt.datetime | None
    loss_kind: str | None
    loss_lapses_at: dt.datetime | None
    loss_lapse: str | None
    frozen_at: dt.datetime | None
    locked_at: dt.datetime | None
    bad_at: dt.datetime | None
    expires_on: dt.date
    masked_name: str
    concession: str | None
    wallet_account_id: UUID | None
    bound_by: str | None
    mirrored_status: str | None
    replaced_by: UUID | None
    issued_at: dt.datetime
    version: int
    refused: str | None

    @property
    def number_tail(self) -> str:
        """The last four digits of the card number."""
        return tail(self.number)

    @property
    def flags(self) -> dict[str, bool]:
        """The five flags as they stand now, each by itself (F7)."""
        now = clock.now()
        since = {"lost": self.lost_at, "frozen": self.frozen_at, "locked": self.locked_at, "bad": self.bad_at}
        return {name: at is not None and at <= now for name, at in since.items()} | {"expired": self.expires_on < clock.today()}

    @property
    def refusal(self) -> dict[str, str] | None:
        """Why the card is refused, in both languages, or None."""
        if self.refused is None:
            return None
        kind = REFUSALS[self.refused]
        return {"code": kind.code, "zh": kind.zh, "en": kind.en}


def view(card: Card) -> CardView:
    """The card as it stands at this moment of the city's time."""
    values = {name: getattr(card, name) for name in CardView.__slots__ if name != "refused"}
    return CardView(**values, refused=why_refused(card, clock.now(), clock.today()))
