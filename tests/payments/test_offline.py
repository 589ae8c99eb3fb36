"""Trades taken without network: proved again, paid once, their loss bounded and known to whom."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

import cards
import payments
from core import clock, crypto
from payments import receipts
from payments.offline import errors
from payments.offline.accounts import risk_account
from payments.offline.rules import Result, Taken, Why, bound_fen, in_time, verdict
from tests.payments.conftest import LINHU, Town
from tests.payments.gates import card_of, phone, post, risk_fen

pytestmark = pytest.mark.subset

Move = Callable[[dt.timedelta], None]


@pytest.fixture(autouse=True)
def _wired(town: Town) -> None:
    crypto.signing.forget()
    cards.configure(prefixes={990100: "81", LINHU: "82"}, after_issue=(payments.open_wallet_for,), before_authorise=(payments.cover,))


def test_a_trade_is_taken_without_network_and_paid_later(town: Town) -> None:
    holder = town.holder(10_000)
    gate, mine = post(town), phone(town, holder)
    assert gate.scan(mine.code(), 300) is None
    assert town.balance(holder) == 10_000
    assert gate.upload() == [("paid", None)]
    assert (town.balance(holder), town.balanced()) == (9_700, True)
    page = town.do(receipts.receipts_of, holder, cursor=None, limit=10)
    assert [(each.kind, each.change_fen) for each in page.items] == [("offline", -300), ("top_up", 10_000)]


def test_a_batch_sent_again_gets_its_first_answer_and_moves_nothing(town: Town) -> None:
    holder = town.holder(10_000)
    gate, mine = post(town), phone(town, holder)
    gate.scan(mine.code(0), 300)
    gate.scan(mine.code(1), 200)
    first = gate.upload(keep=True)
    assert [gate.upload(keep=True) for _ in range(3)] == [first] * 3
    assert town.balance(holder) == 9_500


def test_a_serial_number_stands_for_one_trade(town: Town) -> None:
    holder = town.holder(10_000)
    gate, mine = post(town), phone(town, holder)
    gate.scan(mine.code(), 300)
    gate.upload(keep=True)
    with pytest.raises(errors.SerialReused):
        gate.send([gate.waiting[0]._replace(amount_fen=301)])


def test_a_batch_needs_the_terminals_own_signature_and_order(town: Town) -> None:
    holder = town.holder(10_000)
    gate, mine = post(town), phone(town, holder)
    gate.scan(mine.code(0), 300)
    gate.scan(mine.code(1), 300)
    with pytest.raises(errors.BatchSignatureWrong):
        gate.send(gate.waiting, key=ec.generate_private_key(ec.SECP256R1()))
    with pytest.raises(errors.BatchOutOfOrder):
        gate.send(gate.waiting[::-1])
    assert town.rows("SELECT count(*) FROM offline_trade") == [(0,)]


def test_a_terminal_cannot_ask_more_than_the_resident_authorised(town: Town) -> None:
    holder = town.holder(10_000)
    gate, mine = post(town), phone(town, holder)
    gate.scan(mine.code(), 1_000)
    (trade,) = gate.waiting
    assert gate.send([trade._replace(amount_fen=1_001)]) == [("refused", "over_limit")]
    assert town.balance(holder) == 10_000


def test_a_made_up_code_is_refused_at_the_centre_too(town: Town) -> None:
    holder = town.holder(10_000)
    gate, mine = post(town), phone(town, holder)
    gate.scan(mine.code(), 300)
    (trade,) = gate.waiting
    swapped = trade.code[:60] + ("0" if trade.code[60] != "0" else "1") + trade.code[61:]
    ((result, reason),) = gate.send([trade._replace(code=swapped)])
    assert (result, reason is not None) == ("refused", True)


def test_a_code_of_another_city_is_refused(town: Town) -> None:
    holder = town.holder(10_000, city_id=LINHU)
    gate, mine = post(town), phone(town, holder)
    assert gate.scan(mine.code(), 300) == "unknown_issuer"


def test_identity_alone_is_noted_and_costs_nothing(town: Town) -> None:
    holder = town.holder(10_000)
    gate, mine = post(town, merchant=False), phone(town, holder, limit_fen=0)
    assert gate.scan(mine.code(), 0) is None
    assert gate.upload() == [("noted", None)]


def test_one_authorisation_at_two_gates_costs_the_city_once_and_stops_the_card(town: Town) -> None:
    holder = town.holder(10_000)
    first, second, mine = post(town), post(town), phone(town, holder)
    assert (first.scan(mine.code(), 300), second.scan(mine.code(), 300)) == (None, None)
    assert (first.upload(), second.upload()) == ([("paid", None)], [("risk", "double_spent")])
    assert (town.balance(holder), risk_fen(town), town.balanced()) == (9_700, 300, True)
    assert town.do(cards.card_of, holder, card_of(town, holder)).refused == "card_frozen"
    second.sync()
    assert second.scan(mine.code(1), 100) == "listed"


def test_what_the_wallet_does_not_hold_is_paid_by_the_city_and_made_good_first(town: Town) -> None:
    holder = town.holder(3_000)
    gate, mine = post(town), phone(town, holder, count=3, limit_fen=1_000)
    town.charge(holder, 2_800)
    gate.scan(mine.code(0), 150)
    gate.scan(mine.code(1), 900)
    assert gate.upload() == [("paid", None), ("risk", "insufficient")]
    with pytest.raises(errors.OfflineOwed):
        phone(town, holder, count=1)
    with town.app.app_context():
        town.do(payments.credit_opening_top_ups, holder, city_id=990100, amounts={holder.id: 5_000})
    phone(town, holder, count=1)
    assert (town.balance(holder), risk_fen(town), town.balanced()) == (50 + 5_000 - 900, 0, True)
    assert town.do(payments.ledger.balance, risk_account(990100)) == 0


def test_no_authorisations_beyond_what_the_wallet_holds(town: Town) -> None:
    holder = town.holder(2_999)
    with pytest.raises(errors.OfflineNotCovered):
        phone(town, holder, count=3, limit_fen=1_000)
    phone(town, holder, count=2, limit_fen=1_000)
    with pytest.raises(errors.OfflineNotCovered):
        phone(town, holder, count=1, limit_fen=1_000)


def test_from_the_report_of_loss_on_the_resident_pays_nothing(town: Town, at: Move) -> None:
    """Threat 6: until a gate without network has the next snapshot the city bears it, after that the gate's merchant."""
    holder = town.holder(10_000)
    gate, mine = post(town), phone(town, holder)
    gate.scan(mine.code(0), 100)
    at(dt.timedelta(seconds=10))
    town.do(cards.report_loss, holder, card_of(town, holder))
    at(dt.timedelta(seconds=10))
    gate.scan(mine.code(1), 100)
    at(dt.timedelta(minutes=16))
    gate.scan(mine.code(2), 100)
    assert gate.upload() == [("paid", None), ("risk", "lost"), ("refused", "listed")]
    assert (town.balance(holder), risk_fen(town), town.balanced()) == (9_900, 100, True)


