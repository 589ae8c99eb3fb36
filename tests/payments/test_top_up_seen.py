"""What a resident is told of a top-up: what was taken back of it, and what still can be."""

from __future__ import annotations

from core import ids
from core.actors import Actor
from payments import receipts, top_up_refunds, topping_up
from tests.payments.conftest import Town


def credited(town: Town, holder: Actor) -> topping_up.TopUpView:
    """A top-up that was paid at the provider in this process."""
    view = town.top_up(holder, 10_000)
    town.provider.paid(town.order_of(view))
    topping_up.find_out(view.id)
    return view


def test_it_names_each_refund_and_what_is_left(town: Town) -> None:
    wang = town.holder()
    paid = credited(town, wang)
    before = town.do(top_up_refunds.top_up_of, wang, paid.id)
    assert (before.refundable_fen, before.refunds) == (10_000, [])
    back = top_up_refunds.refund_top_up(wang, paid.id, amount_fen=4_000, refund_id=ids.new_id())
    after = town.do(top_up_refunds.top_up_of, wang, paid.id)
    assert (after.id, after.state, after.refundable_fen) == (paid.id, "credited", 6_000)
    assert [(each.id, each.state, each.amount_fen) for each in after.refunds] == [(back.id, "refunded", 4_000)]


def test_its_receipt_leads_to_it_and_that_of_a_refund_does_not(town: Town) -> None:
    wang = town.holder()
    paid = credited(town, wang)
    back = top_up_refunds.refund_top_up(wang, paid.id, amount_fen=4_000, refund_id=ids.new_id())
    assert town.do(receipts.receipt_of, wang, paid.id).top_up_id == paid.id
    assert town.do(receipts.receipt_of, wang, back.id).top_up_id is None


def test_nothing_can_be_taken_back_of_one_that_was_not_paid(town: Town) -> None:
    wang = town.holder()
    assert town.do(top_up_refunds.top_up_of, wang, town.top_up(wang, 10_000).id).refundable_fen == 0
