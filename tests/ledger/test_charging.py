"""A charge and everything it writes, decided by ``charge_post``; one rule per test."""

from __future__ import annotations

import datetime as dt
import itertools
import random
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core import clock, db, ids
from payments import ledger
from payments.charging import Order, Settled, keys_of, post_charges
from payments.ledger import Ask, GroupPoster
from tests.ledger.conftest import CITY, OTHER_CITY, City

_handles = itertools.count(random.randrange(10**6))
_steps = itertools.count(10**6)


def replace(order: Order, **given: Any) -> Order:
    """The order with some fields changed."""
    return order._replace(**given)


@dataclass(frozen=True)
class Phone:
    """A phone with a card: its handle, and what lies behind."""

    handle: int
    card: UUID
    resident: UUID
    wallet: UUID
    account: UUID


@dataclass
class Till:
    """A terminal of the city's merchant, and the phones that come to it."""

    city: City
    id: UUID
    merchant: UUID

    def phone(self, balance_fen: int = 10_000, **wallet: Any) -> Phone:
        """A phone whose wallet holds money."""
        made = Phone(next(_handles), ids.new_id(), ids.new_id(), ids.new_id(), ids.new_id())
        rows = {
            "single_limit_fen": 5_000,
            "daily_limit_fen": 8_000,
            "monthly_limit_fen": 9_000,
            "state": "open",
            "mode": "platform",
            **wallet,
        }
        with self.city.as_app() as app:
            app.execute("SELECT ledger_open(%s, %s, 'wallet', %s)", (made.account, CITY, made.resident))
        with self.city.as_superuser() as superuser:
            superuser.execute(
                "INSERT INTO card (id, city_id, resident_id, product, issuer, number, form, state, expires_on, masked_name,"
                " wallet_account_id, issued_at, version) VALUES"
                " (%s, %s, %s, 'resident', 'city', %s, 'virtual', 'active', '2099-01-01', '王*明', %s, city_now(), 1)",
                (made.card, CITY, made.resident, f"{made.handle:016d}", made.account),
            )
            superuser.execute(
                "INSERT INTO pay_handle (handle, city_id, device_id, card_id, resident_id, generation, given_at)"
                " VALUES (%s, %s, gen_random_uuid(), %s, %s, 1, city_now())",
                (made.handle, CITY, made.card, made.resident),
            )
            superuser.execute(
                "INSERT INTO wallet (id, city_id, resident_id, account_id, single_limit_fen, daily_limit_fen, monthly_limit_fen,"
                " state, mode) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
                (made.wallet, CITY, made.resident, made.account, *rows.values()),
            )
        if balance_fen:
            self.city.give(balance_fen, made.account)
        return made

    def order(self, phone: Phone, amount_fen: int = 1_230, **given: Any) -> Order:
        """A charge of a fresh code of the phone."""
        charge_id = ids.new_id()
        base = Order(
            principal=self.id, key=str(charge_id), body_hash=bytes(32), request_id=None, charge_id=charge_id,
            subject=ids.show("charge", charge_id), transfer_id=ids.new_id(), audit_id=ids.new_id(), outbox_id=ids.new_id(), city_id=CITY,
            terminal_id=self.id, merchant_id=self.city.merchant, account_id=self.merchant, amount_fen=amount_fen, occurred_at=clock.now(),
            handle=phone.handle, generation=1, step=next(_steps), tap=0,
        )  # fmt: skip
        return base._replace(**given)

    def post(self, *orders: Order) -> list[tuple[str, dict[str, Any], bool]]:
        """Hand orders to the function in one call; 'again' shows as such."""
        with self.city.as_app() as app:
            answers = post_charges(app, [Ask(order, frozenset()) for order in orders])
        return [("again", {}, False) if isinstance(one, frozenset) else one for one in answers]

    def code(self, order: Order) -> str:
        """What one order is answered with."""
        return self.post(order)[0][0]

    def presented(self, phone: Phone, *, terminal: UUID | None = None, seconds: float = 120, step: int | None = None) -> UUID:
        """A presentation of a fresh code at a terminal."""
        presentation = ids.new_id()
        self.run(
            "INSERT INTO presented VALUES (%s, %s, 0, %s, %s, %s, city_now(), city_now() + make_interval(secs => %s))",
            phone.handle, step or next(_steps), presentation, terminal or self.id, phone.card, seconds,
        )  # fmt: skip
        return presentation

    def run(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """A statement past every guard, to set the scene or look at it."""
        with self.city.as_superuser() as superuser:
            done = superuser.execute(statement, values)
            return done.fetchall() if done.description else []

    def balance(self, phone: Phone) -> int:
        """What the phone's wallet holds."""
        return self.city.balance(phone.account)


@pytest.fixture
def till(city: City) -> Till:
    """A till of the merchant."""
    return Till(city, ids.new_id(), city.merchant)


def by_presentation(order: Order, presentation: UUID) -> Order:
    """The same charge by a presentation instead of a code."""
    return replace(order, handle=None, generation=None, step=None, tap=None, presentation_id=presentation)


def test_a_charge_writes_all_that_belongs_to_it(till: Till) -> None:
    phone = till.phone()
    order = till.order(phone)
    code, answer, replayed = till.post(order)[0]
    assert (code, replayed, answer["balance_after_fen"]) == ("posted", False, 8_770)
    charge = till.run("SELECT amount_fen, state, receipt_number, transfer_id, resident_id FROM charge WHERE id = %s", order.charge_id)[0]
    assert charge == (1_230, "posted", answer["receipt_number"], order.transfer_id, phone.resident)
    assert int(answer["receipt_number"]) % 97 == 1
    assert till.run("SELECT kind, amount_fen, reference FROM transfer WHERE id = %s", order.transfer_id) == [
        ("charge", 1_230, order.charge_id)
    ]
    assert till.run("SELECT spent_day_fen, spent_day_count, spent_month_fen FROM wallet WHERE id = %s", phone.wallet) == [(1_230, 1, 1_230)]
    assert till.run("SELECT event, payload ->> 'receipt_number' FROM outbox WHERE id = %s", order.outbox_id) == [
        ("payments:charge:post", answer["receipt_number"])
    ]
    assert till.run("SELECT event, outcome, resident_id FROM audit WHERE id = %s", order.audit_id) == [
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
    assert till.run("SELECT event, outcome FROM audit WHERE id = %s", order.audit_id) == [("payments:charge:refuse", "insufficient_funds")]
    assert till.code(replace(order, key="another key", charge_id=ids.new_id(), transfer_id=ids.new_id(), audit_id=ids.new_id())) == "posted"


def test_a_code_pays_once(till: Till) -> None:
    phone = till.phone()
    order = till.order(phone)
    assert till.code(order) == "posted"
    assert till.code(till.order(phone, step=order.step)) == "code_used"
    assert till.code(till.order(phone, step=order.step, tap=1)) == "posted"


def test_a_code_presented_elsewhere_is_dead_and_one_presented_here_is_not(till: Till) -> None:
    phone, step = till.phone(), next(_steps)
    till.presented(phone, terminal=ids.new_id(), step=step)
    assert till.code(till.order(phone, step=step)) == "code_used"
    here = next(_steps)
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


CHARGES = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 3), st.sampled_from([1, 40, 60, 101]), st.booleans(), st.sampled_from("abcdef")),
    min_size=1,
    max_size=20,
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(charges=CHARGES)
def test_the_poster_answers_a_group_as_the_rules_say_one_by_one(till: Till, charges: list[tuple[int, int, int, bool, str]]) -> None:
    # Phones of three wallets, four codes each, few keys: replays, reused keys and used codes come by themselves.
    phones = [till.phone(150, single_limit_fen=100, daily_limit_fen=130) for _ in range(3)]
    first_step, principal = next(_steps) * 1_000, ids.new_id()
    orders = []
    for who, tap, amount, changed, key in charges:
        order = till.order(phones[who], amount, step=first_step, tap=tap, principal=principal, key=f"key-{key}")
        orders.append(replace(order, body_hash=bytes([who, tap, amount % 256, changed]) * 8))
    expected = _by_the_rules(orders, [phone.handle for phone in phones])
    poster: GroupPoster[Order, Settled] = GroupPoster("model", post_charges, keys_of, connect=till.city.as_app)
    held: list[Ask[Order, Settled]] = [Ask(order, frozenset(keys_of(order))) for order in orders]
    for one in held:
        one.done.acquire()
    waiting = list(held)
    while waiting:
        batch, waiting = poster._next_batch(waiting)
        waiting = poster._post(batch) + waiting
    assert [(one.outcome()[0], one.outcome()[2]) for one in held] == expected


