"""What becomes of a trade that a terminal took without network: pure decisions, and who bears what."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence, Set
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol, TypeVar
from uuid import UUID

# Upload within ten natural days; after that the loss is the merchant's (electronic-cash rule, domain fact 1.6).
LATEST_UPLOAD: Final = dt.timedelta(days=10)
# How much a terminal's clock may be ahead.
AHEAD: Final = dt.timedelta(seconds=60)
# By then a terminal without network has the next snapshot of the hotlist (D28); what it still takes is its merchant's risk (F46).
SNAPSHOT_WITHIN: Final = dt.timedelta(minutes=15)
# In this time the city bears what was taken after the report of one card that did not come back: who reports, rides and has the card
# replaced can do it again tomorrow.
ONE_LOSS_WITHIN: Final = dt.timedelta(days=365)


class Result(StrEnum):
    """What became of a trade."""

    PAID = "paid"
    RISK = "risk"
    NOTED = "noted"
    REFUSED = "refused"


class Why(StrEnum):
    """Why a trade was refused, or why the city's risk account paid; besides the reasons of the verifier itself."""

    UNKNOWN_AUTHORISATION = "unknown_authorisation"
    OVER_LIMIT = "over_limit"
    NO_MERCHANT = "no_merchant"
    FROM_THE_FUTURE = "from_the_future"
    TOO_LATE = "too_late"
    LISTED = "listed"
    REPLAYED = "replayed"
    DOUBLE_SPENT = "double_spent"
    LOST = "lost"
    NO_WALLET = "no_wallet"
    INSUFFICIENT = "insufficient"


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What is known of a trade whose code was proved; ``before`` says at which kind of terminal its authorisation was seen already."""

    amount_fen: int
    limit_fen: int
    occurred_at: dt.datetime
    has_merchant: bool
    has_wallet: bool
    listed_at: dt.datetime | None
    lost_at: dt.datetime | None
    before: str | None


def in_time(occurred_at: dt.datetime, now: dt.datetime) -> Why | None:
    """Whether a trade of this time may still, or already, be uploaded."""
    if occurred_at > now + AHEAD:
        return Why.FROM_THE_FUTURE
    return Why.TOO_LATE if occurred_at < now - LATEST_UPLOAD else None


def verdict(taken: Taken) -> tuple[Result, Why | None]:
    """What becomes of it, before the wallet was asked: ``paid`` turns into a risk when it does not hold the amount."""
    if taken.amount_fen > taken.limit_fen:
        return Result.REFUSED, Why.OVER_LIMIT
    if taken.amount_fen and not taken.has_merchant:
        return Result.REFUSED, Why.NO_MERCHANT
    if taken.listed_at is not None and taken.occurred_at > taken.listed_at + SNAPSHOT_WITHIN:
        return Result.REFUSED, Why.LISTED
    if taken.before == "here":
        return Result.REFUSED, Why.REPLAYED
    if taken.before == "elsewhere":
        return (Result.RISK if taken.amount_fen else Result.REFUSED), Why.DOUBLE_SPENT
    if not taken.amount_fen:
        return Result.NOTED, None
    # From the report on the resident bears nothing (threat 6), unless the card comes back (`owed`).
    if taken.lost_at is not None and taken.occurred_at >= taken.lost_at:
        return Result.RISK, Why.LOST
    return (Result.PAID, None) if taken.has_wallet else (Result.RISK, Why.NO_WALLET)


class Uncovered(Protocol):
    """What a decision reads of a trade that the city paid and nobody has made good."""

    card_id: UUID | None
    reason: str | None
    occurred_at: dt.datetime


Trade = TypeVar("Trade", bound=Uncovered)


def owed(trades: Sequence[Trade], in_use: Set[UUID], now: dt.datetime) -> list[Trade]:
    """Those of a resident's uncovered trades that the resident owes.

    What a wallet did not hold, always. What was taken after a report of loss: of a card that is in use again, because the report
    says nothing any more, and of every card given up in ONE_LOSS_WITHIN but the first.
    """
    since = now - ONE_LOSS_WITHIN
    given_up = [t for t in trades if t.reason == Why.LOST and t.card_id not in in_use and t.occurred_at > since]
    borne = min(given_up, key=lambda trade: trade.occurred_at).card_id if given_up else None
    return [t for t in trades if t.reason == Why.INSUFFICIENT or t.card_id in in_use or (t.occurred_at > since and t.card_id != borne)]


def bound_fen(at_stake_fen: int, terminals: int) -> int:
    """The most that a card can cost the city: its authorisations at every terminal that it reaches before the lists do."""
    return at_stake_fen * terminals
