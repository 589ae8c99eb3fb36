"""A loss is no free ride: what was taken after a report is the city's only while its holder does not take it back, and once a year."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import pytest

import cards
import payments
from cards.loss import lapse_losses
from core import crypto
from core.actors import Actor, system
from payments.offline import errors
from payments.offline.rules import Why, owed
from tests.cards.conftest import lasting, products, proved
from tests.payments.conftest import LINHU, YUNCHUAN, Town
from tests.payments.gates import card_of, phone, post, risk_fen

pytestmark = pytest.mark.subset

Move = Callable[[dt.timedelta], None]
SECONDS, DAY = dt.timedelta(seconds=5), dt.timedelta(days=1)


@pytest.fixture(autouse=True)
def _wired(town: Town) -> None:
    crypto.signing.forget()
    cards.configure(
        prefixes={YUNCHUAN: "81", LINHU: "82"},
        after_issue=(payments.open_wallet_for,),
        before_authorise=(payments.cover,),
        after_found=(payments.collect,),
    )


def ride_lost(town: Town, holder: Actor, at: Move) -> None:
    """Report the card lost, ride at a gate that cannot know it yet, and let the gate upload."""
    gate, mine = post(town), phone(town, holder, count=3, limit_fen=1_000)
    at(SECONDS)
    town.do(cards.report_loss, holder, card_of(town, holder))
    at(SECONDS)
    assert [gate.scan(mine.code(nth), 1_000) for nth in range(3)] == [None] * 3
    assert gate.upload() == [("risk", "lost")] * 3


def take_back(town: Town, holder: Actor) -> None:
    town.do(cards.take_back_loss, proved(holder), card_of(town, holder))


def fill(town: Town, holder: Actor, fen: int) -> None:
    town.do(payments.credit_opening_top_ups, holder, city_id=YUNCHUAN, amounts={holder.id: fen})


def test_who_takes_the_report_back_pays_what_was_taken_since(town: Town, at: Move) -> None:
    holder = town.holder(10_000)
    for _ in range(3):
        ride_lost(town, holder, at)
        assert risk_fen(town) == 3_000
        before = town.balance(holder)
        take_back(town, holder)
        assert (town.balance(holder), risk_fen(town), town.balanced()) == (before - 3_000, 0, True)
        at(DAY)
    assert town.rows("SELECT count(*), count(DISTINCT detail->>'amount_fen') FROM audit WHERE event = 'payments:offline:repay'") == [(3, 1)]


def test_nobody_fetches_authorisations_of_value_before_it_is_paid(town: Town, at: Move) -> None:
    holder = town.holder(3_000)
    gate, mine = post(town), phone(town, holder, count=3, limit_fen=1_000)
    town.charge(holder, 2_500)
    at(SECONDS)
    town.do(cards.report_loss, holder, card_of(town, holder))
    at(SECONDS)
    assert [gate.scan(mine.code(nth), 1_000) for nth in range(3)] == [None] * 3
    assert set(gate.upload()) == {("risk", "lost")}
    take_back(town, holder)
    assert (town.balance(holder), risk_fen(town)) == (500, 3_000)
    with pytest.raises(errors.OfflineOwed) as refused:
        phone(town, holder, count=1)
    assert refused.value.facts["owed_fen"] == 3_000
    phone(town, holder, count=1, limit_fen=0)
    fill(town, holder, 8_000)
    phone(town, holder, count=1)
    assert (town.balance(holder), risk_fen(town), town.balanced()) == (5_500, 0, True)


def test_a_gate_that_uploads_after_the_report_was_taken_back_is_paid_by_the_wallet(town: Town, at: Move) -> None:
    holder = town.holder(10_000)
    gate, mine = post(town), phone(town, holder)
    at(SECONDS)
    town.do(cards.report_loss, holder, card_of(town, holder))
    at(SECONDS)
    gate.scan(mine.code(), 700)
    take_back(town, holder)
    assert gate.upload() == [("paid", None)]
    assert (town.balance(holder), risk_fen(town)) == (9_300, 0)


def test_a_cancelled_card_stays_lost_to_gates_that_upload_later(town: Town, at: Move) -> None:
    holder = town.holder(10_000)
    gate, mine = post(town), phone(town, holder)
    at(SECONDS)
    town.do(cards.report_loss, holder, card_of(town, holder))
    at(SECONDS)
    gate.scan(mine.code(), 700)
    town.do(cards.take_by_name, system("clerk", YUNCHUAN), card_of(town, holder), "cancel", reason="本人申请")
    assert gate.upload() == [("risk", "lost")]
    assert town.balance(holder) == 10_000


def lasts(town: Town, **rule: Any) -> None:
    """The city's rule of how long a report lasts, and what then."""
    town.do(cards.apply_products, YUNCHUAN, [lasting(products("yunchuan")[0], **rule)])


