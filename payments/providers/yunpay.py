"""云付 YunPay, the invented provider of the demo city: orders, refunds, notices and day files over signed HTTP."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import msgspec
from marshmallow import RAISE, Schema, ValidationError, fields, validate, validates_schema

from core.fields import Fen
from core.gateway import Answered, Call, Gateway, GatewayAnsweredWrong, Refused, Unknown
from core.http_signatures import KeyFinder, Request, SignatureRefused, verify
from payments.providers.provider import (
    CallbackRefused,
    Notice,
    NoticeKind,
    Order,
    OrderState,
    OrderView,
    ProviderRefused,
    Refund,
    RefundState,
    RefundView,
)

_NUMBER = validate.Regexp(r"^[A-Za-z0-9_-]{1,64}$")
_LARGEST_NOTICE = 16 * 1024
# Decided by YunPay about the refund itself. Any other refusal (a signature, too many calls, the same number still running) is one of
# the attempt: an earlier one under the number may yet give the money back, so the wallet must not have it meanwhile.
_REFUND_REFUSED = frozenset({"order_unknown", "order_not_paid", "refund_exceeds_payment"})


class _OrderAnswer(Schema):
    merchant = fields.String(required=True)
    number = fields.String(required=True, data_key="merchant_order", validate=_NUMBER)
    provider_number = fields.String(required=True, data_key="provider_order", validate=_NUMBER)
    amount_fen = Fen(required=True)
    refunded_fen = Fen(least=0, required=True)
    state = fields.Enum(OrderState, by_value=True, required=True)
    pay_url = fields.Url(required=True, schemes={"http", "https"}, require_tld=False, validate=validate.Length(max=500))
    paid_at = fields.AwareDateTime(required=True, allow_none=True, format="iso")

    @validates_schema
    def _paid_has_its_moment(self, data: dict[str, Any], **_: Any) -> None:
        if (data["state"] is OrderState.PAID) != (data["paid_at"] is not None) or data["refunded_fen"] > data["amount_fen"]:
            raise ValidationError("state, moment and amounts do not fit together")


class _RefundAnswer(Schema):
    merchant = fields.String(required=True)
    number = fields.String(required=True, data_key="merchant_refund", validate=_NUMBER)
    state = fields.Enum(RefundState, by_value=True, required=True, validate=validate.NoneOf([RefundState.UNKNOWN]))
    amount_fen = Fen(required=True)


class _NoticeIn(Schema):
    class Meta:
        unknown = RAISE

    id = fields.String(required=True, data_key="notice", validate=_NUMBER)
    kind = fields.Enum(NoticeKind, by_value=True, required=True)
    merchant = fields.String(required=True)
    number = fields.String(required=True, validate=_NUMBER)
    provider_number = fields.String(required=True, validate=_NUMBER)
    amount_fen = Fen(required=True)
    state = fields.String(required=True, validate=validate.OneOf([*OrderState, *RefundState]))
    sent_at = fields.AwareDateTime(required=True, format="iso")


@dataclass(frozen=True, slots=True, kw_only=True)
class YunPay:
    """The client and the reader of notices of one merchant at YunPay."""

    gateway: Gateway
    merchant: str
    notify_url: str
    peer_keys: KeyFinder
    wall_clock: Callable[[], float] = time.time
    name: str = "yunpay"

    def create_order(self, order: Order) -> OrderView:
        body = {
            "merchant": self.merchant,
            "merchant_order": order.number,
            "amount_fen": order.amount_fen,
            "subject": order.subject,
            "notify_url": self.notify_url,
            "valid_seconds": int(order.valid_for.total_seconds()),
        }
        call = Call(
            operation="create_order",
            method="POST",
            path="/yunpay/orders",
            gives=_OrderAnswer,
            body=body,
            idempotency_key=f"order-{order.number}",
        )
        view = self._order(call, order.number)
        if view is None:
            raise ProviderRefused(reason="not_found")
        if view.amount_fen != order.amount_fen:
            raise GatewayAnsweredWrong(gateway=self.gateway.name)
        return view

    def query(self, number: str) -> OrderView | None:
        path = f"/yunpay/orders/{self.merchant}/{number}"
        return self._order(Call(operation="query_order", method="GET", path=path, gives=_OrderAnswer), number)

    def close(self, number: str) -> OrderView | None:
        path = f"/yunpay/orders/{self.merchant}/{number}/close"
        call = Call(operation="close_order", method="POST", path=path, gives=_OrderAnswer, body={}, idempotency_key=f"close-{number}")
        return self._order(call, number)

    def refund(self, refund: Refund) -> RefundView:
        body = {
            "merchant": self.merchant,
            "merchant_refund": refund.number,
            "merchant_order": refund.order_number,
            "amount_fen": refund.amount_fen,
            "reason": refund.reason,
        }
        call = Call(
            operation="refund",
            method="POST",
            path="/yunpay/refunds",
            gives=_RefundAnswer,
            body=body,
            idempotency_key=f"refund-{refund.number}",
        )
        outcome = self.gateway.send(call)
        if isinstance(outcome, Refused) and outcome.code in _REFUND_REFUSED and not outcome.in_doubt:
            return RefundView(number=refund.number, state=RefundState.REFUSED, amount_fen=refund.amount_fen, reason=outcome.code)
        if isinstance(outcome, Refused | Unknown) or not self._fits(outcome.body, refund.number, refund.amount_fen):
            return RefundView(number=refund.number, state=RefundState.UNKNOWN, amount_fen=refund.amount_fen)
        return RefundView(number=refund.number, state=outcome.body["state"], amount_fen=refund.amount_fen)

    def query_refund(self, number: str) -> RefundView | None:
        path = f"/yunpay/refunds/{self.merchant}/{number}"
        answer = self._ask(Call(operation="query_refund", method="GET", path=path, gives=_RefundAnswer))
        if answer is None:
            return None
        if not self._fits(answer.body, number, answer.body["amount_fen"]):
            raise GatewayAnsweredWrong(gateway=self.gateway.name)
        return RefundView(number=number, state=answer.body["state"], amount_fen=answer.body["amount_fen"])

    def day_file(self, day: dt.date) -> str | None:
        path = f"/yunpay/day-files/{self.merchant}/{day:%Y-%m-%d}"
        answer = self._ask(Call(operation="day_file", method="GET", path=path, gives=None))
        return None if answer is None else answer.text

    def verify_callback(self, headers: Mapping[str, str], raw_body: bytes) -> Notice:
        """Signature over the raw body, fresh, by YunPay's own key, for our address and our merchant number."""
        if len(raw_body) > _LARGEST_NOTICE:
            raise CallbackRefused(reason="too_large")
        address = urlsplit(self.notify_url)
        request = Request("POST", address.path, address.query, headers, raw_body)
        try:
            verify(request, self.peer_keys, now=self.wall_clock(), need_nonce=True)
            said = _NoticeIn().load(msgspec.json.decode(raw_body))
        except SignatureRefused as refusal:
            raise CallbackRefused(reason=refusal.reason) from refusal
        except (msgspec.DecodeError, ValidationError, RecursionError, ValueError) as fault:
            raise CallbackRefused(reason="malformed") from fault
        if said.pop("merchant") != self.merchant:
            raise CallbackRefused(reason="another_merchant")
        del said["sent_at"]
        return Notice(**said)

    def _order(self, call: Call, number: str) -> OrderView | None:
        answer = self._ask(call)
        if answer is None:
            return None
        if not self._fits(answer.body, number, answer.body["amount_fen"]):
            raise GatewayAnsweredWrong(gateway=self.gateway.name)
        return OrderView(**{name: value for name, value in answer.body.items() if name != "merchant"})

    def _ask(self, call: Call) -> Answered | None:
        """Orders and queries may all be asked again with the same number, so an unknown outcome is raised, not kept."""
        outcome = self.gateway.ask(call)
        if isinstance(outcome, Answered):
            return outcome
        if outcome.status == 404:
            return None
        raise ProviderRefused(reason=outcome.code)

    def _fits(self, body: dict[str, Any], number: str, amount_fen: int) -> bool:
        """A rightly signed answer may still be about something else."""
        return (body["merchant"], body["number"], body["amount_fen"]) == (self.merchant, number, amount_fen)