def test_a_loss_is_refused_at_the_centre_at_once_online_within_a_poll_offline_with_the_next_snapshot(town: Town, at: Move) -> None:
    holder = town.holder(10_000)
    online, offline, mine = post(town), post(town), phone(town, holder)
    town.do(cards.report_loss, holder, card_of(town, holder))
    assert town.do(cards.card_of, holder, card_of(town, holder)).refused == "card_lost"
    at(dt.timedelta(seconds=5))
    online.sync()
    assert online.scan(mine.code(), 100) == "listed"
    assert offline.scan(mine.code(), 100) is None
    offline.sync()
    assert offline.scan(mine.code(1), 100) == "listed"


def test_upload_has_an_end(town: Town, at: Move) -> None:
    holder = town.holder(10_000)
    gate, mine = post(town), phone(town, holder)
    gate.scan(mine.code(), 300)
    at(dt.timedelta(days=10, seconds=61))
    assert gate.upload() == [("refused", "too_late")]


def test_the_loss_of_a_double_spender_stays_within_the_bound(town: Town) -> None:
    """Threat 5: one card at T disconnected terminals costs at most what its authorisations allow, T times; the books balance."""
    chance = random.Random(11)
    for terminals in (1, 2, 5):
        holder = town.holder(10_000)
        mine = phone(town, holder, count=8, limit_fen=1_000)
        posts = [post(town) for _ in range(terminals)]
        before, charged = risk_fen(town), 0
        for nth in range(8):
            for gate in chance.sample(posts, chance.randint(1, terminals)):
                amount = chance.randint(1, 1_000)
                refused = gate.scan(mine.code(nth), amount)
                assert refused is None, refused
                charged += amount
        for gate in chance.sample(posts, terminals):
            while gate.waiting:
                gate.upload()
        lost = risk_fen(town) - before
        paid = 10_000 - town.balance(holder)
        assert lost + paid == charged
        assert lost <= bound_fen(8 * 1_000, terminals) - paid
        assert town.balanced()
        assert (lost > 0) == (terminals > 1)
        if terminals > 1:
            assert town.do(cards.card_of, holder, card_of(town, holder)).refused == "card_frozen"
        for gate in posts:
            gate.sync()
        assert terminals == 1 or {gate.scan(mine.code(nth), 1) for gate in posts for nth in range(8)} <= {"listed", "replayed"}


