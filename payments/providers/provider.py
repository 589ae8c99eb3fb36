"""What the program wants of any payment provider, in its own words."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from core.errors import Conflict, Denied


class ProviderRefused(Conflict):
    """The provider said no for good; nothing was done."""

    code = "payment_provider_refused"
    zh = "支付机构未受理（{reason}），没有扣款，请换一种方式或稍后再试"
    en = "The payment provider refused ({reason}); no money was taken, please use another way or try again later"


class CallbackRefused(Denied):
    """A notice that the provider did not send, or not like this."""

    code = "payment_notice_refused"
    zh, en = "支付通知未通过验证（{reason}）", "The payment notice could not be verified ({reason})"


class OrderState(StrEnum):
    """Where an order stands at the provider; only `paid` means money."""

    WAITING = "waiting"
    PAID = "paid"
    REFUSED = "refused"
    CLOSED = "closed"
    EXPIRED = "expired"


class RefundState(StrEnum):
    """Where a refund stands; `unknown` is ours: the answer was lost, so ask with the same number again."""

    DONE = "done"
    PENDING = "pending"
    REFUSED = "refused"
    UNKNOWN = "unknown"


class NoticeKind(StrEnum):
    """What a notice is about."""

    ORDER = "order"
    REFUND = "refund"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """An order to be paid; `number` is ours and makes a repetition the same order (A-Z a-z 0-9 _ -, at most 64)."""

    number: str
    amount_fen: int
    subject: str
    valid_for: dt.timedelta = dt.timedelta(minutes=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderView:
    """An order as the provider sees it; `pay_url` is where the resident approves."""

    number: str
    provider_number: str
    amount_fen: int
    state: OrderState
    refunded_fen: int = 0
    pay_url: str | None = None
    paid_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refund:
    """Money back to where an order was paid from; `number` is ours and makes a repetition the same refund."""

    number: str
    order_number: str
    amount_fen: int
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundView:
    """A refund as the provider sees it."""

    number: str
    state: RefundState
    amount_fen: int
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A verified hint to go and ask: it never credits anything by itself. `id` is the same on every repetition."""

    id: str
    kind: NoticeKind
    number: str
    provider_number: str
    amount_fen: int
    state: str


class PaymentProvider(Protocol):
    """A provider; every method but `verify_callback` calls out and must not run inside a transaction."""

    @property
    def name(self) -> str:
        """The word in `/api/callbacks/payments/{provider}`."""

    def create_order(self, order: Order) -> OrderView:
        """Place the order, again with the same number if the answer was lost; GatewayUnavailable, ProviderRefused."""

    def query(self, number: str) -> OrderView | None:
        """What the provider knows of our order; None when it never received it."""

    def close(self, number: str) -> OrderView | None:
        """Make sure that an unpaid order can never be paid; a paid one is answered as paid."""

    def refund(self, refund: Refund) -> RefundView:
        """Ask for money back; state `unknown` means ask again with the same number."""

    def query_refund(self, number: str) -> RefundView | None:
        """What the provider knows of our refund; None when it never received it."""

    def verify_callback(self, headers: Mapping[str, str], raw_body: bytes) -> Notice:
        """Check who sent the notice and what it says; headers by lower-case name; raises CallbackRefused."""

    def day_file(self, day: dt.date) -> str | None:
        """The provider's list of one day, in its own form; None while it is not ready."""