def lapse(town: Town, at: Move, after: dt.timedelta = 16 * DAY) -> None:
    """Let the report run out by itself."""
    at(after)
    assert town.do(lapse_losses, system("cards", YUNCHUAN)) == 1


def test_what_was_taken_under_a_report_that_lapsed_stays_the_citys_also_when_the_card_is_used_again(town: Town, at: Move) -> None:
    holder = town.holder(10_000)
    ride_lost(town, holder, at)
    lapse(town, at)
    phone(town, holder, count=1)
    assert (town.balance(holder), risk_fen(town), town.balanced()) == (10_000, 3_000, True)


def test_of_reports_that_lapse_the_city_bears_one_in_a_year(town: Town, at: Move) -> None:
    """The same card, reported and ridden again: what was taken under every further report is owed."""
    lasts(town, temporary_days=5, when_lapsed="release")
    holder = town.holder(20_000)
    for nth in range(3):
        ride_lost(town, holder, at)
        lapse(town, at, 6 * DAY)
        phone(town, holder, count=1)
        assert (town.balance(holder), risk_fen(town)) == (20_000 - 3_000 * nth, 3_000)
        at(DAY)
    assert town.balanced()


def test_whether_a_report_lapses_into_the_cards_life_or_its_end_is_the_same_to_the_resident(town: Town, at: Move) -> None:
    lasts(town, temporary_days=15, when_lapsed="cancel")
    holder = town.holder(10_000)
    ride_lost(town, holder, at)
    lapse(town, at)
    town.do(cards.issue_card, holder, "resident")
    phone(town, holder, count=1)
    assert (town.balance(holder), risk_fen(town)) == (10_000, 3_000)


def test_taking_back_a_later_report_says_nothing_of_one_that_lapsed(town: Town, at: Move) -> None:
    holder = town.holder(20_000)
    ride_lost(town, holder, at)
    lapse(town, at)
    ride_lost(town, holder, at)
    assert risk_fen(town) == 6_000
    take_back(town, holder)
    assert (town.balance(holder), risk_fen(town)) == (17_000, 3_000)


def test_who_took_a_report_back_and_could_not_pay_owes_it_also_after_the_next_report(town: Town, at: Move) -> None:
    holder = town.holder(3_000)
    gate, mine = post(town), phone(town, holder, count=3, limit_fen=1_000)
    town.charge(holder, 2_500)
    at(SECONDS)
    town.do(cards.report_loss, holder, card_of(town, holder))
    at(SECONDS)
    assert [gate.scan(mine.code(nth), 1_000) for nth in range(3)] == [None] * 3
    assert set(gate.upload()) == {("risk", "lost")}
    take_back(town, holder)
    at(SECONDS)
    town.do(cards.report_loss, holder, card_of(town, holder))
    town.do(cards.replace_card, proved(holder), card_of(town, holder), reason="lost")
    with pytest.raises(errors.OfflineOwed):
        phone(town, holder, count=1)
    fill(town, holder, 8_000)
    phone(town, holder, count=1)
    assert (town.balance(holder), risk_fen(town)) == (5_500, 0)


def test_a_gate_that_uploads_after_the_report_lapsed_is_paid_by_the_city(town: Town, at: Move) -> None:
    lasts(town, temporary_days=3, when_lapsed="release")
    holder = town.holder(10_000)
    gate, mine = post(town), phone(town, holder)
    gate.scan(mine.code(0), 300)
    at(SECONDS)
    town.do(cards.report_loss, holder, card_of(town, holder))
    at(SECONDS)
    gate.scan(mine.code(1), 700)
    lapse(town, at, 4 * DAY)
    assert gate.upload() == [("paid", None), ("risk", "lost")]
    phone(town, holder, count=1)
    assert (town.balance(holder), risk_fen(town)) == (9_700, 700)
    gate.sync()
    assert gate.scan(phone(town, holder, count=1).code(), 100) is None
    assert gate.upload() == [("paid", None)]


