"""A charge and everything it writes, decided by ``charge_post``; one rule per test."""

from __future__ import annotations

import datetime as dt
import time
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import psycopg
import pytest

from core import clock, db, ids
from core.poster import GroupPoster
from payments import ledger
from payments.charging import Order, Settled, keys_of, post_charges
from tests.ledger.conftest import OTHER_CITY, City
from tests.ledger.tills import Till, by_presentation, replace, steps

pytestmark = pytest.mark.subset


@pytest.fixture
def till(city: City) -> Till:
    """A till of the merchant."""
    return Till(city, ids.new_id(), city.merchant)


def test_a_charge_writes_all_that_belongs_to_it(till: Till) -> None:
    phone = till.phone()
    order = till.order(phone)
    code, answer, replayed = till.post(order)[0]
    assert (code, replayed, answer["balance_after_fen"]) == ("posted", False, 8_770)
    charge = till.run("SELECT amount_fen, state, receipt_number, transfer_id, resident_id FROM charge WHERE id = %s", order.charge_id)[0]
    assert charge == (1_230, "posted", answer["receipt_number"], order.charge_id, phone.resident)
    assert int(answer["receipt_number"]) % 97 == 1
    assert till.run("SELECT kind, amount_fen, reference FROM transfer WHERE id = %s", order.charge_id) == [
        ("charge", 1_230, order.charge_id)
    ]
    assert till.run("SELECT spent_day_fen, spent_day_count, spent_month_fen FROM wallet WHERE id = %s", phone.wallet) == [(1_230, 1, 1_230)]
    assert till.run("SELECT event, payload ->> 'receipt_number' FROM outbox WHERE id = %s", order.charge_id) == [
        ("payments:charge:post", answer["receipt_number"])
    ]
    assert till.run("SELECT event, outcome, resident_id FROM audit WHERE id = %s", order.charge_id) == [
        ("payments:charge:post", "done", phone.resident)
    ]
    assert till.run("SELECT status, replays FROM idempotency WHERE principal = %s AND key = %s", till.id, order.key) == [(201, 0)]
    assert till.run("SELECT charge_id FROM code_used WHERE handle = %s AND step = %s", phone.handle, order.step) == [(order.charge_id,)]


def test_the_same_key_gives_the_first_answer_and_writes(till: Till) -> None:
    phone = till.phone()
    order = till.order(phone)
    first = till.post(order)[0]
    again = till.post(replace(till.order(phone), key=order.key))[0]
    assert again == (first[0], first[1], True)
    assert till.balance(phone) == 8_770
    assert till.run("SELECT replays FROM idempotency WHERE key = %s", order.key) == [(1,)]


def test_another_body_under_the_key_is_refused_and_changes_nothing(till: Till) -> None:
    phone = till.phone()
    order = till.order(phone)
    till.post(order)
    assert till.code(replace(till.order(phone), key=order.key, body_hash=bytes(31) + b"1")) == "idempotency_key_reused"
    assert till.run("SELECT replays FROM idempotency WHERE key = %s", order.key) == [(0,)]
    assert till.code(replace(till.order(phone), principal=ids.new_id(), key=order.key)) == "posted"


def test_a_refusal_is_kept_under_its_key_and_audited(till: Till) -> None:
    phone = till.phone(balance_fen=100)
    order = till.order(phone)
    assert till.post(order) == [("insufficient_funds", {"code": "insufficient_funds"}, False)]
    till.city.give(10_000, phone.account)
    assert till.post(replace(till.order(phone), key=order.key)) == [("insufficient_funds", {"code": "insufficient_funds"}, True)]
    assert till.run("SELECT event, outcome FROM audit WHERE id = %s", order.charge_id) == [("payments:charge:refuse", "insufficient_funds")]
    assert till.code(replace(order, key="another key", charge_id=ids.new_id())) == "posted"


def test_a_code_pays_once(till: Till) -> None:
    phone = till.phone()
    order = till.order(phone)
    assert till.code(order) == "posted"
    assert till.code(till.order(phone, step=order.step)) == "code_used"
    assert till.code(till.order(phone, step=order.step, tap=1)) == "posted"


def test_a_code_presented_elsewhere_is_dead_and_one_presented_here_is_not(till: Till) -> None:
    phone, step = till.phone(), next(steps)
    till.presented(phone, terminal=ids.new_id(), step=step)
    assert till.code(till.order(phone, step=step)) == "code_used"
    here = next(steps)
    till.presented(phone, step=here)
    assert till.code(till.order(phone, step=here)) == "posted"


