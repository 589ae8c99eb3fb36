"""A wallet is not filled beyond its cap: what is on its way counts, whatever else happens at the same moment."""

from __future__ import annotations

import contextlib
import threading
from typing import Any

import pytest

from core import ids
from payments import topping_up
from payments.errors import ProviderUnknown, TopUpAmountRefused, WalletFull, WalletMissing
from tests.payments.meanwhile import elsewhere, meanwhile

pytestmark = pytest.mark.subset

Town = Any


def test_form_and_room_are_checked_before_anything_is_ordered(town: Town) -> None:
    wang = town.holder(480_000)
    with pytest.raises(TopUpAmountRefused):
        town.top_up(wang, 10_050)
    town.top_up(wang, 15_000)
    with pytest.raises(WalletFull):
        town.top_up(wang, 10_000)
    with pytest.raises(ProviderUnknown):
        topping_up.top_up(wang, amount_fen=1_000, provider="nopay", top_up_id=ids.new_id())
    with pytest.raises(WalletMissing):
        town.top_up(town.resident(), 1_000)
    assert len(town.provider.orders) == 1


def test_two_orders_at_once_do_not_both_find_the_same_room(town: Town) -> None:
    wang = town.holder(490_000)
    outcomes: list[str] = []

    def order() -> None:
        with town.app.app_context():
            try:
                town.top_up(wang, 10_000)
                outcomes.append("ordered")
            except WalletFull:
                outcomes.append("full")

    threads = [threading.Thread(target=order) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(outcomes) == ["full"] * 5 + ["ordered"]


def test_money_that_arrives_between_two_statements_of_an_order_finds_no_second_room(town: Town) -> None:
    for nth in range(1, 12):
        wang = town.holder(490_000)
        first = town.top_up(wang, 10_000)
        town.provider.paid(town.order_of(first))
        second: topping_up.TopUpView | None = None
        with meanwhile(nth, elsewhere(town.app, topping_up.find_out, first.id)) as came, contextlib.suppress(WalletFull):
            second = town.top_up(wang, 10_000)
        if second is not None:
            town.provider.paid(town.order_of(second))
            topping_up.find_out(second.id)
        topping_up.find_out(first.id)
        assert town.balance(wang) == 500_000, f"credited after statement {nth}"
        if not came:
            break
    assert nth > 5
