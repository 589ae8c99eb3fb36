"""What a resident makes good of offline trades is no bare movement: a receipt names each trade, and a notice tells of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import psycopg
import pytest

import cards
import migrations
import payments
from config.settings import Settings
from core import clock, crypto, db, ids, outbox
from core.actors import Actor
from core.vocabulary import Event
from payments.offline.accounts import risk_account
from payments.offline.personal import OfflineData
from payments.rules import receipt_number_valid
from services.notices.wording import WORDINGS, worded
from tests.cards.conftest import proved
from tests.payments.conftest import LINHU, YUNCHUAN, Town
from tests.payments.gates import card_of, phone, post

pytestmark = pytest.mark.subset

Move = Callable[[dt.timedelta], None]
SECONDS = dt.timedelta(seconds=5)
BUN_SHOP = {"zh": "云川包子铺", "en": "Yunchuan Bun Shop"}


@pytest.fixture(autouse=True)
def _wired(town: Town) -> None:
    crypto.signing.forget()
    cards.configure(
        prefixes={YUNCHUAN: "81", LINHU: "82"},
        after_issue=(payments.open_wallet_for,),
        before_authorise=(payments.cover,),
        after_found=(payments.collect,),
    )


def ride_lost(town: Town, holder: Actor, at: Move, *amounts: int) -> list[dt.datetime]:
    """Report the card lost and pay at a gate that cannot know it yet; when each was paid."""
    gate, mine, times = post(town), phone(town, holder, count=len(amounts)), []
    town.do(cards.report_loss, holder, card_of(town, holder))
    for nth, amount in enumerate(amounts):
        at(SECONDS)
        times.append(clock.now().replace(microsecond=0))
        assert gate.scan(mine.code(nth), amount) is None
    assert gate.upload() == [("risk", "lost")] * len(amounts)
    return times


def take_back(town: Town, holder: Actor) -> None:
    town.do(cards.take_back_loss, proved(holder), card_of(town, holder))


def repaid(town: Town, at: Move) -> tuple[Actor, list[dt.datetime]]:
    """A holder of 100 yuan from whose wallet 3 and 5 yuan of two trades were taken after the fact."""
    holder = town.holder(10_000)
    times = ride_lost(town, holder, at, 300, 500)
    take_back(town, holder)
    return holder, times


def short_and_made_good(town: Town) -> Actor:
    """A holder whose wallet lacked 9 yuan at a gate, who topped up and fetched authorisations again."""
    holder = town.holder(3_000)
    gate, mine = post(town), phone(town, holder)
    town.charge(holder, 2_800)
    gate.scan(mine.code(0), 150)
    gate.scan(mine.code(1), 900)
    assert gate.upload() == [("paid", None), ("risk", "insufficient")]
    assert [each["kind"] for each in listed(town, holder)] == ["offline", "charge", "top_up"]
    town.do(payments.credit_opening_top_ups, holder, city_id=YUNCHUAN, amounts={holder.id: 5_000})
    phone(town, holder, count=1)
    return holder


def listed(town: Town, holder: Actor) -> list[dict[str, Any]]:
    answer = town.call(holder, "GET", "/api/receipts")
    assert answer.status_code == 200
    items: list[dict[str, Any]] = answer.json["items"]
    return items


def test_the_receipt_names_every_trade_with_merchant_time_and_amount(town: Town, at: Move) -> None:
    holder, times = repaid(town, at)
    receipt, top_up = listed(town, holder)
    assert (receipt["kind"], receipt["amount_fen"], receipt["change_fen"], receipt["state"]) == ("offline_repayment", 800, -800, "posted")
    assert receipt_number_valid(receipt["number"])
    assert receipt["number"] != top_up["number"]
    named = [(each["merchant"], each["amount_fen"], dt.datetime.fromisoformat(each["occurred_at"])) for each in receipt["trades"]]
    assert named == [(BUN_SHOP, 300, times[0]), (BUN_SHOP, 500, times[1])]
    assert (top_up["kind"], top_up["trades"]) == ("top_up", [])
    assert sum(each["change_fen"] for each in (receipt, top_up)) == town.balance(holder)


def test_one_receipt_is_read_by_its_resident_alone(town: Town, at: Move) -> None:
    holder, _ = repaid(town, at)
    receipt = listed(town, holder)[0]
    path = f"/api/receipts/{receipt['id']}"
    assert town.call(holder, "GET", path).json == receipt
    assert town.call(town.holder(), "GET", path).status_code == 404
    assert town.call(None, "GET", path).status_code == 401


def test_what_the_wallet_did_not_hold_gets_its_receipt_when_it_is_made_good(town: Town) -> None:
    holder = short_and_made_good(town)
    receipt = listed(town, holder)[0]
    assert (receipt["kind"], receipt["amount_fen"]) == ("offline_repayment", 900)
    assert [each["amount_fen"] for each in receipt["trades"]] == [900]
    assert sum(each["change_fen"] for each in listed(town, holder)) == town.balance(holder)


def test_each_time_it_is_made_good_there_is_a_receipt_of_its_own(town: Town, at: Move) -> None:
    holder, _ = repaid(town, at)
    at(SECONDS)
    ride_lost(town, holder, at, 700)
    take_back(town, holder)
    newest, first, _ = listed(town, holder)
    assert [[trade["amount_fen"] for trade in each["trades"]] for each in (newest, first)] == [[700], [300, 500]]
    assert newest["number"] != first["number"]


def test_what_could_not_be_taken_leaves_no_receipt_and_no_word(town: Town, at: Move) -> None:
    holder = town.holder(1_000)
    gate, mine = post(town), phone(town, holder, count=1)
    town.charge(holder, 500)
    town.do(cards.report_loss, holder, card_of(town, holder))
    at(SECONDS)
    gate.scan(mine.code(), 900)
    assert gate.upload() == [("risk", "lost")]
    take_back(town, holder)
    assert [each["kind"] for each in listed(town, holder)] == ["charge", "top_up"]
    assert town.rows("SELECT count(*) FROM outbox WHERE event = %s", str(Event.OFFLINE_REPAID)) == [(0,)]


def test_the_statement_of_the_month_calls_it_by_its_name(town: Town, at: Move) -> None:
    holder, _ = repaid(town, at)
    said = town.call(holder, "GET", f"/api/statement?month={clock.today():%Y-%m}").json
    assert [(each["kind"], each["count"], each["in_fen"], each["out_fen"]) for each in said["totals"]] == [
        ("offline_repayment", 1, 0, 800),
        ("top_up", 1, 10_000, 0),
    ]
    assert said["closing_fen"] == 9_200


def test_the_books_are_those_of_an_adjustment_between_wallet_and_risk_account(town: Town, at: Move) -> None:
    holder, _ = repaid(town, at)
    posted = town.rows(
        "SELECT t.kind, a.owner_id, t.credit_account, t.amount_fen, t.reference FROM offline_repayment r JOIN transfer t ON t.id = r.id"
        " JOIN account a ON a.id = t.debit_account"
    )
    assert posted == [("adjustment", holder.id, risk_account(YUNCHUAN), 800, None)]
    assert town.rows("SELECT DISTINCT repaid_by = (SELECT id FROM offline_repayment) FROM offline_trade") == [(True,)]
    assert town.balanced()


def test_the_resident_is_told_in_both_languages_once(town: Town) -> None:
    short_and_made_good(town)
    outbox.drain()
    outbox.drain()
    ((kind, facts, sent),) = town.rows("SELECT kind, facts, sms_sent_at FROM notice WHERE kind = %s", str(Event.OFFLINE_REPAID))
    said = worded(kind, facts)
    assert said["title"] == {"zh-CN": "离线付款已补扣", "en": "Offline payments paid back"}
    assert all("9.00" in said["text"][language] for language in ("zh-CN", "en"))
    assert (sent, WORDINGS[Event.OFFLINE_REPAID].sms) == (None, None)


def test_fact_and_audit_line_name_the_receipt(town: Town, at: Move) -> None:
    holder, _ = repaid(town, at)
    number = listed(town, holder)[0]["number"]
    facts = town.rows(
        "SELECT payload->>'resident', payload->>'amount_fen', payload->>'trades', payload->>'receipt_number' FROM outbox WHERE event = %s",
        str(Event.OFFLINE_REPAID),
    )
    assert facts == [(str(holder.id), "800", "2", number)]
    audited = town.rows("SELECT resident_id, detail->>'receipt_number' FROM audit WHERE event = 'payments:offline:repay'")
    assert audited == [(holder.id, number)]


def test_a_resident_takes_it_along(town: Town, at: Move) -> None:
    holder, _ = repaid(town, at)
    taken = town.do(OfflineData().export, holder.id)["offline_repayments"]
    assert [(each["amount_fen"], each["receipt_number"]) for each in taken] == [(800, listed(town, holder)[0]["number"])]
    assert town.do(OfflineData().export, ids.new_id())["offline_repayments"] == []


def test_what_was_made_good_before_there_were_receipts_gets_one_of_its_own_day(town: Town, at: Move, settings: Settings) -> None:
    holder, _ = repaid(town, at)
    before = listed(town, holder)[0]
    db.drop_connection()
    db.db.engine.dispose()
    assert settings.owner_database_url is not None
    migrations.downgrade(settings.owner_database_url, "0024")
    migrations.upgrade(settings.owner_database_url)
    after = listed(town, holder)[0]
    assert {**after, "number": ""} == {**before, "number": ""}
    assert receipt_number_valid(after["number"])
    assert after["number"][6:12] == before["number"][6:12]


def test_the_database_lets_nobody_change_what_a_receipt_says(town: Town, at: Move) -> None:
    repaid(town, at)
    for change in ("UPDATE offline_repayment SET amount_fen = 1", "DELETE FROM offline_repayment"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            town.rows(change)
