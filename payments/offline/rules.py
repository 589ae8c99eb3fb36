"""What becomes of a trade that a terminal took without network: pure decisions, and who bears what."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol, TypeVar
from uuid import UUID

from cards import Loss

# Upload within ten natural days; after that the loss is the merchant's (electronic-cash rule, domain fact 1.6).
LATEST_UPLOAD: Final = dt.timedelta(days=10)
# How much a terminal's clock may be ahead.
AHEAD: Final = dt.timedelta(seconds=60)
# By then a terminal without network has the next snapshot of the hotlist (D28); what it still takes is its merchant's risk (F46).
SNAPSHOT_WITHIN: Final = dt.timedelta(minutes=15)
# In this time the city bears what was taken after one report of loss that its holder did not take back: who reports, rides and has the
# card replaced, or lets the report lapse, can do it again.
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
    # From the report on the resident bears nothing (threat 6), unless its holder takes it back (`owed`).
    if taken.lost_at is not None and taken.occurred_at >= taken.lost_at:
        return Result.RISK, Why.LOST
    return (Result.PAID, None) if taken.has_wallet else (Result.RISK, Why.NO_WALLET)


class Uncovered(Protocol):
    """What a decision reads of a trade that the city paid and nobody has made good."""

    card_id: UUID | None
    reason: str | None
    occurred_at: dt.datetime
    recorded_at: dt.datetime


Trade = TypeVar("Trade", bound=Uncovered)
Report = tuple[UUID | None, Loss | None]


def owed(trades: Sequence[Trade], losses: Mapping[UUID, Sequence[Loss]], now: dt.datetime) -> list[Trade]:
    """Those of a resident's uncovered trades that the resident owes; ``losses`` are the reports of loss of their cards.

    What a wallet did not hold, always. What was taken after a report of loss: where its holder took the report back, because that says
    that the card was never away; and under every report in ONE_LOSS_WITHIN but the first.

    A report that lapses was not taken back. From the report on the city bears what is taken (threat 6; for banks article 31 of the
    Regulations on Savings, also for a report by word of mouth that must be confirmed in five days). Its end by time alone says nothing
    of the days before: nobody gave their word by face or passkey, as taking back needs, and where the product lets a report lapse into
    cancellation (domain fact 1.1) the same silence costs the resident nothing either.
    """
    since = now - ONE_LOSS_WITHIN
    under = [(trade, _report(trade, losses)) for trade in trades]
    borne = min(
        ((trade.occurred_at, report) for trade, report in under if _stands(trade, report) and trade.occurred_at > since),
        key=lambda each: each[0],
        default=(since, None),
    )[1]
    return [trade for trade, report in under if not _stands(trade, report) or (trade.occurred_at > since and report != borne)]


def _report(trade: Uncovered, losses: Mapping[UUID, Sequence[Loss]]) -> Report:
    """The report of loss under which a trade was taken; a terminal's clock that is ahead must not put it under a later one."""
    moment = min(trade.occurred_at, trade.recorded_at)
    mine = losses.get(trade.card_id, ()) if trade.card_id else ()
    return trade.card_id, next((loss for loss in mine if loss.until is None or moment < loss.until), None)


def _stands(trade: Uncovered, report: Report) -> bool:
    """Whether a trade was taken after a report of loss that its holder has not taken back."""
    return trade.reason == Why.LOST and not (report[1] is not None and report[1].taken_back)


def bound_fen(at_stake_fen: int, terminals: int) -> int:
    """The most that a card can cost the city: its authorisations at every terminal that it reaches before the lists do."""
    return at_stake_fen * terminals
