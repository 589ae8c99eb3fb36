"""A wallet belongs to the resident; limits go down at once and up only with a fresh strong proof."""

from __future__ import annotations

import dataclasses
import datetime as dt
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import cards
import payments
from core import clock, db, ids
from core.errors import StepUpNeeded
from payments import jobs, limits, rules, wallets
from payments.errors import LimitsOutOfOrder, LimitTooHigh, TopUpAmountRefused, WalletMissing
from payments.wiring import wired

pytestmark = pytest.mark.subset

Town = Any
OPENING = rules.Limits(50_000, 200_000, 2_000_000)


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
    assert view.limits == OPENING
    assert town.rows("SELECT wallet_account_id FROM card WHERE id = %s", card.id) == town.rows("SELECT account_id FROM wallet")


def test_a_wallet_is_opened_once_whoever_asks(town: Town) -> None:
    wang = town.holder()
    with db.transaction():
        again = payments.open_wallet(wang, resident_id=wang.id, city_id=wang.city_id).account_id
    assert town.rows("SELECT account_id FROM wallet") == [(again,)]
    assert len(town.rows("SELECT 1 FROM account WHERE kind = 'wallet'")) == 1


def test_before_an_account_is_closed_it_is_known_whether_it_holds_money(town: Town) -> None:
    wang, empty = town.holder(), town.resident()
    assert not town.do(payments.holds_money, wang.id)
    assert not town.do(payments.holds_money, empty.id)
    rich = town.holder(1)
    assert town.do(payments.holds_money, rich.id)


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
    assert town.do(payments.wallet_of, wang).limits == OPENING


def test_a_change_of_limits_is_in_the_audit_log(town: Town) -> None:
    wang = town.holder()
    change(town, wang, single_fen=1)
    ((subject, detail),) = town.rows("SELECT subject, detail FROM audit WHERE event = 'payments:limits:change'")
    assert subject.startswith("wallet_")
    assert (detail["before"][0], detail["after"][0]) == (50_000, 1)


def terms_from(town: Town, **changes: int) -> None:
    """The city's products with other wallet terms from tomorrow on."""
    product = tomllib.loads((Path("config/cities/yunchuan/products.toml")).read_text())["product"][0]
    later = {**product["wallet"][0], "from": clock.today() + dt.timedelta(days=1), **changes}
    town.do(cards.apply_products, 990100, [{**product, "wallet": [*product["wallet"], later]}])


def test_terms_that_begin_lower_what_stands_above_them_and_nothing_else(town: Town, at: Callable[[dt.timedelta], None]) -> None:
    high, low = town.holder(), town.holder()
    change(town, high, single_fen=300_000, daily_fen=500_000)
    change(town, low, single_fen=5_000)
    terms_from(town, highest_single_limit_fen=100_000, highest_daily_limit_fen=400_000, daily_count=3)
    jobs.keep_limits_within_terms()
    assert town.do(payments.wallet_of, high).limits.single_fen == 300_000
    at(dt.timedelta(days=1))
    jobs.keep_limits_within_terms()
    view = town.do(payments.wallet_of, high)
    assert (view.limits, view.highest_limits.single_fen, view.daily_count) == (rules.Limits(100_000, 400_000, 2_000_000), 100_000, 3)
    assert town.do(payments.wallet_of, low).limits.single_fen == 5_000
    assert town.rows("SELECT DISTINCT daily_count_limit FROM wallet") == [(3,)]
    with pytest.raises(LimitTooHigh) as refused:
        change(town, high, single_fen=100_001)
    assert refused.value.facts["single_fen"] == 100_000
    ((detail,),) = town.rows("SELECT detail FROM audit WHERE event = 'payments:limits:change' AND subject = 'wallets'")
    assert detail["count"] == 2


def test_a_product_without_terms_hides_none_of_another(town: Town) -> None:
    product = tomllib.loads((Path("config/cities/yunchuan/products.toml")).read_text())["product"][0]
    older = {name: value for name, value in product.items() if name not in ("wallet", "number_prefix")}
    later = [{**product["wallet"][0], "from": clock.today() + dt.timedelta(days=1)}]
    town.do(cards.apply_products, 990100, [{**older, "code": "a_first"}, {**older, "code": "a_later", "wallet": later}, product])
    assert town.do(cards.wallet_terms, 990100, product["wallet_mode"], clock.today()).daily_count == product["wallet"][0]["daily_count"]


def test_a_city_without_terms_keeps_no_other_waiting(
    town: Town, at: Callable[[dt.timedelta], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        town.holder()
    terms_from(town, daily_count=3)
    monkeypatch.setattr(limits, "AT_ONCE", 2)
    payments.configure(providers={}, keepers={990900: payments.Keeper("无名银行", "No Bank"), **wired().keepers})
    at(dt.timedelta(days=1))
    jobs.keep_limits_within_terms()
    assert town.rows("SELECT DISTINCT daily_count_limit FROM wallet") == [(3,)]
    counted = "SELECT (detail->>'count')::int FROM audit WHERE event = 'payments:limits:change' ORDER BY id"
    assert town.rows(counted) == [(2,), (1,)]


def test_a_wallet_opens_as_the_terms_of_the_day_say(town: Town, at: Callable[[dt.timedelta], None]) -> None:
    terms_from(town, single_limit_fen=1_000, daily_limit_fen=2_000, balance_cap_fen=100_000, top_up_maximum_fen=20_000)
    at(dt.timedelta(days=1))
    view = town.do(payments.wallet_of, town.holder())
    assert view.limits == rules.Limits(1_000, 2_000, 2_000_000)
    assert (view.most_balance_fen, view.least_top_up_fen, view.most_top_up_fen, view.top_up_unit_fen) == (100_000, 1_000, 20_000, 1_000)
    with pytest.raises(TopUpAmountRefused):
        town.top_up(town.holder(), 21_000)


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
