"""What the program wants of any utility company, in its own words."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol


@dataclass(frozen=True, slots=True)
class OwnerView:
    """Whose account it is, as far as anybody is told."""

    masked_owner: str
    masked_address: str
    persons: int


@dataclass(frozen=True, slots=True)
class LineView:
    """One line of a bill; the price is in ten-thousandths of a yuan for a unit."""

    since: dt.date
    until: dt.date
    tier: int
    quantity: int
    price_e4: int
    amount_fen: int


@dataclass(frozen=True, slots=True)
class BillView:
    """A bill as the company made it; `used_before` is what the year had used before this period."""

    number: str
    period: str
    since: dt.date
    until: dt.date
    unit: str
    opening: int
    closing: int
    quantity: int
    used_before: int
    persons: int
    amount_fen: int
    due_on: dt.date
    state: str
    lines: tuple[LineView, ...]


class PaymentState(StrEnum):
    """Where a payment stands at the company; a withdrawn number is never accepted."""

    ACCEPTED = "accepted"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderToPay:
    """A payment to tell; `number` is ours and makes a repetition the same payment, `day` the business day we tell it for."""

    number: str
    account: str
    bill: str
    amount_fen: int
    day: dt.date


@dataclass(frozen=True, slots=True)
class Paid:
    """A payment as the company has it, under its own number and on its own business day."""

    number: str
    account: str
    bill: str
    amount_fen: int
    state: PaymentState
    company_number: str
    day: dt.date


@dataclass(frozen=True, slots=True)
class Accepted:
    """The company has the payment."""

    paid: Paid


@dataclass(frozen=True, slots=True)
class Refusal:
    """The company surely does not have it, and says why."""

    code: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """Perhaps it has it: ask."""

    reason: str


Told = Accepted | Refusal | Unknown

# Decided by the company about the payment itself: under this number it has none. Any other refusal (a signature, too many calls, the same
# number still running or known with other content) is one of the attempt: the payment may be there, so the money stays reserved.
SURELY_REFUSED: Final = frozenset({"account_unknown", "amount_differs", "bill_paid", "bill_unknown", "payment_withdrawn"})


def refusal(code: str, *, in_doubt: bool = False) -> Refusal | Unknown:
    """What a refusal says of the payment; `in_doubt` when an earlier attempt under the number may have been taken."""
    return Refusal(code) if code in SURELY_REFUSED and not in_doubt else Unknown(code)


class UtilityCompany(Protocol):
    """A company; every method calls out and must not run inside a transaction.

    Raises GatewayUnavailable where nothing was done or only a question went unanswered.
    """

    def check_owner(self, account: str, name: str) -> OwnerView | None:
        """Whether this name owns this account; None for another name and for no such account alike."""

    def bills(self, account: str) -> list[BillView]:
        """The bills of about a year, newest first; none for an account that is not there (any more)."""

    def pay(self, order: OrderToPay) -> Told:
        """Tell a payment; again with the same number if the answer was lost."""

    def payment(self, number: str) -> Paid | None:
        """What the company knows of our number; None when it never received it."""

    def withdraw(self, number: str) -> Paid:
        """Make sure that our number is never accepted; one that was accepted is answered as accepted."""

    def day_file(self, day: dt.date) -> str:
        """The company's list of one business day, in its own form."""
