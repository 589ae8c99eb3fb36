"""What a resident has paid: their own payments alone, newest first, with how each ended, also of accounts bound no longer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import event

from core import db, ids
from core.actors import Actor
from payments import receipts
from services import catalogue
from services.kinds.statement import binding, orders, paying, rules
from tests.payments.conftest import LINHU
from tests.services.conftest import Hall

pytestmark = pytest.mark.subset


def paid(hall: Hall, actor: Actor, limit: int = 50, cursor: str | None = None, **wanted: Any) -> list[orders.OrderView]:
    """A page of the list, as the operation reads it."""
    return list(hall.town.do(orders.orders_of, actor, cursor=cursor, limit=limit, **wanted).items)


def pay_all(hall: Hall, actor: Actor, *bound: UUID) -> list[UUID]:
    """Both open bills of each account, the newer one first; gives the payments in the order in which they were made."""
    return [hall.pay(actor, hall.bill(actor, each, place)).id for each in bound for place in (0, 1)]


@contextmanager
def counted() -> Iterator[list[str]]:
    """The statements that the session sends meanwhile."""
    sent: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *others: Any) -> None:
        sent.append(statement)

    event.listen(db.db.engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(db.db.engine, "before_cursor_execute", note)


def test_a_payment_tells_all_that_its_payer_wants_to_read(hall: Hall) -> None:
    wang = hall.town.holder(50_000)
    account = hall.customer()
    bound = hall.bound(wang, account=account, alias="父母家")
    bill = hall.bill(wang, bound)
    done = hall.pay(wang, bill)
    answer = hall.town.call(wang, "GET", "/api/bill-payments")
    assert answer.status_code == 200
    assert answer.json is not None
    assert answer.json["next_cursor"] is None
    (told,) = answer.json["items"]
    receipt = hall.town.do(receipts.receipts_of, wang, cursor=None, limit=1).items[0]
    shown = {name: told[name] for name in ("item", "item_name", "biller", "masked_account", "alias", "period", "amount_fen", "state")}
    assert shown == {
        "item": "water",
        "item_name": {"zh-CN": "水费", "en": "Water bill"},
        "biller": {"zh-CN": "云川水务", "en": "Yunchuan Water"},
        "masked_account": "******" + account[-4:],
        "alias": "父母家",
        "period": bill.period,
        "amount_fen": bill.amount_fen,
        "state": "paid",
    }
    assert told["receipt_number"] == receipt.number
    assert (told["id"], told["bill_id"]) == (ids.show("bill_payment", done.id), ids.show("bill", bill.id))
    assert account not in answer.text
    one = hall.town.call(wang, "GET", f"/api/bill-payments/{told['id']}").json
    assert one == {**told, "bill_number": bill.number}


def test_the_newest_is_first_and_pages_neither_skip_nor_repeat_also_while_more_is_paid(hall: Hall) -> None:
    wang = hall.town.holder(200_000)
    made = pay_all(hall, wang, hall.bound(wang), hall.bound(wang, "power"))
    late = hall.bound(wang, "gas")
    read, cursor, first = [], None, True
    while first or cursor:
        page = hall.town.do(orders.orders_of, wang, cursor=cursor, limit=3)
        read += [each.id for each in page.items]
        cursor = page.next_cursor
        if first:
            newest, first = hall.pay(wang, hall.bill(wang, late)).id, False
    assert read == made[::-1]
    assert paid(hall, wang)[0].id == newest


def test_each_state_says_where_the_money_is(hall: Hall) -> None:
    wang = hall.town.holder(200_000)
    water, power = hall.bound(wang), hall.bound(wang, "power")
    returned, done = (hall.pay(wang, hall.bill(wang, water, place)) for place in (0, 1))
    hall.town.do(paying.given_back, returned.id)
    bills = [hall.bill(wang, power, place) for place in (0, 1)]
    with hall.office.pool.connection() as connection:
        connection.execute("UPDATE utility_reading SET value = value * 2 WHERE company = '990100-power'")
    failed = hall.pay(wang, bills[0])
    hall.lines["power"].fault = "down"
    waiting = hall.pay(wang, bills[1])
    told = [(each.id, each.state, each.receipt_number is not None, each.decided_at is not None) for each in paid(hall, wang)]
    assert told == [
        (waiting.id, "processing", False, False),
        (failed.id, "failed", False, True),
        (done.id, "paid", True, True),
        (returned.id, "refunded", True, True),
    ]
    assert hall.town.balance(wang) == 200_000 - done.amount_fen - waiting.amount_fen


def test_it_can_be_narrowed_to_an_item_or_an_account(hall: Hall) -> None:
    wang = hall.town.holder(200_000)
    home, parents, power = hall.bound(wang), hall.bound(wang), hall.bound(wang, "power")
    at_home, at_parents, of_power = (pay_all(hall, wang, each) for each in (home, parents, power))
    assert [each.id for each in paid(hall, wang, item="power")] == of_power[::-1]
    assert [each.id for each in paid(hall, wang, item="water")] == (at_home + at_parents)[::-1]
    assert [each.id for each in paid(hall, wang, binding=parents)] == at_parents[::-1]
    assert paid(hall, wang, binding=parents, item="power") == []
    shown = hall.town.call(wang, "GET", f"/api/bill-payments?binding={ids.show('binding', home)}&limit=1").json
    assert shown is not None
    assert [each["id"] for each in shown["items"]] == [ids.show("bill_payment", at_home[1])]
    assert shown["next_cursor"]


def test_what_was_paid_stays_when_the_account_is_unbound_and_belongs_to_it_when_bound_anew(hall: Hall) -> None:
    wang, account = hall.town.holder(50_000), hall.customer()
    first = hall.bound(wang, account=account, alias="旧家")
    bill = hall.bill(wang, first)
    done = hall.pay(wang, bill)
    hall.town.do(binding.unbind, wang, first)
    (told,) = paid(hall, wang)
    assert (told.id, told.alias, told.bill_id) == (done.id, "旧家", None)
    again = hall.bound(wang, account=account)
    anew = next(each for each in (hall.bill(wang, again, place) for place in range(12)) if each.number == bill.number)
    for bound in (first, again):
        (told,) = paid(hall, wang, binding=bound)
        assert (told.id, told.bill_id) == (done.id, anew.id)


def test_nobody_sees_what_another_paid_not_even_of_the_same_account(hall: Hall) -> None:
    wang, li, linhu = hall.town.holder(50_000), hall.town.holder(50_000), hall.town.holder(50_000, city_id=LINHU)
    account = hall.customer()
    his, hers = (hall.bound(who, account=account) for who in (wang, li))
    done = hall.pay(wang, hall.bill(wang, his))
    mine = hall.pay(li, hall.bill(li, hers, 1))
    assert [each.id for each in paid(hall, li)] == [mine.id]
    assert paid(hall, linhu) == []
    assert paid(hall, replace(wang, city_id=LINHU)) == [], "a resident's id is not enough in another city"
    assert paid(hall, li, binding=his) == paid(hall, li, binding=ids.new_id()) == []
    answers = [hall.town.call(li, "GET", f"/api/bill-payments?binding={ids.show('binding', each)}") for each in (his, ids.new_id())]
    assert [answer.json for answer in answers] == [{"items": [], "next_cursor": None}] * 2
    assert [each.id for each in paid(hall, wang)] == [done.id]


def test_an_item_that_the_city_offers_no_longer_is_still_told(hall: Hall) -> None:
    wang = hall.town.holder(50_000)
    done = hall.pay(wang, hall.bill(wang, hall.bound(wang)))
    catalogue.configure([])
    (told,) = paid(hall, wang)
    assert (told.id, told.item_name, told.biller) == (
        done.id,
        {"zh_cn": "water", "en": "water"},
        {"zh_cn": "云川水务", "en": "Yunchuan Water"},
    )


def test_a_longer_page_asks_the_database_no_more_often(hall: Hall) -> None:
    wang = hall.town.holder(200_000)
    pay_all(hall, wang, hall.bound(wang), hall.bound(wang, "power"))
    asked = []
    for limit in (1, 4):
        with counted() as sent:
            paid(hall, wang, limit)
        asked.append(len(sent))
    assert asked[0] == asked[1] > 0


def test_it_is_refused_as_one_payment_is_and_for_what_nobody_gave(hall: Hall) -> None:
    wang = hall.town.holder()
    weak = replace(wang, strength=1)
    paths = ("/api/bill-payments", f"/api/bill-payments/{ids.show('bill_payment', wang.id)}")
    refused = [hall.town.call(weak, "GET", path) for path in paths]
    assert [(answer.status_code, (answer.json or {})["code"]) for answer in refused] == [(403, "step_up_needed")] * 2
    assert hall.town.call(None, "GET", "/api/bill-payments").status_code == 401
    for wrong in ("cursor=x", "limit=101", "limit=0", "binding=x", "item=Water", "state=paid"):
        answer = hall.town.call(wang, "GET", f"/api/bill-payments?{wrong}")
        assert 400 <= answer.status_code < 500, wrong


@pytest.mark.parametrize(
    ("number", "masked"), [("1000001442", "******1442"), ("1234", "**34"), ("12345", "***45"), ("AB-1234567", "******4567")]
)
def test_an_account_is_told_by_its_end(number: str, masked: str) -> None:
    assert rules.masked_account(number) == masked
