"""YunPay through the client that payments use: orders, the pay page, refunds, notices and the day file."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from dataclasses import replace
from typing import Any

import pytest

from core.gateway import GatewayAnsweredWrong, GatewayUnavailable, Limits
from payments.providers import (
    CallbackRefused,
    NoticeKind,
    Order,
    OrderState,
    OrderView,
    ProviderRefused,
    Refund,
    RefundState,
)
from tests.outside.conftest import Outside

TEN = Order(number="topup-1", amount_fen=10_000, subject="市民卡充值")


def pay(outside: Outside, order: OrderView, choice: str = "approve") -> int:
    assert order.pay_url is not None
    return outside.post(order.pay_url, {"choice": choice}).status


def paid(outside: Outside, order: Order = TEN) -> OrderView:
    placed = outside.yunpay().create_order(order)
    assert pay(outside, placed) == 200
    return placed


def test_an_order_waits_until_the_resident_approves_it(outside: Outside) -> None:
    yunpay = outside.yunpay()
    placed = yunpay.create_order(TEN)
    assert (placed.state, placed.amount_fen, placed.paid_at) == (OrderState.WAITING, 10_000, None)
    assert pay(outside, placed) == 200
    found = yunpay.query("topup-1")
    assert found is not None
    assert (found.state, found.provider_number) == (OrderState.PAID, placed.provider_number)
    assert found.paid_at is not None


def test_the_pay_page_shows_the_amount_and_then_that_it_is_paid(outside: Outside) -> None:
    placed = outside.yunpay().create_order(TEN)
    assert placed.pay_url is not None
    page = outside.pool.request("GET", placed.pay_url).data.decode()
    assert "¥100.00" in page
    assert "市民卡充值" in page
    assert outside.post(placed.pay_url, {"choice": "approve"}, Accept="text/html").status == 303
    assert "已付款" in outside.pool.request("GET", placed.pay_url).data.decode()


def test_the_same_number_is_the_same_order_and_other_content_is_refused(outside: Outside) -> None:
    yunpay = outside.yunpay()
    first, second = yunpay.create_order(TEN), yunpay.create_order(TEN)
    assert first == second
    with pytest.raises(ProviderRefused) as refusal:
        yunpay.create_order(replace(TEN, amount_fen=1))
    assert refusal.value.facts == {"reason": "order_differs"}


def test_a_lost_answer_does_not_make_a_second_order(outside: Outside) -> None:
    outside.fault("yunpay", "answer_lost", times=1)
    placed = outside.yunpay().create_order(TEN)
    assert outside.yunpay().create_order(TEN).provider_number == placed.provider_number


def test_a_refused_order_takes_nothing_and_cannot_be_paid_after(outside: Outside) -> None:
    placed = outside.yunpay().create_order(TEN)
    assert pay(outside, placed, "refuse") == 200
    assert pay(outside, placed, "approve") == 409
    found = outside.yunpay().query("topup-1")
    assert found is not None
    assert found.state is OrderState.REFUSED


def test_a_closed_order_cannot_be_paid_and_a_paid_one_not_closed(outside: Outside) -> None:
    yunpay = outside.yunpay()
    placed = yunpay.create_order(TEN)
    closed = yunpay.close("topup-1")
    assert closed is not None
    assert closed.state is OrderState.CLOSED
    assert pay(outside, placed) == 409
    paid(outside, replace(TEN, number="topup-2"))
    kept = yunpay.close("topup-2")
    assert kept is not None
    assert kept.state is OrderState.PAID


def test_an_order_left_alone_expires(outside: Outside) -> None:
    placed = outside.yunpay().create_order(TEN)
    outside.ahead = dt.timedelta(minutes=16)
    assert pay(outside, placed) == 409
    found = outside.yunpay().query("topup-1")
    assert found is not None
    assert found.state is OrderState.EXPIRED


def test_what_was_never_received_is_none(outside: Outside) -> None:
    yunpay = outside.yunpay()
    assert (yunpay.query("nothing"), yunpay.query_refund("nothing"), yunpay.close("nothing")) == (None, None, None)


def test_refunds_never_exceed_the_payment_and_repeat_as_one(outside: Outside) -> None:
    paid(outside)
    yunpay = outside.yunpay()
    first = Refund(number="back-1", order_number="topup-1", amount_fen=6_000)
    assert yunpay.refund(first).state is RefundState.DONE
    assert yunpay.refund(first).state is RefundState.DONE
    more = yunpay.refund(Refund(number="back-2", order_number="topup-1", amount_fen=4_001))
    assert (more.state, more.reason) == (RefundState.REFUSED, "refund_exceeds_payment")
    assert yunpay.refund(Refund(number="back-3", order_number="topup-1", amount_fen=4_000)).state is RefundState.DONE
    found = yunpay.query("topup-1")
    assert found is not None
    assert found.refunded_fen == 10_000


def test_a_refund_of_an_unpaid_or_unknown_order_is_refused(outside: Outside) -> None:
    yunpay = outside.yunpay()
    yunpay.create_order(TEN)
    for order, reason in (("topup-1", "order_not_paid"), ("nothing", "order_unknown")):
        view = yunpay.refund(Refund(number=f"back-{order}", order_number=order, amount_fen=1))
        assert (view.state, view.reason) == (RefundState.REFUSED, reason)


def test_a_refund_whose_answer_is_lost_is_unknown_until_asked_again(outside: Outside) -> None:
    paid(outside)
    wanted = Refund(number="back-1", order_number="topup-1", amount_fen=100)
    outside.fault("yunpay", "answer_lost")
    assert outside.yunpay(limits=Limits(total=1)).refund(wanted).state is RefundState.UNKNOWN
    outside.pool.request("DELETE", f"{outside.url}/faults")
    found = outside.yunpay().query_refund("back-1")
    assert found is not None
    assert (found.state, found.amount_fen) == (RefundState.DONE, 100)


def test_a_slow_refund_is_pending_first(outside: Outside) -> None:
    paid(outside)
    outside.fault("yunpay", "slow_refund", value=60_000)
    wanted = Refund(number="back-1", order_number="topup-1", amount_fen=100)
    assert outside.yunpay().refund(wanted).state is RefundState.PENDING
    outside.ahead = dt.timedelta(minutes=2)
    assert outside.yunpay().refund(wanted).state is RefundState.DONE


def test_a_rightly_signed_wrong_amount_is_not_believed(outside: Outside) -> None:
    outside.fault("yunpay", "wrong_amount")
    with pytest.raises(GatewayAnsweredWrong):
        outside.yunpay().create_order(TEN)


def test_a_provider_that_is_down_leaves_nothing_behind(outside: Outside) -> None:
    outside.fault("yunpay", "down")
    with pytest.raises(GatewayUnavailable):
        outside.yunpay(limits=Limits(total=1)).create_order(TEN)
    outside.pool.request("DELETE", f"{outside.url}/faults")
    assert outside.yunpay().query("topup-1") is None


@pytest.mark.parametrize(
    "elsewhere",
    [
        "http://169.254.169.254/api/callbacks/payments/yunpay",
        "http://[::1]:1/api/callbacks/payments/yunpay",
        "https://{host}/api/callbacks/payments/yunpay",
        "http://{host}/api/cards",
        "http://{host}/api/callbacks/../cards",
        "http://{host}/api/callbacks/x?next=1",
        "http://{host}/api/callbacks/x#y",
        "http://user@{host}/api/callbacks/x",
        "http://{host}.example.com/api/callbacks/x",
        "http://{host}@example.com/api/callbacks/x",
        "gopher://{host}/api/callbacks/x",
        "file:///api/callbacks/x",
        "/api/callbacks/x",
    ],
)
def test_notices_go_to_the_platform_and_nowhere_else(outside: Outside, elsewhere: str) -> None:
    yunpay = outside.yunpay()
    url = elsewhere.format(host=outside.platform_url.removeprefix("http://"))
    with pytest.raises(ProviderRefused) as refusal:
        replace(yunpay, notify_url=url).create_order(TEN)
    assert refusal.value.facts == {"reason": "notify_url_not_allowed"}


def test_a_payment_is_noticed_and_the_notice_can_be_verified(outside: Outside) -> None:
    placed = paid(outside)
    outside.ear.wait(1)
    notice = outside.yunpay().verify_callback(*outside.ear.heard[0])
    assert (notice.kind, notice.number, notice.provider_number) == (NoticeKind.ORDER, "topup-1", placed.provider_number)
    assert (notice.amount_fen, notice.state) == (10_000, "paid")


def test_a_refund_is_noticed(outside: Outside) -> None:
    paid(outside)
    outside.yunpay().refund(Refund(number="back-1", order_number="topup-1", amount_fen=100))
    outside.ear.wait(2)
    notices = [outside.yunpay().verify_callback(*heard) for heard in outside.ear.heard]
    assert ("refund", "back-1", 100, "done") in [(each.kind, each.number, each.amount_fen, each.state) for each in notices]


def test_a_notice_that_is_not_taken_comes_again_with_the_same_id(outside: Outside) -> None:
    outside.ear.status = 503
    paid(outside)
    outside.ear.wait(1)
    outside.ear.status = 204
    first, second = outside.ear.wait(2, seconds=5)[:2]
    assert first["notice"] == second["notice"]


def test_duplicates_carry_one_id(outside: Outside) -> None:
    outside.fault("yunpay-callbacks", "duplicate", value=3)
    paid(outside)
    assert len({said["notice"] for said in outside.ear.wait(3)}) == 1


def test_out_of_order_an_older_state_follows_the_newer(outside: Outside) -> None:
    outside.fault("yunpay-callbacks", "out_of_order")
    paid(outside)
    assert [said["state"] for said in outside.ear.wait(2)] == ["paid", "waiting"]


def test_a_wrong_amount_in_a_notice_is_for_the_query_to_find(outside: Outside) -> None:
    outside.fault("yunpay-callbacks", "wrong_amount")
    paid(outside)
    outside.ear.wait(1)
    assert outside.yunpay().verify_callback(*outside.ear.heard[0]).amount_fen == 10_001
    found = outside.yunpay().query("topup-1")
    assert found is not None
    assert found.amount_fen == 10_000


def test_a_forged_notice_is_refused(outside: Outside) -> None:
    outside.fault("yunpay-callbacks", "bad_signature", times=1)
    paid(outside)
    outside.ear.wait(1)
    with pytest.raises(CallbackRefused):
        outside.yunpay().verify_callback(*outside.ear.heard[0])


def test_a_late_notice_comes_late_and_a_lost_one_never(outside: Outside) -> None:
    outside.fault("yunpay-callbacks", "late", value=700)
    paid(outside)
    assert outside.ear.heard == []
    outside.ear.wait(1, seconds=4)
    outside.fault("yunpay-callbacks", "lost")
    paid(outside, replace(TEN, number="topup-2"))
    with outside.world.pool.connection() as connection:
        rows = connection.execute("SELECT due_at FROM notice WHERE number = 'topup-2'").fetchall()
    assert [row["due_at"] for row in rows] == [None]


def bent_bodies(said: dict[str, Any]) -> list[bytes]:
    """Every member changed, dropped, and one added; and bytes that are no JSON object."""
    bent: list[Any] = []
    for name, value in said.items():
        other = value + 1 if isinstance(value, int) else f"{value}x"
        bent += [{**said, name: other}, {key: kept for key, kept in said.items() if key != name}, {**said, name: None}]
    bent += [{**said, "extra": 1}, [said], None, 1, ""]
    whole = json.dumps(said, separators=(",", ":")).encode()
    cut = [whole[:at] for at in range(0, len(whole), 16)]
    flipped = [whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :] for at in range(0, len(whole), 5)]
    return [json.dumps(each, separators=(",", ":")).encode() for each in bent] + cut + flipped + [whole + b" ", whole * 200]


def test_every_bent_notice_is_refused(outside: Outside) -> None:
    paid(outside)
    outside.ear.wait(1)
    headers, body = outside.ear.heard[0]
    yunpay = outside.yunpay()
    assert yunpay.verify_callback(headers, body)
    bodies = bent_bodies(json.loads(body))
    assert len(bodies) > 80
    for bent in bodies:
        with pytest.raises(CallbackRefused):
            yunpay.verify_callback(headers, bent)


def test_a_notice_for_another_address_or_merchant_or_minute_is_refused(outside: Outside) -> None:
    paid(outside)
    outside.ear.wait(1)
    heard = outside.ear.heard[0]
    yunpay = outside.yunpay()
    for other in (
        replace(yunpay, notify_url=f"{outside.platform_url}/api/callbacks/payments/other"),
        replace(yunpay, merchant="M990200"),
    ):
        with pytest.raises(CallbackRefused):
            other.verify_callback(*heard)
    outside.ahead = dt.timedelta(minutes=2)
    with pytest.raises(CallbackRefused) as refusal:
        yunpay.verify_callback(*heard)
    assert refusal.value.facts == {"reason": "signature_stale"}


def test_the_day_file_lists_payments_and_refunds_with_control_totals(outside: Outside) -> None:
    paid(outside)
    paid(outside, replace(TEN, number="topup-2", amount_fen=2_345))
    outside.yunpay().create_order(replace(TEN, number="never-paid"))
    outside.yunpay().refund(Refund(number="back-1", order_number="topup-2", amount_fen=45))
    text = outside.yunpay().day_file(outside.now().astimezone(dt.timezone(dt.timedelta(hours=8))).date())
    assert text is not None
    lines = text.splitlines()
    assert lines[0].startswith("H|YUNPAY|M990100|")
    assert lines[0].endswith("|open")
    assert [line.split("|")[2] for line in lines if line.startswith("P|")] == ["topup-1", "topup-2"]
    assert [line.split("|")[2:5] for line in lines if line.startswith("R|")] == [["back-1", "topup-2", "45"]]
    before = text[: text.rindex("T|")]
    assert lines[-1] == f"T|2|12345|1|45|{hashlib.sha256(before.encode()).hexdigest()}"


def test_a_day_that_has_not_begun_has_no_file(outside: Outside) -> None:
    assert outside.yunpay().day_file(dt.date(2999, 1, 1)) is None
