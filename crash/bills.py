"""Residents who pay the bills of the water company and ask until they are told what became of it."""

import random
import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import config.cities.utilities as utilities
from bench.settings import CITY
from config import cities
from core import ids
from crash.record import BillRefused, BillSettled
from crash.residents import Asking, Crowd, Residents

ITEM = "water"
DECIDED = ("paid", "failed", "refunded")
AT_ONCE, LATER = 2.0, 0.5  # seconds of asking when a bill has just been paid, and each time when it is still under way


@dataclass(frozen=True, slots=True)
class UnderWay:
    """A payment that resident `nth` began and of which nobody told how it ended."""

    nth: int
    payment: str
    bill: str
    amount_fen: int


class BillPayers(Crowd):
    """A few residents who bind one account after the other and pay what is due there.

    They do not stop paying while a payment is under way: they ask about it again each time before they go on. What nobody told by the end
    is settled then, and looked at in the books.
    """

    name = "bill"

    def __init__(self, residents: Residents, mine: range, *, seed: int) -> None:
        super().__init__(residents, mine, seed=seed)
        self._accounts: Iterator[utilities.Account] = (a for a in utilities.accounts(cities.load(CITY)) if a.item == ITEM)
        self._under_way: deque[UnderWay] = deque()
        self._lock = threading.Lock()

    def act(self, nth: int, chance: random.Random) -> None:
        """Asks about a payment under way, binds the next account, pays its bills, and unbinds it."""
        with self._lock:
            account = next(self._accounts, None)
            open_one = self._under_way.popleft() if self._under_way else None
        if open_one is not None:
            self._ask(open_one, LATER)
        if account is None:
            return
        with Asking(self.residents, nth) as asking:
            body: dict[str, object] = {"item": ITEM, "account_number": account.number, "owner_name": account.owner}
            bound = asking.until("POST", "/api/bindings", body=body, good=lambda a: a.status == 201)
            if bound is None or bound.status >= 400:
                return
            listed = asking.until("GET", f"/api/bindings/{bound.body['id']}/bills", good=lambda a: bool(a.body.get("fresh")))
            for bill in listed.body.get("bills", []) if listed is not None else []:
                if bill["state"] == "due" and not self.stopped.is_set():
                    self._pay(asking, nth, bill)
            asking.until("DELETE", f"/api/bindings/{bound.body['id']}", good=lambda a: a.status in (200, 204))

    def _pay(self, asking: Asking, nth: int, bill: dict[str, Any]) -> None:
        """One bill under one key."""
        number, amount = bill["number"], int(bill["amount_fen"])
        path = f"/api/bills/{bill['id']}/payment"
        begun = asking.until("POST", path, body={"amount_fen": amount}, once=True, good=lambda a: a.status == 201)
        if begun is None:
            return
        if begun.status >= 400:
            self.residents.record.tell_bill_refused(BillRefused(number, begun.code))
            return
        self._ask(UnderWay(nth, str(begun.body["id"]), number, amount), AT_ONCE)

    def _ask(self, one: UnderWay, patience: float) -> None:
        """Asks what became of a payment; what is not decided is asked about another time."""
        with Asking(self.residents, one.nth) as asking:
            path = f"/api/bill-payments/{one.payment}"
            ended = asking.until("GET", path, good=lambda a: a.body.get("state") in DECIDED, patience=patience)
        if ended is None:
            with self._lock:
                self._under_way.append(one)
        elif ended.status == 200:
            payment = ids.parse("bill_payment", one.payment)
            self.residents.record.tell_bill(BillSettled(payment, one.bill, one.amount_fen, ended.body["state"]))
