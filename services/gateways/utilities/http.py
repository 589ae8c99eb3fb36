"""A remote utility company over signed HTTP."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any, NoReturn, TypeGuard

from marshmallow import EXCLUDE, Schema, fields, post_load, validate

from core.fields import Fen
from core.gateway import Answered, Call, Gateway, GatewayAnsweredWrong, Refused
from core.gateway import Unknown as NobodyKnows
from services.gateways.utilities.company import (
    Accepted,
    BillView,
    LineView,
    OrderToPay,
    OwnerView,
    Paid,
    PaymentState,
    Told,
    Unknown,
    refusal,
)

_NUMBER = validate.Regexp(r"\A[A-Za-z0-9_-]{1,64}\Z")
_SHORT = validate.Length(1, 100)
_COUNT = validate.Range(0, 10**9)


class _Said(Schema):
    class Meta:
        unknown = EXCLUDE


class _OwnerAnswer(_Said):
    masked_owner = fields.String(required=True, validate=_SHORT)
    masked_address = fields.String(required=True, validate=_SHORT)
    persons = fields.Integer(strict=True, required=True, validate=validate.Range(1, 100))


class _LineAnswer(_Said):
    since = fields.Date(required=True)
    until = fields.Date(required=True)
    tier = fields.Integer(strict=True, required=True, validate=validate.Range(1, 20))
    quantity = fields.Integer(strict=True, required=True, validate=_COUNT)
    price_e4 = fields.Integer(strict=True, required=True, validate=_COUNT)
    amount_fen = Fen(least=0, required=True)

    @post_load
    def _made(self, data: dict[str, Any], **_: Any) -> LineView:
        return LineView(**data)


class _BillAnswer(_Said):
    number = fields.String(required=True, validate=_NUMBER)
    period = fields.String(required=True, validate=validate.Regexp(r"\A20\d\d-(0[1-9]|1[0-2])\Z"))
    since = fields.Date(required=True)
    until = fields.Date(required=True)
    unit = fields.String(required=True, validate=validate.Length(1, 10))
    opening = fields.Integer(strict=True, required=True, validate=_COUNT)
    closing = fields.Integer(strict=True, required=True, validate=_COUNT)
    quantity = fields.Integer(strict=True, required=True, validate=_COUNT)
    used_before = fields.Integer(strict=True, required=True, validate=_COUNT)
    persons = fields.Integer(strict=True, required=True, validate=validate.Range(1, 100))
    amount_fen = Fen(required=True)
    due_on = fields.Date(required=True)
    state = fields.String(required=True, validate=validate.OneOf(["due", "paid"]))
    lines = fields.List(fields.Nested(_LineAnswer), required=True, validate=validate.Length(1, 50))

    @post_load
    def _made(self, data: dict[str, Any], **_: Any) -> BillView:
        return BillView(**{**data, "lines": tuple(data["lines"])})


class _BillsAnswer(_Said):
    account = fields.String(required=True)
    bills = fields.List(fields.Nested(_BillAnswer), required=True, validate=validate.Length(0, 60))


class _PaymentAnswer(_Said):
    number = fields.String(required=True, validate=_NUMBER)
    account = fields.String(required=True)
    bill = fields.String(required=True)
    amount_fen = Fen(least=0, required=True)
    state = fields.Enum(PaymentState, by_value=True, required=True)
    company_number = fields.String(required=True, validate=_NUMBER)
    day = fields.Date(required=True)


@dataclass(frozen=True, slots=True)
class HttpUtility:
    """The client of one company; `prefix` is its door at the other side, as in `/water/990100-water`."""

    gateway: Gateway
    prefix: str

    def check_owner(self, account: str, name: str) -> OwnerView | None:
        body = {"account": account, "name": name}
        path = f"{self.prefix}/owner-checks"
        outcome = self.gateway.ask(Call(operation="check_owner", method="POST", path=path, gives=_OwnerAnswer, body=body, question=True))
        return OwnerView(**outcome.body) if self._told(outcome) else None

    def bills(self, account: str) -> list[BillView]:
        outcome = self.gateway.ask(
            Call(operation="bills", method="GET", path=f"{self.prefix}/accounts/{account}/bills", gives=_BillsAnswer)
        )
        if not self._told(outcome):
            return []
        if outcome.body["account"] != account:
            self._wrong()
        return list(outcome.body["bills"])

    def pay(self, order: OrderToPay) -> Told:
        body = {"number": order.number, "account": order.account, "bill": order.bill, "amount_fen": order.amount_fen}
        call = Call(
            operation="pay",
            method="POST",
            path=f"{self.prefix}/payments",
            gives=_PaymentAnswer,
            body={**body, "day": order.day.isoformat()},
            idempotency_key=f"pay-{order.number}",
        )
        outcome = self.gateway.send(call)
        if isinstance(outcome, Refused):
            return refusal(outcome.code, in_doubt=outcome.in_doubt)
        if isinstance(outcome, NobodyKnows):
            return Unknown(outcome.reason)
        paid = Paid(**outcome.body)
        fits = (paid.number, paid.account, paid.bill, paid.amount_fen) == (order.number, order.account, order.bill, order.amount_fen)
        return Accepted(paid) if fits and paid.state is PaymentState.ACCEPTED else Unknown("answer_about_something_else")

    def payment(self, number: str) -> Paid | None:
        path = f"{self.prefix}/payments/{number}"
        outcome = self.gateway.ask(Call(operation="payment", method="GET", path=path, gives=_PaymentAnswer))
        return self._about(number, outcome) if self._told(outcome) else None

    def withdraw(self, number: str) -> Paid:
        path = f"{self.prefix}/payments/{number}/withdrawal"
        call = Call(operation="withdraw", method="POST", path=path, gives=_PaymentAnswer, body={}, idempotency_key=f"withdraw-{number}")
        outcome = self.gateway.ask(call)
        if isinstance(outcome, Refused):
            self._wrong()
        return self._about(number, outcome)

    def day_file(self, day: dt.date) -> str:
        path = f"{self.prefix}/day-files/{day.isoformat()}"
        outcome = self.gateway.ask(Call(operation="day_file", method="GET", path=path, gives=None))
        if isinstance(outcome, Refused):
            self._wrong()
        return outcome.text

    def _told(self, outcome: Answered | Refused) -> TypeGuard[Answered]:
        """Whether there is something; not found is a plain no, and any other refusal an answer that the contract does not allow."""
        if isinstance(outcome, Refused) and outcome.status != 404:
            self._wrong()
        return isinstance(outcome, Answered)

    def _about(self, number: str, outcome: Answered) -> Paid:
        """A rightly signed answer may still be about something else."""
        paid = Paid(**outcome.body)
        if paid.number != number:
            self._wrong()
        return paid

    def _wrong(self) -> NoReturn:
        raise GatewayAnsweredWrong(gateway=self.gateway.name)
