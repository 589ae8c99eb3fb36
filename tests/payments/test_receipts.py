"""Receipts and statements say what the books say."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from core import clock, ids
from core.errors import NotFound
from payments import bookkeeping, receipts, refunding
from payments.errors import TooManyDays

pytestmark = pytest.mark.subset

Town = Any


def test_receipts_list_every_movement_newest_first(town: Town) -> None:
    wang = town.holder(50_000)
    first, second = town.charge(wang, 1_230), town.charge(wang, 500)
    town.do(refunding.refund, town.till, first.id, amount_fen=230, reason="退货")
    town.do(refunding.reverse, town.till, second.id, reason="打错")
    page = town.do(receipts.receipts_of, wang, cursor=None, limit=10)
    assert [(r.kind, r.change_fen, r.state) for r in page.items] == [
        ("reversal", 500, "posted"),
        ("refund", 230, "posted"),
        ("charge", -500, "reversed"),
        ("charge", -1_230, "partly_refunded"),
        ("top_up", 50_000, "posted"),
    ]
    assert page.next_cursor is None
    assert sum(r.change_fen for r in page.items) == town.balance(wang)
    assert len({r.number for r in page.items}) == 5


def test_pages_neither_skip_nor_repeat(town: Town) -> None:
    wang = town.holder(50_000)
    for amount in range(1, 5):
        town.charge(wang, amount)
    town.do(refunding.refund, town.till, town.do(receipts.receipts_of, wang, cursor=None, limit=1).items[0].id, amount_fen=1, reason="退")
    whole = [r.id for r in town.do(receipts.receipts_of, wang, cursor=None, limit=50).items]
    read, cursor = [], None
    while True:
        page = town.do(receipts.receipts_of, wang, cursor=cursor, limit=2)
        read += [r.id for r in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert read == whole
    assert len(read) == 6


def test_one_receipt_is_for_its_resident(town: Town) -> None:
    wang = town.holder(50_000)
    done = town.charge(wang, 1_230)
    receipt = town.do(receipts.receipt_of, wang, done.id)
    assert (receipt.number, receipt.merchant) == (done.receipt_number, {"zh": "云川包子铺", "en": "Yunchuan Bun Shop"})
    with pytest.raises(NotFound):
        town.do(receipts.receipt_of, town.holder(), done.id)
    with pytest.raises(NotFound):
        town.do(receipts.receipt_of, wang, ids.new_id())


def test_the_statement_of_a_month_adds_up(town: Town) -> None:
    wang = town.holder(50_000)
    done = town.charge(wang, 1_230)
    town.do(refunding.refund, town.till, done.id, amount_fen=230, reason="退货")
    month = clock.today().replace(day=1)
    said = town.do(receipts.statement, wang, month)
    assert (said.opening_fen, said.closing_fen, said.in_fen, said.out_fen) == (0, 49_000, 50_230, 1_230)
    assert [(t["kind"], t["count"]) for t in said.totals] == [("charge", 1), ("refund", 1), ("top_up", 1)]
    before = town.do(receipts.statement, wang, month - dt.timedelta(days=1))
    assert (before.opening_fen, before.closing_fen, before.totals) == (0, 0, [])


def test_the_journal_is_plain_text_audited_and_of_a_month_at_most(town: Town) -> None:
    wang = town.holder(50_000)
    town.charge(wang, 1_230)
    today = clock.today()
    text = "".join(town.do(bookkeeping.journal, wang, since=today, until=today + dt.timedelta(days=1)))
    assert "12.30 CNY" in text
    assert len(town.rows("SELECT 1 FROM audit WHERE event = 'payments:journal:read'")) == 1
    for until in (today, today - dt.timedelta(days=1), today + dt.timedelta(days=32)):
        with pytest.raises(TooManyDays):
            town.do(bookkeeping.journal, wang, since=today, until=until)
