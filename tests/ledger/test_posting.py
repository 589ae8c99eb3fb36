"""What a posting does, and what it refuses, transfer by transfer."""

from __future__ import annotations

import datetime as dt
from uuid import UUID, uuid4

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core import clock, ids
from payments import ledger
from payments.ledger import Posted, Refused, Why
from tests.ledger.conftest import OTHER_CITY, City, move

pytestmark = pytest.mark.subset


def why(outcome: Posted | Refused) -> Why | None:
    """The reason of a refusal."""
    return outcome.why if isinstance(outcome, Refused) else None


def test_a_transfer_moves_money_and_tells_both_balances(city: City) -> None:
    city.give(1000)
    with city.as_app() as app:
        posted = ledger.post_on(app, [move(city.wallets[0], city.merchant, 300)])[0]
    assert isinstance(posted, Posted)
    assert (posted.debit_balance, posted.credit_balance, posted.known) == (700, 300, False)
    assert (city.balance(city.wallets[0]), city.balance(city.merchant), city.balance(city.bank)) == (700, 300, -3000)


def test_later_transfers_of_a_call_see_the_earlier_ones(city: City) -> None:
    city.give(100, city.wallets[0])
    a, b, c = city.wallets
    with city.as_app() as app:
        answers = ledger.post_on(app, [move(a, b, 100), move(a, c, 1), move(b, c, 100), move(c, a, 100)])
    assert [why(one) for one in answers] == [None, Why.INSUFFICIENT, None, None]
    assert [city.balance(wallet) for wallet in city.wallets] == [100, 0, 0]


def test_a_refusal_refuses_nobody_else(city: City) -> None:
    city.give(100)
    a, b, c = city.wallets
    old = ids.floor_id(clock.now() - dt.timedelta(days=90))
    wanted = [
        (move(a, city.merchant, 100), None),
        (move(b, city.merchant, 101), Why.INSUFFICIENT),
        (move(uuid4(), city.merchant, 1), Why.UNKNOWN_ACCOUNT),
        (move(b, uuid4(), 1), Why.UNKNOWN_ACCOUNT),
        (move(b, b, 1), Why.NOT_A_TRANSFER),
        (move(b, city.merchant, 0), Why.NOT_A_TRANSFER),
        (move(b, city.merchant, -5), Why.NOT_A_TRANSFER),
        (move(b, city.merchant, 10**11 + 1), Why.NOT_A_TRANSFER),
        (move(b, city.elsewhere, 1), Why.NOT_A_TRANSFER),
        (move(b, city.merchant, 1, city_id=OTHER_CITY), Why.NOT_A_TRANSFER),
        (move(b, city.merchant, 1, id=old), Why.NOT_A_TRANSFER),
        (move(b, city.merchant, 1, id=uuid4()), Why.NOT_A_TRANSFER),
        (move(b, city.merchant, 1, kind="gift"), Why.NOT_A_TRANSFER),
        (move(b, city.merchant, 1, kind="reversal"), Why.NOT_A_TRANSFER),
        (move(c, city.merchant, 100), None),
    ]
    with city.as_app() as app:
        answers = ledger.post_on(app, [transfer for transfer, _ in wanted])
    assert [why(one) for one in answers] == [expected for _, expected in wanted]
    assert [city.balance(account) for account in (*city.wallets, city.merchant)] == [0, 100, 0, 200]


def test_a_merchant_may_owe_up_to_its_credit_line(city: City) -> None:
    with city.as_app() as app:
        back = [move(city.merchant, city.wallets[0], amount, kind="refund") for amount in (500, 1)]
        answers = ledger.post_on(app, back)
    assert [why(one) for one in answers] == [None, Why.INSUFFICIENT]


