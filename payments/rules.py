"""Pure decisions about wallets, top-ups, receipts and undoing: no database, no clock."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final
from zoneinfo import ZoneInfo

from cards import WalletTerms
from core.vocabulary import AuditEvent
from payments.errors import (
    ReversalTooLate,
    StepForbidden,
    TopUpAmountRefused,
    WalletFull,
)


class TopUpState(StrEnum):
    """Where a top-up stands; `created` and `pending` are one to the resident: not paid yet."""

    CREATED = "created"
    PENDING = "pending"
    CREDITED = "credited"
    FAILED = "failed"
    EXPIRED = "expired"


class TopUpStep(StrEnum):
    """What can happen to a top-up."""

    ORDERED = "ordered"
    PAID = "paid"
    REFUSED = "refused"
    RAN_OUT = "ran_out"


# A payment that arrives after we gave up is still the resident's money, so an expired top-up can be credited.
TOP_UP_STEPS: Final[Mapping[tuple[TopUpState, TopUpStep], tuple[TopUpState, AuditEvent]]] = MappingProxyType(
    {
        (TopUpState.CREATED, TopUpStep.ORDERED): (TopUpState.PENDING, AuditEvent.TOP_UP_ORDERED),
        (TopUpState.CREATED, TopUpStep.PAID): (TopUpState.CREDITED, AuditEvent.TOP_UP_CREDITED),
        (TopUpState.CREATED, TopUpStep.REFUSED): (TopUpState.FAILED, AuditEvent.TOP_UP_FAILED),
        (TopUpState.CREATED, TopUpStep.RAN_OUT): (TopUpState.EXPIRED, AuditEvent.TOP_UP_FAILED),
        (TopUpState.PENDING, TopUpStep.PAID): (TopUpState.CREDITED, AuditEvent.TOP_UP_CREDITED),
        (TopUpState.PENDING, TopUpStep.REFUSED): (TopUpState.FAILED, AuditEvent.TOP_UP_FAILED),
        (TopUpState.PENDING, TopUpStep.RAN_OUT): (TopUpState.EXPIRED, AuditEvent.TOP_UP_FAILED),
        (TopUpState.EXPIRED, TopUpStep.PAID): (TopUpState.CREDITED, AuditEvent.TOP_UP_CREDITED),
        (TopUpState.FAILED, TopUpStep.PAID): (TopUpState.CREDITED, AuditEvent.TOP_UP_CREDITED),
    }
)
PUBLIC_TOP_UP_STATE: Final[Mapping[TopUpState, str]] = MappingProxyType(
    {
        TopUpState.CREATED: "pending",
        TopUpState.PENDING: "pending",
        TopUpState.CREDITED: "credited",
        TopUpState.FAILED: "failed",
        TopUpState.EXPIRED: "expired",
    }
)


def next_state(state: TopUpState, step: TopUpStep) -> tuple[TopUpState, AuditEvent]:
    """The state after a step and the event it is; raises StepForbidden."""
    found = TOP_UP_STEPS.get((state, step))
    if found is None:
        raise StepForbidden(state=state.value, step=step.value)
    return found


def check_top_up(amount_fen: int, terms: WalletTerms, *, balance_fen: int, awaited_fen: int) -> None:
    """Whether a top-up may be ordered: a whole multiple of the unit, within the bounds, and room with all that is on its way."""
    if not terms.top_up_minimum_fen <= amount_fen <= terms.top_up_maximum_fen or amount_fen % terms.top_up_unit_fen:
        raise TopUpAmountRefused(least_fen=terms.top_up_minimum_fen, most_fen=terms.top_up_maximum_fen, unit_fen=terms.top_up_unit_fen)
    room = terms.balance_cap_fen - balance_fen - awaited_fen
    if amount_fen > room:
        raise WalletFull(most_fen=terms.balance_cap_fen, room_fen=max(0, room))


@dataclass(frozen=True, slots=True)
class Limits:
    """What may leave a wallet at once, in a day and in a month, in fen."""

    single_fen: int
    daily_fen: int
    monthly_fen: int

    def raises(self, other: Limits) -> bool:
        """Whether these allow more than the others in any way."""
        return self.single_fen > other.single_fen or self.daily_fen > other.daily_fen or self.monthly_fen > other.monthly_fen


# A wallet whose money another keeps is limited there; here nothing can leave it.
KEPT_ELSEWHERE: Final = Limits(single_fen=0, daily_fen=0, monthly_fen=0)


def first_limits(terms: WalletTerms) -> Limits:
    """What a wallet opens with."""
    return Limits(terms.single_limit_fen, terms.daily_limit_fen, terms.monthly_limit_fen)


def highest_limits(terms: WalletTerms) -> Limits:
    """Up to where its holder may raise them."""
    return Limits(terms.highest_single_limit_fen, terms.highest_daily_limit_fen, terms.highest_monthly_limit_fen)


def city_day(moment: dt.datetime, zone: ZoneInfo) -> dt.date:
    """The day of a moment as people of the city live it."""
    return moment.astimezone(zone).date()


def check_reversible(occurred_at: dt.datetime, now: dt.datetime, zone: ZoneInfo) -> None:
    """A reversal undoes a mistake at the till on the day it was made; later there are refunds."""
    if city_day(occurred_at, zone) != city_day(now, zone):
        raise ReversalTooLate


def receipt_check(digits: str) -> str:
    """The two check digits of ISO 7064 MOD 97-10: any wrong digit and any swapped pair is noticed."""
    return f"{98 - int(digits) * 100 % 97:02d}"


def receipt_number_valid(number: str) -> bool:
    """Whether a receipt number (city 6, day 6, sequence 9, check 2) can be one of ours."""
    return len(number) == 23 and number.isascii() and number.isdigit() and int(number) % 97 == 1