def test_the_city_bears_one_card_that_was_given_up_in_a_year(town: Town, at: Move) -> None:
    """Reporting, riding and replacing is free once a year: whoever lost the card bears nothing, and whoever repeats it does."""
    holder = town.holder(20_000)
    for nth in range(3):
        ride_lost(town, holder, at)
        town.do(cards.replace_card, proved(holder), card_of(town, holder), reason="lost")
        at(DAY)
        phone(town, holder, count=1)
        assert (town.balance(holder), risk_fen(town)) == (20_000 - 3_000 * nth, 3_000)
    assert town.balanced()


@dataclass
class Uncovered:
    """A trade that the city paid."""

    card_id: UUID | None
    reason: str | None
    occurred_at: dt.datetime
    recorded_at: dt.datetime


NOW = dt.datetime(2026, 6, 1, 12, tzinfo=dt.UTC)
FIRST, SECOND = uuid4(), uuid4()


def ago(days: float) -> dt.datetime:
    return NOW - dt.timedelta(days=days)


def stood(days: float) -> cards.Loss:
    """A report that stands, or that ended with its card."""
    return cards.Loss(ago(days + 0.01))


def lapsed(days: float) -> cards.Loss:
    return cards.Loss(ago(days + 0.01), ago(days - 0.5))


def taken_back(days: float) -> cards.Loss:
    return cards.Loss(ago(days + 0.01), ago(days - 0.5), taken_back=True)


@pytest.mark.parametrize(
    ("trades", "losses", "is_owed"),
    [
        ([(FIRST, Why.INSUFFICIENT, 1), (SECOND, Why.INSUFFICIENT, 400)], {}, [True, True]),
        ([(FIRST, Why.LOST, 1)], {FIRST: [stood(1)]}, [False]),
        ([(FIRST, Why.LOST, 1)], {FIRST: [lapsed(1)]}, [False]),
        ([(FIRST, Why.LOST, 1)], {FIRST: [taken_back(1)]}, [True]),
        ([(FIRST, Why.LOST, 400), (FIRST, Why.LOST, 1)], {FIRST: [taken_back(400), taken_back(1)]}, [True, True]),
        ([(FIRST, Why.LOST, 9), (FIRST, Why.LOST, 1)], {FIRST: [lapsed(9), taken_back(1)]}, [False, True]),
        ([(FIRST, Why.LOST, 9), (FIRST, Why.LOST, 1)], {FIRST: [taken_back(9), stood(1)]}, [True, False]),
        ([(FIRST, Why.LOST, 9), (FIRST, Why.LOST, 1)], {FIRST: [lapsed(9), lapsed(1)]}, [False, True]),
        ([(FIRST, Why.LOST, 9), (FIRST, Why.LOST, 1)], {FIRST: [lapsed(9), stood(1)]}, [False, True]),
        ([(FIRST, Why.LOST, 9), (FIRST, Why.LOST, 8.9)], {FIRST: [stood(9)]}, [False, False]),
        ([(FIRST, Why.LOST, 9), (SECOND, Why.LOST, 1)], {FIRST: [stood(9)], SECOND: [stood(1)]}, [False, True]),
        ([(SECOND, Why.LOST, 1), (FIRST, Why.LOST, 9)], {FIRST: [taken_back(9)], SECOND: [lapsed(1)]}, [False, True]),
        ([(FIRST, Why.LOST, 366), (SECOND, Why.LOST, 1)], {FIRST: [lapsed(366)], SECOND: [stood(1)]}, [False, False]),
    ],
)
def test_each_uncovered_trade_is_owed_or_borne(
    trades: list[tuple[UUID, Why, float]], losses: dict[UUID, list[cards.Loss]], is_owed: list[bool]
) -> None:
    found = [Uncovered(card, why, ago(days), ago(days)) for card, why, days in trades]
    assert [each in owed(found, losses, NOW) for each in found] == is_owed


def test_a_terminals_clock_that_is_ahead_puts_no_trade_behind_the_end_of_its_report() -> None:
    found = Uncovered(FIRST, Why.LOST, occurred_at=ago(0.4), recorded_at=ago(0.6))
    assert owed([found], {FIRST: [taken_back(1), stood(0.3)]}, NOW) == [found]