def test_the_same_transfer_again_changes_nothing_and_another_under_its_id_is_refused(city: City) -> None:
    city.give(1000)
    first = move(city.wallets[0], city.merchant, 10, reference=ids.new_id())
    other = move(city.wallets[0], city.merchant, 11, id=first.id, reference=first.reference)
    with city.as_app() as app:
        posted = ledger.post_on(app, [first])[0]
        ledger.post_on(app, [move(city.wallets[0], city.merchant, 5)])
        again, refused = ledger.post_on(app, [first])[0], ledger.post_on(app, [other])[0]
    assert isinstance(posted, Posted)
    assert isinstance(again, Posted)
    assert again.known
    assert (again.debit_balance, again.credit_balance) == (posted.debit_balance, posted.credit_balance)
    assert why(refused) is Why.OTHER_CONTENT
    assert city.balance(city.wallets[0]) == 985


def test_a_transfer_is_reversed_once_and_by_its_mirror_alone(city: City) -> None:
    city.give(100)
    a, b, _ = city.wallets
    paid = move(a, city.merchant, 40)
    with city.as_app() as app:
        ledger.post_on(app, [paid])

        def reversal(debit: UUID, credit: UUID, amount: int, of: UUID = paid.id) -> ledger.Transfer:
            return move(debit, credit, amount, kind="reversal", reverses=of)

        first, second = reversal(city.merchant, a, 40), reversal(city.merchant, a, 40)
        wrong = [
            reversal(city.merchant, a, 39),
            reversal(city.merchant, b, 40),
            reversal(a, city.merchant, 40),
            reversal(city.merchant, a, 40, uuid4()),
        ]
        assert [why(one) for one in ledger.post_on(app, wrong)] == [Why.NOT_A_TRANSFER] * 4
        assert [why(one) for one in ledger.post_on(app, [first, second])] == [None, Why.ALREADY_REVERSED]
        assert [why(one) for one in ledger.post_on(app, [reversal(city.merchant, a, 40)])] == [Why.ALREADY_REVERSED]
        assert [why(one) for one in ledger.post_on(app, [reversal(a, city.merchant, 40, first.id)])] == [Why.NOT_A_TRANSFER]
    assert city.balance(a) == 100


def test_a_callers_mistake_is_an_error_and_leaves_nothing(city: City) -> None:
    city.give(100)
    one = move(city.wallets[0], city.merchant, 10)
    with city.as_app() as app:
        with pytest.raises(psycopg.errors.UniqueViolation):
            ledger.post_on(app, [one, one])
        with pytest.raises(psycopg.errors.InvalidParameterValue):
            app.execute("SELECT * FROM ledger_post('{}'::uuid[], '{1}', '{}', '{}', '{}', '{}', '{}', '{}', '{}')")
    assert city.balance(city.wallets[0]) == 100


def test_no_transfers_is_no_work(city: City) -> None:
    with city.as_app() as app:
        assert ledger.post_on(app, []) == []


AMOUNTS = st.integers(-1, 120)
MOVES = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4), AMOUNTS), min_size=1, max_size=25)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moves=MOVES, cut=st.integers(1, 7))
def test_a_group_is_decided_as_if_each_had_come_alone(city: City, moves: list[tuple[int, int, int]], cut: int) -> None:
    fresh = City(city.url, city.superuser_url, city.flask).open()
    accounts = [fresh.bank, fresh.merchant, *fresh.wallets]
    balances, floors = [0] * 5, [None, -500, 0, 0, 0]
    expected: list[Why | None] = []
    for debit, credit, amount in moves:
        if amount < 1 or debit == credit:
            expected.append(Why.NOT_A_TRANSFER)
            continue
        floor = floors[debit]
        if floor is not None and balances[debit] - amount < floor:
            expected.append(Why.INSUFFICIENT)
            continue
        balances[debit] -= amount
        balances[credit] += amount
        expected.append(None)
    wanted = [move(accounts[debit], accounts[credit], amount) for debit, credit, amount in moves]
    with fresh.as_app() as app:
        answers = [one for at in range(0, len(wanted), cut) for one in ledger.post_on(app, wanted[at : at + cut])]
        rows = app.execute("SELECT id, balance FROM account WHERE id = ANY(%s)", (accounts,)).fetchall()
    assert [why(one) for one in answers] == expected
    assert [dict(rows)[account] for account in accounts] == balances