def _by_the_rules(orders: list[Order], handles: list[int]) -> list[tuple[str, bool]]:
    balance, spent = dict.fromkeys(handles, 150), dict.fromkeys(handles, 0)
    kept: dict[str, tuple[bytes, str]] = {}
    used: set[tuple[int | None, int | None]] = set()
    answers = []
    for order in orders:
        assert order.handle is not None
        if order.key in kept:
            hashed, code = kept[order.key]
            answers.append((code, True) if hashed == order.body_hash else ("idempotency_key_reused", False))
            continue
        code = "posted"
        if (order.handle, order.tap) in used:
            code = "code_used"
        elif order.amount_fen > 100:
            code = "limit_single"
        elif spent[order.handle] + order.amount_fen > 130:
            code = "limit_daily"
        elif balance[order.handle] < order.amount_fen:
            code = "insufficient_funds"
        else:
            used.add((order.handle, order.tap))
            balance[order.handle] -= order.amount_fen
            spent[order.handle] += order.amount_fen
        kept[order.key] = (order.body_hash, code)
        answers.append((code, False))
    return answers


def test_a_hundred_threads_with_one_code_in_two_processes_pay_once(till: Till) -> None:
    phone = till.phone()
    posters: list[GroupPoster[Order, Settled]] = [GroupPoster(name, post_charges, keys_of, connect=till.city.as_app) for name in "ab"]
    step, start = next(_steps), threading.Barrier(100)

    def pay(nth: int) -> str:
        order = till.order(phone, step=step)
        start.wait()
        return posters[nth % 2].ask(order)[0]

    with ThreadPoolExecutor(100) as pool:
        answers = Counter(pool.map(pay, range(100)))
    assert answers == {"posted": 1, "code_used": 99}
    assert till.balance(phone) == 8_770