def test_a_presentation_is_good_for_one_charge_at_its_terminal_for_two_minutes(till: Till) -> None:
    phone = till.phone()
    presentation = till.presented(phone)
    assert till.code(by_presentation(till.order(phone, terminal_id=ids.new_id()), presentation)) == "presentation_unknown"
    assert till.code(by_presentation(till.order(phone), presentation)) == "posted"
    assert till.code(by_presentation(till.order(phone), presentation)) == "code_used"
    assert till.code(by_presentation(till.order(phone), till.presented(phone, seconds=-1))) == "presentation_expired"
    assert till.code(by_presentation(till.order(phone), ids.new_id())) == "presentation_unknown"


CARDS = {
    "card_lost": "lost_at = city_now(), loss_kind = 'formal'",
    "card_frozen": "frozen_at = city_now()",
    "card_locked": "locked_at = city_now()",
    "card_bad": "bad_at = city_now()",
    "card_expired": "expires_on = '2020-01-01'",
    "card_inactive": "state = 'inactive'",
    "card_cancelled": "state = 'cancelled'",
    "card_replaced": "state = 'replaced', replaced_by = gen_random_uuid()",
    "card_refused_by_issuer": "mirrored_status = 'stopped'",
    "wallet_elsewhere": "wallet_account_id = NULL",
}


@pytest.mark.parametrize("code", CARDS)
def test_each_state_of_a_card_has_its_own_refusal_for_codes_and_presentations(till: Till, code: str) -> None:
    phone = till.phone()
    presentation = till.presented(phone)
    till.run(f"UPDATE card SET {CARDS[code]} WHERE id = %s", phone.card)
    assert till.code(till.order(phone)) == code
    assert till.code(by_presentation(till.order(phone), presentation)) == code
    assert till.balance(phone) == 10_000


def test_a_key_that_ended_pays_no_more(till: Till) -> None:
    phone = till.phone()
    presentation = till.presented(phone)
    assert till.code(till.order(phone, generation=2)) == "pay_key_revoked"
    till.run("UPDATE pay_handle SET revoked_at = city_now() WHERE handle = %s", phone.handle)
    assert till.code(till.order(phone)) == "pay_key_revoked"
    assert till.code(by_presentation(till.order(phone), presentation)) == "pay_key_revoked"


def test_a_wallet_that_is_stopped_or_kept_elsewhere_does_not_pay(till: Till) -> None:
    assert till.code(till.order(till.phone(state="frozen"))) == "wallet_stopped"
    assert till.code(till.order(till.phone(state="closed"))) == "wallet_stopped"
    assert till.code(till.order(till.phone(mode="bank"))) == "wallet_elsewhere"


def test_unknown_handles_other_cities_and_merchants_are_told_apart(till: Till) -> None:
    phone = till.phone()
    assert till.code(till.order(phone, handle=49_999_999)) == "code_unknown"
    assert till.code(till.order(phone, city_id=OTHER_CITY)) == "code_of_other_city"
    assert till.code(till.order(phone, account_id=ids.new_id())) == "merchant_unknown"
    assert till.code(till.order(phone, account_id=None)) == "merchant_unknown"
    assert till.code(till.order(phone, amount_fen=-5)) == "charge_impossible"
    assert till.balance(phone) == 10_000


def test_limits_of_a_payment_a_day_and_a_month(till: Till) -> None:
    phone = till.phone(balance_fen=100_000)
    assert till.code(till.order(phone, 5_001)) == "limit_single"
    assert till.code(till.order(phone, 5_000)) == "posted"
    assert till.code(till.order(phone, 3_001)) == "limit_daily"
    assert till.code(till.order(phone, 3_000)) == "posted"
    till.run("UPDATE wallet SET spent_on = spent_on - 1 WHERE id = %s", phone.wallet)
    assert till.code(till.order(phone, 1_001)) == "limit_monthly"
    assert till.code(till.order(phone, 1_000)) == "posted"
    till.run("UPDATE wallet SET spent_month = spent_month - 40 WHERE id = %s", phone.wallet)
    assert till.code(till.order(phone, 5_000)) == "posted"
    assert till.run("SELECT spent_day_fen, spent_day_count, spent_month_fen FROM wallet WHERE id = %s", phone.wallet) == [(6_000, 2, 5_000)]


