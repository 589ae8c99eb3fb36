"""A wallet belongs to the resident; limits go down at once and up only with a fresh strong proof."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

import cards
import payments
from core import clock, db, ids
from core.errors import StepUpNeeded
from payments import limits, rules, wallets
from payments.errors import LimitsOutOfOrder, LimitTooHigh, WalletMissing

pytestmark = pytest.mark.subset

Town = Any


def change(town: Town, actor: Any, **fen: int) -> wallets.WalletView:
    asked = {"single_fen": None, "daily_fen": None, "monthly_fen": None, **fen}
    view: wallets.WalletView = town.do(limits.change_limits, actor, **asked)
    return view


def test_the_first_card_opens_the_wallet(town: Town) -> None:
    wang = town.resident()
    with pytest.raises(WalletMissing):
        town.do(payments.wallet_of, wang)
    card = town.do(cards.issue_card, wang, "resident")
    view = town.do(payments.wallet_of, wang)
    assert (view.mode, view.state, view.currency, view.balance_fen) == ("platform", "open", "CNY", 0)
    assert view.keeper == payments.Keeper("云川银行", "Bank of Yunchuan")
    assert view.limits == rules.FIRST_LIMITS
    assert town.rows("SELECT wallet_account_id FROM card WHERE id = %s", card.id) == town.rows("SELECT account_id FROM wallet")


def test_a_wallet_is_opened_once_whoever_asks(town: Town) -> None:
    wang = town.holder()
    with db.transaction():
        again = payments.open_wallet(wang, resident_id=wang.id, city_id=wang.city_id).account_id
    assert town.rows("SELECT account_id FROM wallet") == [(again,)]
    assert len(town.rows("SELECT 1 FROM account WHERE kind = 'wallet'")) == 1


def test_a_wallet_of_another_mode_has_no_account_in_our_books(town: Town) -> None:
    wang = town.resident()
    with db.transaction():
        assert payments.open_wallet(wang, resident_id=wang.id, city_id=wang.city_id, mode="bank").account_id is None
    with pytest.raises(WalletMissing):
        town.do(payments.wallet_of, wang)


def test_the_application_cannot_write_a_balance_or_an_account(town: Town) -> None:
    town.holder(10_000)
    for attempt in (
        "UPDATE account SET balance = 1",
        "UPDATE wallet SET account_id = NULL",
        "DELETE FROM wallet",
        "UPDATE refund SET reason = ''",
    ):
        with pytest.raises(Exception, match="permission denied"):
            db.connection().execute(attempt)


def test_limits_go_down_at_once_however_weak_the_sign_in(town: Town) -> None:
    wang = dataclasses.replace(town.holder(), strength=1, signed_in_at=clock.now() - dt.timedelta(days=20))
    assert change(town, wang, single_fen=5_000).limits.single_fen == 5_000
    assert change(town, wang, single_fen=0).limits.single_fen == 0


@pytest.mark.parametrize(
    "circumstance",
    [{"strength": 1}, {"identity_level": 1}, {"signed_in_at": dt.datetime(2026, 1, 1, tzinfo=dt.UTC)}, {"signed_in_at": None}],
)
def test_limits_go_up_only_with_a_fresh_and_strong_proof(town: Town, circumstance: dict[str, Any]) -> None:
    wang = town.holder()
    change(town, wang, single_fen=5_000)
    with pytest.raises(StepUpNeeded):
        change(town, dataclasses.replace(wang, **circumstance), single_fen=5_001)
    assert change(town, wang, single_fen=5_001).limits.single_fen == 5_001


def test_limits_have_an_order_and_a_ceiling(town: Town) -> None:
    wang = town.holder()
    with pytest.raises(LimitsOutOfOrder):
        change(town, wang, single_fen=200_000, daily_fen=100_000)
    with pytest.raises(LimitTooHigh):
        change(town, wang, daily_fen=500_001)
    assert town.do(payments.wallet_of, wang).limits == rules.FIRST_LIMITS


def test_a_change_of_limits_is_in_the_audit_log(town: Town) -> None:
    wang = town.holder()
    change(town, wang, single_fen=1)
    ((subject, detail),) = town.rows("SELECT subject, detail FROM audit WHERE event = 'payments:limits:change'")
    assert subject.startswith("wallet_")
    assert (detail["before"][0], detail["after"][0]) == (100_000, 1)


def test_many_wallets_are_opened_and_filled_at_once(town: Town) -> None:
    people = [town.resident() for _ in range(5)]
    residents = [person.id for person in people]
    accounts = town.do(payments.open_wallets, people[0], city_id=people[0].city_id, resident_ids=residents)
    assert list(accounts) == residents
    again = town.do(payments.open_wallets, people[0], city_id=people[0].city_id, resident_ids=residents)
    assert again == accounts
    town.do(payments.credit_opening_top_ups, people[0], city_id=people[0].city_id, amounts=dict.fromkeys(residents, 1000))
    assert [town.balance(person) for person in people] == [1_000] * 5
    assert town.balanced()
    with pytest.raises(WalletMissing):
        town.do(payments.credit_opening_top_ups, people[0], city_id=people[0].city_id, amounts={ids.new_id(): 1_000})


def test_yesterdays_spending_is_not_todays(town: Town, at: Callable[[dt.timedelta], None]) -> None:
    wang = town.holder(50_000)
    town.charge(wang, 1_230)
    assert town.do(payments.wallet_of, wang).spent_today_fen == 1_230
    at(dt.timedelta(days=1))
    assert town.do(payments.wallet_of, wang).spent_today_fen == 0
