"""What is asked of the operations about services, bills and reconciliation; the water company is played in this process."""

from __future__ import annotations

import datetime as dt
import itertools
from uuid import UUID

from core import clock, db, ids
from services import catalogue
from services.gateways.utilities import Accepted, BillView, LineView, OrderToPay, OwnerView, Paid, PaymentState
from services.items import items
from services.kinds.statement import bills, binding, paying
from services.kinds.statement.models import Difference, Reconciliation
from services.offices.utilities.day_file import write
from tests.access.asking import Ask, Scene, asks, plain
from tests.access.whole import LINHU, YUNCHUAN

_accounts = itertools.count(1)
MONTH = dt.date(2026, 10, 1)


class Played:
    """A company that knows every account, always has one bill for it, and takes every payment."""

    def check_owner(self, account: str, name: str) -> OwnerView | None:
        return OwnerView("王*明", "云川市****", 3)

    def bills(self, account: str) -> list[BillView]:
        until = dt.date(2026, 11, 1)
        line = LineView(MONTH, until, 1, 10, 28_500, 2_850)
        return [BillView(f"{account}202610", "2026-10", MONTH, until, "m3", 0, 10, 10, 0, 3, 2_850, until, "due", (line,))]

    def pay(self, order: OrderToPay) -> Accepted:
        return Accepted(Paid(order.number, order.account, order.bill, order.amount_fen, PaymentState.ACCEPTED, "1", order.day))

    def payment(self, number: str) -> Paid | None:
        return None

    def withdraw(self, number: str) -> Paid:
        return Paid(number, "", "", 0, PaymentState.WITHDRAWN, "1", MONTH)

    def day_file(self, day: dt.date) -> str:
        return write("played-water", day, [])


def play() -> None:
    """Both cities offer water."""
    water = items()["water"]
    catalogue.configure(
        catalogue.Offer(
            city_id=city, item=water, company="played-water", zh="水务", en="Water", gateway=Played(), tariff=water.filled.tariff
        )
        for city in (YUNCHUAN, LINHU)
    )


def account() -> str:
    """Another account number each time."""
    return f"1{next(_accounts):09d}"


def bound(scene: Scene) -> UUID:
    """An account of the owner's."""
    play()
    return binding.bind(scene.owner.actor, item="water", account_number=account(), owner_name="王晓明", alias="", relation="owner").id


def bill(scene: Scene) -> bills.Shown:
    """A bill of the owner's."""
    return bills.bills_of(scene.owner.actor, bound(scene))[0][0]


def difference(scene: Scene, *, proposed: bool = False) -> str:
    """Something that staff of the owner's city must look into."""
    now = clock.now()
    with db.transaction() as session:
        read = Reconciliation(
            id=ids.new_id(), city_id=YUNCHUAN, item="water", day=MONTH, state="different", file_hash=b"x", equal=0, ours_fen=0,
            theirs_fen=5, differences=1, at=now,
        )  # fmt: skip
        session.add(read)
        session.flush()
        made = Difference(
            id=ids.new_id(), city_id=YUNCHUAN, reconciliation_id=read.id, item="water", day=MONTH, kind="extra", number=str(ids.new_id()),
            ours_fen=None, theirs_fen=5, note="", state="proposed" if proposed else "open", remedy="note" if proposed else None,
            proposed_by=ids.new_id() if proposed else None, proposed_at=now if proposed else None,
        )  # fmt: skip
        session.add(made)
        session.flush()
        return ids.show("difference", made.id)


plain("listItems", "/api/items?city=990100")
plain("listBindings", "/api/bindings")
plain("listBillPayments", "/api/bill-payments")
plain("listReconciliations", "/api/reconciliations")
plain("listDifferences", "/api/differences")


@asks("switchItem")
def _switch(scene: Scene) -> Ask:
    play()
    return Ask("/api/items/water/switch", {"on": True, "reason": "检查"})


@asks("bindAccount")
def _bind(scene: Scene) -> Ask:
    play()
    return Ask("/api/bindings", {"item": "water", "account_number": account(), "owner_name": "王晓明"})


@asks("unbindAccount")
def _unbind(scene: Scene) -> Ask:
    shown = ids.show("binding", bound(scene))
    return Ask(f"/api/bindings/{shown}", None, shown)


@asks("shareAccount")
def _share(scene: Scene) -> Ask:
    shown = ids.show("binding", bound(scene))
    return Ask(f"/api/bindings/{shown}/shares", None, shown)


@asks("acceptShare")
def _accept(scene: Scene) -> Ask:
    identity = bound(scene)
    with db.transaction():
        code, _ = binding.share(scene.owner.actor, identity)
    return Ask("/api/binding-shares", {"code": code})


@asks("listBills")
def _bills(scene: Scene) -> Ask:
    shown = ids.show("binding", bound(scene))
    return Ask(f"/api/bindings/{shown}/bills", None, shown)


@asks("getBill")
def _bill(scene: Scene) -> Ask:
    shown = ids.show("bill", bill(scene).id)
    return Ask(f"/api/bills/{shown}", None, shown)


@asks("payBill")
def _pay(scene: Scene) -> Ask:
    found = bill(scene)
    shown = ids.show("bill", found.id)
    return Ask(f"/api/bills/{shown}/payment", {"amount_fen": found.amount_fen}, shown)


@asks("getBillPayment")
def _payment(scene: Scene) -> Ask:
    found = bill(scene)
    paid = paying.pay(scene.owner.actor, found.id, amount_fen=found.amount_fen, payment_id=ids.new_id())
    shown = ids.show("bill_payment", paid.id)
    return Ask(f"/api/bill-payments/{shown}", None, shown)


@asks("reconcileDay")
def _reconcile(scene: Scene) -> Ask:
    play()
    return Ask("/api/reconciliations", {"item": "water", "day": MONTH.isoformat()})


@asks("proposeRepair")
def _propose(scene: Scene) -> Ask:
    shown = difference(scene)
    return Ask(f"/api/differences/{shown}/proposal", {"remedy": "note", "reason": "双方核定"}, shown)


@asks("refuseRepair")
def _refuse(scene: Scene) -> Ask:
    shown = difference(scene, proposed=True)
    return Ask(f"/api/differences/{shown}/refusal", {"reason": "选错方式"}, shown)


@asks("approveRepair")
def _approve(scene: Scene) -> Ask:
    shown = difference(scene, proposed=True)
    return Ask(f"/api/differences/{shown}/approval", None, shown)