def test_a_hundred_threads_with_one_key_in_two_processes_pay_once(till: Till) -> None:
    phone = till.phone()
    posters: list[GroupPoster[Order, Settled]] = [GroupPoster(name, post_charges, keys_of, connect=till.city.as_app) for name in "ab"]
    start = threading.Barrier(40)

    def pay(nth: int) -> tuple[str, bool]:
        order = till.order(phone, key="one key")
        start.wait()
        answer = posters[nth % 2].ask(order)
        return answer[0], answer[2]

    with ThreadPoolExecutor(40) as pool:
        answers = Counter(pool.map(pay, range(40)))
    assert answers == {("posted", False): 1, ("posted", True): 39}
    assert till.balance(phone) == 8_770


def test_a_code_is_presented_or_charged_but_not_both(till: Till) -> None:
    phone = till.phone(balance_fen=100_000, daily_limit_fen=10**6, monthly_limit_fen=10**6)
    poster: GroupPoster[Order, Settled] = GroupPoster("race", post_charges, keys_of, connect=till.city.as_app)

    def present(step: int) -> bool:
        with till.city.as_app() as app:
            row = app.execute(
                "SELECT refusal FROM present_code_v1(%s, %s, %s, 'terminal', %s, %s, 1, %s, 0::smallint, city_now(), current_date,"
                " 'present', '{}')",
                (ids.new_id(), ids.new_id(), CITY, ids.new_id(), phone.handle, step),
            ).fetchone()
        return row == (None,)

    with ThreadPoolExecutor(2) as pool:
        for _ in range(30):
            order = till.order(phone, 10)
            assert order.step is not None
            shown, paid = pool.submit(present, order.step), pool.submit(poster.ask, order)
            assert shown.result() != (paid.result()[0] == "posted")


def test_backends_killed_in_mid_charge_lose_and_double_nothing(till: Till) -> None:
    phones = [till.phone(10_000, daily_limit_fen=10**6, monthly_limit_fen=10**6) for _ in range(8)]
    posters: list[GroupPoster[Order, Settled]] = [GroupPoster(name, post_charges, keys_of, connect=till.city.as_app) for name in "ab"]
    orders = [till.order(phones[nth % 8], 7) for nth in range(400)]
    over = threading.Event()

    def kill() -> None:
        with till.city.as_superuser() as superuser:
            while not over.wait(0.06):
                superuser.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
                    " AND query LIKE '%charge_post%' AND pid <> pg_backend_pid()"
                )

    with ThreadPoolExecutor(17) as pool:
        killer = pool.submit(kill)
        try:
            answers = Counter(pool.map(lambda nth: posters[nth % 2].ask(orders[nth])[0], range(400)))
        finally:
            over.set()
            killer.result()
    assert answers == {"posted": 400}
    assert [till.balance(phone) for phone in phones] == [10_000 - 50 * 7] * 8
    assert till.run("SELECT count(*) FROM charge WHERE id = ANY(%s)", [order.charge_id for order in orders]) == [(400,)]


def test_many_payers_into_one_merchant_from_two_processes_lose_nothing(till: Till) -> None:
    phones = [till.phone(50, daily_limit_fen=1_000) for _ in range(12)]
    posters: list[GroupPoster[Order, Settled]] = [GroupPoster(name, post_charges, keys_of, connect=till.city.as_app) for name in "ab"]

    def pay(nth: int) -> str:
        return posters[nth % 2].ask(till.order(phones[nth % 12], 7))[0]

    with ThreadPoolExecutor(24) as pool:
        answers = Counter(pool.map(pay, range(240)))
    assert answers == {"posted": 12 * 7, "insufficient_funds": 12 * 13}
    assert [till.balance(phone) for phone in phones] == [1] * 12
    assert till.city.balance(till.merchant) == 12 * 7 * 7


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
    assert dt.timedelta() == clock.offset()
