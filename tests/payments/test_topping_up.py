"""Money comes in when the provider itself says that it was paid, once, and never otherwise (threat 20)."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable
from typing import Any

import pytest

from core import clock, db, ids
from core.errors import NotFound, Unavailable
from payments import jobs, notices, topping_up
from payments.errors import NoticeMismatch, ProviderUnknown
from payments.providers import CallbackRefused, OrderState, ProviderRefused

pytestmark = pytest.mark.subset

Town = Any
Later = Callable[[dt.timedelta], None]
MINUTE = dt.timedelta(minutes=1)


def told(town: Town, view: topping_up.TopUpView, **changes: Any) -> None:
    notices.take_notice("yunpay", *town.provider.notice(town.order_of(view), **changes))


def test_a_top_up_is_credited_after_the_provider_confirms_it(town: Town) -> None:
    wang = town.holder()
    view = town.top_up(wang, 10_000)
    assert (view.state, view.amount_fen, view.receipt_number) == ("pending", 10_000, None)
    assert view.pay_url == f"https://pay.example/{town.order_of(view)}"
    assert town.balance(wang) == 0
    town.provider.paid(town.order_of(view))
    told(town, view)
    seen = town.seen(wang, view)
    assert (seen.state, seen.pay_url) == ("credited", None)
    assert seen.receipt_number is not None
    assert town.balance(wang) == 10_000
    assert town.balanced()
    assert town.rows("SELECT event, payload->>'amount_fen' FROM outbox WHERE event = 'payments:top_up:credit'")[-1][1] == "10000"


def test_a_notice_repeated_credits_nothing_more(town: Town) -> None:
    wang = town.holder()
    view = town.top_up(wang)
    town.provider.paid(town.order_of(view))
    for _ in range(3):
        told(town, view)
    topping_up.find_out(view.id)
    assert town.balance(wang) == 10_000
    assert len(town.rows("SELECT 1 FROM transfer WHERE kind = 'top_up'")) == 1


def test_twenty_notices_at_once_credit_once(town: Town) -> None:
    wang = town.holder()
    view = town.top_up(wang)
    town.provider.paid(town.order_of(view))
    failures: list[BaseException] = []

    def tell() -> None:
        with town.app.app_context():
            try:
                told(town, view)
            except Exception as fault:  # noqa: BLE001  # whatever it is, the main thread reports it
                failures.append(fault)
            finally:
                db.drop_connection()

    threads = [threading.Thread(target=tell) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not failures
    assert town.balance(wang) == 10_000


def test_a_notice_that_says_paid_is_not_believed(town: Town) -> None:
    wang = town.holder()
    view = town.top_up(wang)
    told(town, view)
    assert town.balance(wang) == 0
    assert town.seen(wang, view).state == "pending"


def test_every_changed_byte_of_a_notice_is_refused(town: Town) -> None:
    wang = town.holder()
    view = town.top_up(wang)
    town.provider.paid(town.order_of(view))
    headers, raw = town.provider.notice(town.order_of(view))
    for place in range(0, len(raw), 5):
        changed = bytearray(raw)
        changed[place] ^= 1
        with pytest.raises(CallbackRefused):
            notices.take_notice("yunpay", headers, bytes(changed))
    with pytest.raises(CallbackRefused):
        notices.take_notice("yunpay", {}, raw)
    assert town.balance(wang) == 0
    assert town.rows("SELECT count(*) > 0 FROM audit WHERE event = 'payments:callback:refuse'") == [(True,)]


@pytest.mark.parametrize("amount_fen", [9_999, 10_001, 1, 1_000_000])
def test_another_amount_than_ordered_credits_nothing(town: Town, amount_fen: int) -> None:
    wang = town.holder()
    view = town.top_up(wang)
    town.provider.paid(town.order_of(view), amount_fen=amount_fen)
    with pytest.raises(NoticeMismatch):
        told(town, view)
    seen = town.seen(wang, view)
    assert (seen.state, seen.reason) == ("failed", "mismatch")
    assert town.balance(wang) == 0


def test_a_notice_about_another_order_or_provider_finds_nothing(town: Town) -> None:
    town.holder()
    with pytest.raises(NotFound):
        notices.take_notice("yunpay", *town.provider.notice(ids.show("top_up", ids.new_id())))
    with pytest.raises(ProviderUnknown):
        notices.take_notice("nopay", {}, b"")


def test_a_provider_that_is_away_is_asked_again(town: Town, at: Later) -> None:
    wang = town.holder()
    view = town.top_up(wang)
    town.provider.paid(town.order_of(view))
    town.provider.away = True
    with pytest.raises(Unavailable):
        told(town, view)
    at(MINUTE)
    jobs.ask_about_top_ups()
    assert town.balance(wang) == 0
    town.provider.away = False
    at(MINUTE)
    jobs.ask_about_top_ups()
    assert town.balance(wang) == 10_000


@pytest.mark.parametrize("trouble", ["away", "loses_answers"])
def test_an_unknown_outcome_is_not_a_failure(town: Town, at: Later, trouble: str) -> None:
    wang = town.holder()
    setattr(town.provider, trouble, True)
    view = town.top_up(wang)
    assert (view.state, view.pay_url) == ("pending", None)
    setattr(town.provider, trouble, False)
    for _ in range(2):
        at(MINUTE)
        jobs.ask_about_top_ups()
    assert town.seen(wang, view).pay_url is not None
    assert len(town.provider.orders) == 1


def test_the_same_id_goes_on_where_the_first_try_stopped(town: Town) -> None:
    wang = town.holder()
    top_up_id = ids.new_id()
    town.provider.away = True
    town.top_up(wang, top_up_id=top_up_id)
    town.provider.away = False
    again = town.top_up(wang, top_up_id=top_up_id)
    assert (again.id, again.state) == (top_up_id, "pending")
    assert again.pay_url is not None
    assert town.top_up(wang, top_up_id=top_up_id) == again
    assert len(town.rows("SELECT 1 FROM top_up WHERE provider = 'yunpay'")) == 1


def test_a_refusal_ends_the_top_up_and_is_told(town: Town) -> None:
    wang = town.holder()
    town.provider.refuses = True
    with pytest.raises(ProviderRefused):
        town.top_up(wang)
    assert town.rows("SELECT state, reason FROM top_up") == [("failed", "merchant_limit")]


def test_an_unpaid_top_up_expires_after_it_was_closed_there(town: Town, at: Later) -> None:
    wang = town.holder()
    view = town.top_up(wang)
    at(topping_up.VALID_FOR + MINUTE)
    jobs.ask_about_top_ups()
    assert town.seen(wang, view).state == "expired"
    assert town.provider.orders[town.order_of(view)].state is OrderState.CLOSED
    assert town.rows("SELECT ask_at FROM top_up") == [(None,)]


def test_a_top_up_that_never_reached_the_provider_expires(town: Town, at: Later) -> None:
    wang = town.holder()
    town.provider.away = True
    view = town.top_up(wang)
    town.provider.away = False
    at(topping_up.VALID_FOR + MINUTE)
    jobs.ask_about_top_ups()
    assert town.seen(wang, view).state == "expired"


def test_money_paid_at_the_last_moment_is_credited_although_time_ran_out(town: Town, at: Later) -> None:
    wang = town.holder()
    view = town.top_up(wang)
    town.provider.paid(town.order_of(view))
    at(topping_up.VALID_FOR + MINUTE)
    jobs.ask_about_top_ups()
    assert town.balance(wang) == 10_000


def test_an_expired_top_up_that_was_paid_after_all_is_credited(town: Town, at: Later) -> None:
    wang = town.holder()
    view = town.top_up(wang)
    at(topping_up.VALID_FOR + MINUTE)
    jobs.ask_about_top_ups()
    town.provider.paid(town.order_of(view))
    told(town, view)
    assert town.seen(wang, view).state == "credited"
    assert town.balance(wang) == 10_000


def test_a_pending_top_up_is_asked_about_less_and_less_often(town: Town, at: Later) -> None:
    wang = town.holder()
    town.top_up(wang)
    for _ in range(30):
        at(dt.timedelta(seconds=5))
        jobs.ask_about_top_ups()
    assert 3 <= town.provider.asked <= 6


@pytest.mark.parametrize("state", [OrderState.REFUSED, OrderState.CLOSED, OrderState.EXPIRED])
def test_what_ends_at_the_provider_ends_here(town: Town, state: OrderState) -> None:
    wang = town.holder()
    view = town.top_up(wang)
    town.provider.set(town.order_of(view), state=state)
    told(town, view)
    assert town.seen(wang, view).state == ("failed" if state is OrderState.REFUSED else "expired")
    assert town.balance(wang) == 0


def test_nobody_elses_top_up_exists(town: Town) -> None:
    view = town.top_up(town.holder())
    with pytest.raises(NotFound):
        town.seen(town.holder(), view)


def test_the_receipt_number_says_city_and_day(town: Town) -> None:
    wang = town.holder()
    view = town.top_up(wang)
    town.provider.paid(town.order_of(view))
    told(town, view)
    number = town.seen(wang, view).receipt_number
    assert number.startswith(f"990100{clock.today():%y%m%d}")
    assert int(number) % 97 == 1
