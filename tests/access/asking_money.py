"""What is asked of the operations about codes, charges, receipts and top-ups."""

from __future__ import annotations

from uuid import UUID

from core import ids
from payments import top_up_refunds, topping_up
from tests.access.asking import Ask, Scene, asks


@asks("present")
def _present(scene: Scene) -> Ask:
    return Ask("/api/presentations", {"code": scene.owner.code()})


@asks("presentAtCounter")
def _present_at_counter(scene: Scene) -> Ask:
    return Ask("/api/counter/presentations", {"code": scene.owner.code()})


@asks("createCharge")
def _charge(scene: Scene) -> Ask:
    return Ask("/api/charges", {"amount_fen": 100, "code": scene.owner.code()})


@asks("getCharge")
def _get_charge(scene: Scene) -> Ask:
    shown = scene.charge()
    return Ask(f"/api/charges/{shown}", None, shown)


@asks("reverseCharge")
def _reverse(scene: Scene) -> Ask:
    shown = scene.charge()
    return Ask(f"/api/charges/{shown}/reversal", {"reason": "金额输错"}, shown)


@asks("refundCharge")
def _refund(scene: Scene) -> Ask:
    shown = scene.charge()
    return Ask(f"/api/charges/{shown}/refunds", {"amount_fen": 100, "reason": "退一份"}, shown)


@asks("getReceipt")
def _receipt(scene: Scene) -> Ask:
    shown = ids.show("receipt", ids.parse("charge", scene.charge()))
    return Ask(f"/api/receipts/{shown}", None, shown)


@asks("getTopUp")
def _top_up(scene: Scene) -> Ask:
    identity = ids.new_id()
    topping_up.top_up(scene.owner.actor, amount_fen=1_000, provider="yunpay", top_up_id=identity)
    shown = ids.show("top_up", identity)
    return Ask(f"/api/top-ups/{shown}", None, shown)


def _credited(scene: Scene) -> UUID:
    """A top-up of the owner's that the provider has been paid for."""
    identity = ids.new_id()
    topping_up.top_up(scene.owner.actor, amount_fen=1_000, provider="yunpay", top_up_id=identity)
    scene.whole.provider.paid(ids.show("top_up", identity))
    topping_up.find_out(identity)
    return identity


@asks("refundTopUp")
def _refund_top_up(scene: Scene) -> Ask:
    shown = ids.show("top_up", _credited(scene))
    return Ask(f"/api/top-ups/{shown}/refunds", {"amount_fen": 300}, shown)


@asks("getTopUpRefund")
def _top_up_refund(scene: Scene) -> Ask:
    refund_id = ids.new_id()
    top_up_refunds.refund_top_up(scene.owner.actor, _credited(scene), amount_fen=300, refund_id=refund_id)
    shown = ids.show("top_up_refund", refund_id)
    return Ask(f"/api/top-up-refunds/{shown}", None, shown)


@asks("takePaymentNotice")
def _notice_of_payment(scene: Scene) -> Ask:
    identity = ids.new_id()
    topping_up.top_up(scene.owner.actor, amount_fen=1_000, provider="yunpay", top_up_id=identity)
    number = ids.show("top_up", identity)
    scene.whole.provider.paid(number)
    headers, raw = scene.whole.provider.notice(number)
    return Ask("/api/callbacks/payments/yunpay", None, headers=headers, raw=raw)
