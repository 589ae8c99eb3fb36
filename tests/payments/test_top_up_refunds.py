"""A top-up goes back to where it was paid from once, and when the provider itself says so: against the sandbox with its faults."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

import payments
from core import db, ids
from core.actors import Actor
from core.errors import NotFound
from core.gateway import Limits
from payments import jobs, notices, receipts, top_up_refunds, topping_up
from payments.errors import NoticeMismatch, TopUpNotRefundable, TopUpRefundTooMuch
from payments.ledger import InsufficientFunds, balance
from payments.providers import CallbackRefused, Refund, RefundState
from payments.wiring import wired
from tests.outside.conftest import Outside
from tests.outside.conftest import _outside as _outside
from tests.outside.conftest import outside as outside
from tests.payments.conftest import YUNCHUAN, Town

Later = Callable[[dt.timedelta], None]


@pytest.fixture
def sandbox(town: Town, outside: Outside) -> Outside:
    """The payments floor over the sandbox, by the client that ships."""
    payments.configure(providers={"yunpay": outside.yunpay(limits=Limits(total=1))}, keepers=wired().keepers)
    return outside


def topped_up(town: Town, sandbox: Outside, holder: Actor, amount_fen: int = 10_000) -> topping_up.TopUpView:
    """A top-up that was paid at the sandbox and credited."""
    view = town.top_up(holder, amount_fen)
    assert view.pay_url is not None
    assert sandbox.post(view.pay_url, {"choice": "approve"}).status == 200
    topping_up.find_out(view.id)
    return view


def take_back(holder: Actor, top_up: topping_up.TopUpView, amount_fen: int = 4_000, **given: Any) -> top_up_refunds.TopUpRefundView:
    wanted = {"amount_fen": amount_fen, "refund_id": ids.new_id(), **given}
    return top_up_refunds.refund_top_up(holder, top_up.id, **wanted)


def noticed(sandbox: Outside, kind: str = "refund") -> list[tuple[dict[str, str], bytes]]:
    """The notices of a kind that the sandbox sent."""
    marker = f'"kind":"{kind}"'.encode()
    return [heard for heard in sandbox.ear.heard if marker in heard[1]]


def on_their_way() -> int:
    with db.transaction():
        return balance(top_up_refunds.waiting_account(YUNCHUAN))


def events(town: Town) -> list[str]:
    return [row[0] for row in town.rows("SELECT event FROM outbox WHERE starts_with(event, 'payments:top_up_refund:') ORDER BY id")]


def test_a_refund_goes_back_with_a_receipt(town: Town, sandbox: Outside) -> None:
    wang = town.holder()
    paid = topped_up(town, sandbox, wang)
    back = take_back(wang, paid)
    assert (back.state, back.amount_fen, back.provider) == ("refunded", 4_000, "yunpay")
    assert (town.balance(wang), on_their_way(), town.balanced()) == (6_000, 0, True)
    page = town.do(receipts.receipts_of, wang, cursor=None, limit=10)
    assert [(each.kind, each.change_fen) for each in page.items] == [("top_up_refund", -4_000), ("top_up", 10_000)]
    assert town.do(receipts.receipt_of, wang, back.id).number == back.receipt_number
    assert events(town) == ["payments:top_up_refund:post"]
    told = town.rows("SELECT payload->>'top_up_refund', payload->>'top_up' FROM outbox WHERE event = 'payments:top_up_refund:post'")
    assert told == [(ids.show("top_up_refund", back.id), ids.show("top_up", paid.id))]


def test_never_more_goes_back_than_came_nor_more_than_is_left(town: Town, sandbox: Outside) -> None:
    wang, li = town.holder(), town.holder(50_000)
    paid = topped_up(town, sandbox, wang)
    town.charge(wang, 7_000)
    with pytest.raises(InsufficientFunds):
        take_back(wang, paid, 3_001)
    take_back(wang, paid, 2_000)
    with pytest.raises(TopUpRefundTooMuch) as refused:
        take_back(wang, paid, 8_001)
    assert refused.value.facts == {"left_fen": 8_000}
    with pytest.raises(NotFound):
        take_back(li, paid)
    waiting = town.top_up(wang)
    with pytest.raises(TopUpNotRefundable):
        take_back(wang, waiting)
    assert (town.balance(wang), town.balanced()) == (1_000, True)


def test_the_same_id_again_is_the_same_refund(town: Town, sandbox: Outside) -> None:
    wang = town.holder()
    paid, refund_id = topped_up(town, sandbox, wang), ids.new_id()
    first = take_back(wang, paid, refund_id=refund_id)
    assert take_back(wang, paid, refund_id=refund_id) == first
    assert town.balance(wang) == 6_000


def test_a_pending_refund_is_settled_by_its_notice_and_by_nothing_twice(town: Town, sandbox: Outside) -> None:
    wang = town.holder()
    paid = topped_up(town, sandbox, wang)
    sandbox.ear.wait(1)  # the order's own notice is out before notices go wrong
    sandbox.fault("yunpay", "slow_refund", value=30_000)
    sandbox.fault("yunpay-callbacks", "duplicate", value=3)
    sandbox.fault("yunpay-callbacks", "out_of_order")
    back = take_back(wang, paid)
    assert (back.state, town.balance(wang), on_their_way()) == ("pending", 6_000, 4_000)
    assert noticed(sandbox) == []
    sandbox.ahead = dt.timedelta(seconds=40)
    sandbox.ear.wait(5)
    heard = noticed(sandbox)
    assert len(heard) == 4
    for headers, body in [*heard, heard[0]]:
        notices.take_notice("yunpay", headers, body)
    assert town.do(top_up_refunds.own, wang, back.id).state == "refunded"
    assert (town.balance(wang), on_their_way(), town.balanced()) == (6_000, 0, True)
    assert len(events(town)) == 1


def test_a_notice_that_says_done_is_not_believed(town: Town, sandbox: Outside) -> None:
    wang = town.holder()
    paid = topped_up(town, sandbox, wang)
    sandbox.fault("yunpay", "slow_refund", value=30_000)
    back = take_back(wang, paid)
    with sandbox.world.pool.connection() as connection:
        connection.execute("UPDATE notice SET due_at = now() WHERE kind = 'refund'")
    sandbox.world.wake()
    sandbox.ear.wait(2)
    notices.take_notice("yunpay", *noticed(sandbox)[0])
    assert (town.do(top_up_refunds.own, wang, back.id).state, on_their_way()) == ("pending", 4_000)


def test_a_wrong_amount_in_the_notice_changes_nothing_of_what_is_asked(town: Town, sandbox: Outside) -> None:
    wang = town.holder()
    paid = topped_up(town, sandbox, wang)
    sandbox.ear.wait(1)
    sandbox.fault("yunpay-callbacks", "wrong_amount")
    take_back(wang, paid)
    sandbox.ear.wait(2)
    notices.take_notice("yunpay", *noticed(sandbox)[0])
    assert (town.balance(wang), on_their_way(), town.balanced()) == (6_000, 0, True)


def test_a_forged_notice_about_a_refund_is_refused(town: Town, sandbox: Outside) -> None:
    wang = town.holder()
    paid = topped_up(town, sandbox, wang)
    sandbox.ear.wait(1)
    sandbox.fault("yunpay-callbacks", "bad_signature", times=1)
    sandbox.fault("yunpay", "slow_refund", value=100)
    take_back(wang, paid)
    sandbox.ear.wait(2)
    with pytest.raises(CallbackRefused):
        notices.take_notice("yunpay", *noticed(sandbox)[0])


def test_a_notice_about_a_refund_nobody_asked_for_finds_nothing(town: Town, sandbox: Outside) -> None:
    wang = town.holder()
    paid = topped_up(town, sandbox, wang)
    sandbox.yunpay().refund(Refund(number="by-hand", order_number=town.order_of(paid), amount_fen=100))
    sandbox.ear.wait(2)
    with pytest.raises(NotFound):
        notices.take_notice("yunpay", *noticed(sandbox)[0])
    assert town.balance(wang) == 10_000


def test_what_the_provider_refuses_comes_back_to_the_wallet(town: Town, sandbox: Outside) -> None:
    wang = town.holder()
    paid = topped_up(town, sandbox, wang)
    sandbox.yunpay().refund(Refund(number="by-hand", order_number=town.order_of(paid), amount_fen=10_000))
    back = take_back(wang, paid)
    assert (back.state, back.reason, back.receipt_number) == ("failed", "refund_exceeds_payment", None)
    assert (town.balance(wang), on_their_way(), town.balanced()) == (10_000, 0, True)
    assert events(town) == ["payments:top_up_refund:void"]


def test_a_lost_answer_is_found_out_by_the_job(town: Town, sandbox: Outside, at: Later) -> None:
    wang = town.holder()
    paid = topped_up(town, sandbox, wang)
    sandbox.fault("yunpay", "answer_lost")
    sandbox.fault("yunpay-callbacks", "lost")
    back = take_back(wang, paid)
    assert (back.state, on_their_way()) == ("pending", 4_000)
    sandbox.pool.request("DELETE", f"{sandbox.url}/faults?place=yunpay")
    jobs.ask_about_refunds()
    assert on_their_way() == 4_000
    at(dt.timedelta(seconds=11))
    jobs.ask_about_refunds()
    assert (town.do(top_up_refunds.own, wang, back.id).state, on_their_way()) == ("refunded", 0)
    jobs.ask_about_refunds()
    assert (town.balance(wang), town.balanced()) == (6_000, True)


def test_a_refund_that_never_arrived_is_asked_for_again(town: Town, sandbox: Outside, at: Later) -> None:
    wang = town.holder()
    paid = topped_up(town, sandbox, wang)
    sandbox.fault("yunpay", "down")
    back = take_back(wang, paid)
    assert (back.state, on_their_way()) == ("pending", 4_000)
    at(dt.timedelta(seconds=11))
    jobs.ask_about_refunds()
    assert on_their_way() == 4_000
    sandbox.pool.request("DELETE", f"{sandbox.url}/faults")
    at(dt.timedelta(minutes=1))
    jobs.ask_about_refunds()
    assert (town.do(top_up_refunds.own, wang, back.id).state, on_their_way(), town.balanced()) == ("refunded", 0, True)


def test_another_outcome_than_was_booked_books_nothing_and_is_noted(town: Town) -> None:
    wang = town.holder()
    view = town.top_up(wang)
    town.provider.paid(town.order_of(view))
    topping_up.find_out(view.id)
    back = take_back(wang, view)
    number = ids.show("top_up_refund", back.id)
    town.provider.refunds[number] = type(town.provider.refunds[number])(number=number, state=RefundState.REFUSED, amount_fen=4_000)
    with pytest.raises(NoticeMismatch):
        notices.take_notice("yunpay", *town.provider.notice(number, kind="refund", state="refused"))
    assert (town.balance(wang), town.balanced()) == (6_000, True)
    assert town.rows("SELECT outcome FROM audit WHERE event = 'payments:top_up_refund:mismatch'") == [("mismatch",)]


def test_over_http_with_its_key_once(town: Town) -> None:
    wang = town.holder()
    view = town.top_up(wang)
    town.provider.paid(town.order_of(view))
    topping_up.find_out(view.id)
    path = f"/api/top-ups/{ids.show('top_up', view.id)}/refunds"
    first, again = (town.call(wang, "POST", path, key="refund-1", json={"amount_fen": 4_000}) for _ in range(2))
    assert first.status_code == 201, first.text
    assert (first.json["state"], again.json) == ("refunded", first.json)
    seen = town.call(wang, "GET", f"/api/top-up-refunds/{first.json['id']}")
    assert seen.json == first.json
    assert town.call(town.holder(), "GET", f"/api/top-up-refunds/{first.json['id']}").status_code == 404
    assert town.balance(wang) == 6_000