def test_a_charge_that_waits_across_midnight_counts_on_the_day_that_is_recorded(till: Till) -> None:
    phone = till.phone()
    order = till.order(phone)
    with till.city.as_superuser() as clockwork, till.city.as_superuser() as other, ThreadPoolExecutor(1) as pool:
        try:
            with other.transaction():
                other.execute("SELECT 1 FROM account WHERE id = %s FOR UPDATE", (till.merchant,))
                waiting = pool.submit(till.post, order)
                until_one_waits(clockwork, waiting)
                clockwork.execute("UPDATE clock_offset SET \"offset\" = '1 day'")
            code, answer, _ = waiting.result()[0]
            second = till.post(till.order(phone, 100))[0]
        finally:
            clockwork.execute("UPDATE clock_offset SET \"offset\" = '0'")
    assert (code, second[0]) == ("posted", "posted")
    recorded = dt.datetime.fromisoformat(answer["recorded_at"]).astimezone(clock.CHINA).date()
    assert recorded > clock.today()
    assert till.run(
        "SELECT spent_on, spent_day_fen, spent_day_count, spent_month, spent_month_fen FROM wallet WHERE id = %s", phone.wallet
    ) == [(recorded, 1_330, 2, recorded.replace(day=1), 1_330)]
    assert answer["receipt_number"][6:12] == f"{recorded:%y%m%d}"


def until_one_waits(superuser: psycopg.Connection[Any], charge: Future[Any]) -> None:
    """Return once a statement of this database waits for a lock, or the charge is over."""
    waiting = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    while not charge.done() and superuser.execute(waiting).fetchone() is None:
        time.sleep(0.01)


def test_a_wallet_with_a_count_of_payments_a_day_keeps_it(till: Till) -> None:
    phone = till.phone()
    with till.city.as_superuser() as superuser:
        superuser.execute("UPDATE wallet SET daily_count_limit = 2 WHERE id = %s", (phone.wallet,))
    assert [till.code(till.order(phone)) for _ in range(3)] == ["posted", "posted", "limit_count"]
    with till.city.as_superuser() as superuser:
        superuser.execute("UPDATE wallet SET spent_on = spent_on - 1 WHERE id = %s", (phone.wallet,))
    assert till.code(till.order(phone)) == "posted"


def test_an_item_refused_before_is_kept_unless_its_key_has_an_answer(till: Till) -> None:
    phone = till.phone()
    order = till.order(phone)
    unread: dict[str, Any] = {"handle": None, "generation": None, "step": None, "tap": None, "refusal": "code_expired"}
    first = till.post(order)[0]
    assert till.post(replace(order, **unread))[0] == (first[0], first[1], True)
    assert till.post(till.order(phone, **unread)) == [("code_expired", {"code": "code_expired"}, False)]


def test_a_call_moves_a_wallet_once_and_asks_for_the_rest_again(till: Till) -> None:
    phone, other = till.phone(), till.phone()
    orders = [till.order(phone), till.order(other), till.order(phone), till.order(phone, 6_000)]
    assert [code for code, _, _ in till.post(*orders)] == ["posted", "posted", "again", "again"]
    assert [till.code(order) for order in orders[2:]] == ["posted", "limit_single"]


def test_in_a_test_that_rolls_back_a_charge_is_rolled_back_too(till: Till) -> None:
    phone = till.phone()
    order = till.order(phone)
    poster: GroupPoster[Order, Settled] = GroupPoster("pinned", post_charges, keys_of)
    with db.db.engine.connect() as connection, connection.begin() as outer, db.pinned(connection):
        assert poster.ask(order)[0] == "posted"
        assert poster.ask(order)[2]
        outer.rollback()
    assert till.balance(phone) == 10_000


def test_the_application_may_not_write_a_charge_around_its_function(till: Till) -> None:
    till.code(till.order(till.phone()))
    for statement in ("INSERT INTO charge SELECT * FROM charge", "UPDATE charge SET amount_fen = 1", "DELETE FROM charge"):
        with till.city.as_app() as app, pytest.raises(psycopg.errors.InsufficientPrivilege):
            app.execute(statement)


def test_the_books_balance_after_all_of_it(till: Till) -> None:
    with till.city.flask.app_context():
        assert ledger.trial_balance().balanced
