"""Charges that meet: groups against the rules one by one, many threads over two posters, and backends killed in between."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core import ids
from core.poster import Ask
from payments.charging import Order, Settled, keys_of
from payments.ledger import OutcomeUnknown
from tests.ledger.conftest import CITY, City
from tests.ledger.tills import Till, replace, steps

pytestmark = pytest.mark.subset


@pytest.fixture
def till(city: City) -> Till:
    """A till of the merchant."""
    return Till(city, ids.new_id(), city.merchant)


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
    first_step, principal = next(steps) * 1_000, ids.new_id()
    orders = []
    for who, tap, amount, changed, key in charges:
        order = till.order(phones[who], amount, step=first_step, tap=tap, principal=principal, key=f"key-{key}")
        orders.append(replace(order, body_hash=bytes([who, tap, amount % 256, changed]) * 8))
    poster = till.poster("model")
    held: list[Ask[Order, Settled]] = [Ask(order, frozenset(keys_of(order))) for order in orders]
    for one in held:
        one.done.acquire()
    waiting, settled = list(held), []
    while waiting:
        batch, waiting = poster._next_batch(waiting)
        again = poster._post(batch)
        settled += [one for one in batch if all(one is not other for other in again)]
        waiting = again + waiting
    # One that waits for another's key is overtaken by those that wait for none: the rules hold in the order in which they were settled.
    expected = _by_the_rules([one.item for one in settled], [phone.handle for phone in phones])
    assert [(one.outcome()[0], one.outcome()[2]) for one in settled] == expected


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
    posters = [till.poster(name) for name in "ab"]
    step, start = next(steps), threading.Barrier(100)

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
    posters = [till.poster(name) for name in "ab"]
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
    poster = till.poster("race")

    def present(step: int) -> bool:
        with till.city.as_app() as app:
            row = app.execute(
                "SELECT refusal FROM present_codes(ARRAY[%s], ARRAY[%s], '{terminal}', ARRAY[%s], ARRAY[%s::bigint], '{1}',"
                " ARRAY[%s::bigint], '{0}', '{present}', '{\"{masked_name}\"}', city_now())",
                (ids.new_id(), CITY, ids.new_id(), phone.handle, step),
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
    posters = [till.poster(name) for name in "ab"]
    orders = [till.order(phones[nth % 8], 7) for nth in range(400)]
    over = threading.Event()

    def kill() -> None:
        with till.city.as_superuser() as superuser:
            while not over.wait(0.06):
                superuser.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
                    " AND query LIKE '%charge_post%' AND pid <> pg_backend_pid()"
                )

    def ask(nth: int) -> str:
        """As a till does: where the outcome is not known in time, the same charge is asked again."""
        while True:
            try:
                return posters[nth % 2].ask(orders[nth])[0]
            except OutcomeUnknown:
                continue

    with ThreadPoolExecutor(17) as pool:
        killer = pool.submit(kill)
        try:
            answers = Counter(pool.map(ask, range(400)))
        finally:
            over.set()
            killer.result()
    assert answers == {"posted": 400}
    assert [till.balance(phone) for phone in phones] == [10_000 - 50 * 7] * 8
    assert till.run("SELECT count(*) FROM charge WHERE id = ANY(%s)", [order.charge_id for order in orders]) == [(400,)]


def test_many_payers_into_one_merchant_from_two_processes_lose_nothing(till: Till) -> None:
    phones = [till.phone(50, daily_limit_fen=1_000) for _ in range(12)]
    posters = [till.poster(name) for name in "ab"]

    def pay(nth: int) -> str:
        return posters[nth % 2].ask(till.order(phones[nth % 12], 7))[0]

    with ThreadPoolExecutor(24) as pool:
        answers = Counter(pool.map(pay, range(240)))
    assert answers == {"posted": 12 * 7, "insufficient_funds": 12 * 13}
    assert [till.balance(phone) for phone in phones] == [1] * 12
    assert till.city.balance(till.merchant) == 12 * 7 * 7