def test_the_worst_case_reaches_the_bound_and_never_passes_it(town: Town) -> None:
    """Each authorisation at every terminal for its whole limit: 500 yuan for each terminal, of which the wallet bears the first."""
    holder = town.holder(50_000)
    mine = phone(town, holder, count=50)
    posts = [post(town) for _ in range(3)]
    for nth in range(50):
        assert [gate.scan(mine.code(nth), 1_000) for gate in posts] == [None] * 3
        assert [gate.scan(mine.code(nth), 1_000) for gate in posts] == ["replayed"] * 3
    for gate in posts:
        assert len(gate.upload()) == 50
    assert risk_fen(town) == bound_fen(50_000, 3) - 50_000
    assert (town.balance(holder), town.balanced()) == (0, True)


BASE = Taken(
    amount_fen=100,
    limit_fen=1_000,
    occurred_at=dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC),
    has_merchant=True,
    has_wallet=True,
    listed_at=None,
    lost_at=None,
    before=None,
)


@pytest.mark.parametrize(
    ("changed", "result", "why"),
    [
        ({}, Result.PAID, None),
        ({"amount_fen": 0}, Result.NOTED, None),
        ({"amount_fen": 0, "before": "elsewhere"}, Result.REFUSED, Why.DOUBLE_SPENT),
        ({"amount_fen": 1_001}, Result.REFUSED, Why.OVER_LIMIT),
        ({"has_merchant": False}, Result.REFUSED, Why.NO_MERCHANT),
        ({"has_wallet": False}, Result.RISK, Why.NO_WALLET),
        ({"before": "here"}, Result.REFUSED, Why.REPLAYED),
        ({"before": "elsewhere"}, Result.RISK, Why.DOUBLE_SPENT),
        ({"lost_at": BASE.occurred_at}, Result.RISK, Why.LOST),
        ({"lost_at": BASE.occurred_at + dt.timedelta(seconds=1)}, Result.PAID, None),
        ({"listed_at": BASE.occurred_at - dt.timedelta(minutes=15)}, Result.PAID, None),
        ({"listed_at": BASE.occurred_at - dt.timedelta(minutes=15, seconds=1)}, Result.REFUSED, Why.LISTED),
    ],
)
def test_each_case_has_its_verdict(changed: dict[str, object], result: Result, why: Why | None) -> None:
    assert verdict(replace(BASE, **changed)) == (result, why)


def test_a_trade_may_come_late_but_not_from_the_future() -> None:
    now = clock.now()
    assert in_time(now - dt.timedelta(days=10), now) is None
    assert in_time(now - dt.timedelta(days=10, seconds=1), now) is Why.TOO_LATE
    assert in_time(now + dt.timedelta(seconds=61), now) is Why.FROM_THE_FUTURE
