"""Residents who pay the bills of the water company and wait until they are told what became of it."""

import random
import threading
from collections.abc import Iterator
from typing import Any

import config.cities.utilities as utilities
from bench.settings import CITY
from config import cities
from core import ids
from crash.record import BillRefused, BillSettled
from crash.residents import Asking, Crowd, Residents

ITEM = "water"
DECIDED = ("paid", "failed", "refunded")
WAITS = 40.0  # seconds; what is still under way then is settled at the end, and looked at in the books


class BillPayers(Crowd):
    """A few residents who bind one account after the other and pay what is due there."""

    name = "bill"

    def __init__(self, residents: Residents, mine: range, *, seed: int) -> None:
        super().__init__(residents, mine, seed=seed)
        self._accounts: Iterator[utilities.Account] = (a for a in utilities.accounts(cities.load(CITY)) if a.item == ITEM)
        self._lock = threading.Lock()

    def act(self, nth: int, chance: random.Random) -> None:
        """Binds the next account, pays its bills, and unbinds it."""
        with self._lock:
            account = next(self._accounts, None)
        if account is None:
            return
        asking = Asking(self.residents, nth)
        body: dict[str, object] = {"item": ITEM, "account_number": account.number, "owner_name": account.owner}
        bound = asking.until("POST", "/api/bindings", body=body, good=lambda a: a.status == 201)
        if bound is None or bound.status >= 400:
            return
        listed = asking.until("GET", f"/api/bindings/{bound.body['id']}/bills", good=lambda a: bool(a.body.get("fresh")))
        for bill in listed.body.get("bills", []) if listed is not None else []:
            if bill["state"] == "due" and not self.stopped.is_set():
                self._pay(asking, bill)
        asking.until("DELETE", f"/api/bindings/{bound.body['id']}", good=lambda a: a.status in (200, 204))
        asking.close()

    def _pay(self, asking: Asking, bill: dict[str, Any]) -> None:
        """One bill under one key, asked about until it is decided."""
        number, amount = bill["number"], int(bill["amount_fen"])
        path = f"/api/bills/{bill['id']}/payment"
        begun = asking.until("POST", path, body={"amount_fen": amount}, once=True, good=lambda a: a.status == 201)
        if begun is None:
            return
        if begun.status >= 400:
            self.residents.record.tell_bill_refused(BillRefused(number, begun.code))
            return
        payment = str(begun.body["id"])
        ended = asking.until("GET", f"/api/bill-payments/{payment}", good=lambda a: a.body.get("state") in DECIDED, patience=WAITS)
        if ended is not None and ended.status == 200:
            self.residents.record.tell_bill(BillSettled(ids.parse("bill_payment", payment), number, amount, ended.body["state"]))
