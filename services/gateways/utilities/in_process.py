"""A utility company whose books are kept by our own office, in this process."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from services.gateways.utilities.company import (
    Accepted,
    BillView,
    LineView,
    OrderToPay,
    OwnerView,
    Paid,
    PaymentState,
    Told,
    refusal,
)
from services.offices.utilities import Office, OfficeRefused

_DAYS = ("since", "until", "due_on")


@dataclass(frozen=True, slots=True)
class OfficeUtility:
    """One company at the office; the office answers at once, so no answer is ever lost."""

    office: Office
    company: str

    def check_owner(self, account: str, name: str) -> OwnerView | None:
        try:
            said = self.office.check_owner(self.company, account, name)
        except OfficeRefused:
            return None
        return OwnerView(said["masked_owner"], said["masked_address"], said["persons"])

    def bills(self, account: str) -> list[BillView]:
        try:
            return [_bill(each) for each in self.office.bills(self.company, account)["bills"]]
        except OfficeRefused:
            return []

    def pay(self, order: OrderToPay) -> Told:
        wanted = {name: getattr(order, name) for name in OrderToPay.__slots__}
        try:
            return Accepted(_paid(self.office.pay(self.company, wanted)))
        except OfficeRefused as refused:
            return refusal(refused.code)

    def payment(self, number: str) -> Paid | None:
        try:
            return _paid(self.office.payment(self.company, number))
        except OfficeRefused:
            return None

    def withdraw(self, number: str) -> Paid:
        return _paid(self.office.withdraw(self.company, number))

    def day_file(self, day: dt.date) -> str:
        return self.office.day_file(self.company, day)


def _bill(said: dict[str, Any]) -> BillView:
    dated = {name: dt.date.fromisoformat(said[name]) for name in _DAYS}
    return BillView(**{**said, **dated, "lines": tuple(_line(line) for line in said["lines"])})


def _line(said: dict[str, Any]) -> LineView:
    return LineView(**{**said, **{name: dt.date.fromisoformat(said[name]) for name in ("since", "until")}})


def _paid(said: dict[str, Any]) -> Paid:
    return Paid(**{**said, "state": PaymentState(said["state"]), "day": dt.date.fromisoformat(said["day"])})
