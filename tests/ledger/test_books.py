"""What the books tell: balances at a time, statements, the trial balance, the journal, and room for the months to come."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import struct
from collections import defaultdict
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import event

from core import clock, db, ids
from core.errors import NotFound
from payments import ledger
from payments.ledger import books
from payments.ledger.books import JournalForm
from tests.ledger.conftest import CITY, City, move

pytestmark = pytest.mark.subset

ROOT = Path(__file__).parents[2]


@pytest.fixture
def moved(city: City) -> City:
    """A wallet with four entries of 100, 30, 20, 10."""
    city.give(100)
    with city.as_app() as app:
        for amount in (30, 20, 10):
            ledger.post_on(app, [move(city.wallets[0], city.merchant, amount)])
    return city


def test_a_statement_reads_newest_first_and_page_by_page(moved: City) -> None:
    first = ledger.statement(moved.wallets[0], limit=2)
    rest = ledger.statement(moved.wallets[0], before=first[-1].number, limit=50)
    assert [(e.number, e.amount_fen, e.balance_fen) for e in first] == [(4, -10, 40), (3, -20, 50)]
    assert [(e.number, e.amount_fen, e.balance_fen) for e in rest] == [(2, -30, 70), (1, 100, 100)]


def test_the_balance_at_a_time_is_that_of_the_last_entry_before(moved: City) -> None:
    entries = ledger.statement(moved.wallets[0])
    for entry in entries:
        assert ledger.balance_at(moved.wallets[0], entry.recorded_at) == entry.balance_fen
    assert ledger.balance_at(moved.wallets[0], entries[-1].recorded_at - dt.timedelta(seconds=1)) == 0
    assert ledger.balance_at(moved.wallets[0], clock.now() + dt.timedelta(days=40)) == ledger.balance(moved.wallets[0]) == 40
    with pytest.raises(NotFound):
        ledger.balance(ids.new_id())


def test_a_transfer_is_found_by_its_id(moved: City) -> None:
    entry = ledger.statement(moved.wallets[0], limit=1)[0]
    found = ledger.transfer(entry.transfer_id)
    assert (found.debit, found.credit, found.amount_fen, found.kind) == (moved.wallets[0], moved.merchant, 10, "charge")
    with pytest.raises(NotFound):
        ledger.transfer(ids.new_id())


def test_posting_inside_a_transaction_is_undone_with_it(moved: City) -> None:
    def post_and_fail() -> None:
        with db.transaction():
            assert isinstance(ledger.post([move(moved.wallets[0], moved.merchant, 1)])[0], ledger.Posted)
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        post_and_fail()
    with db.transaction():
        ledger.post([move(moved.wallets[0], moved.merchant, 5)])
    assert ledger.balance(moved.wallets[0]) == 35


def test_the_trial_balance_proves_that_nothing_is_missing(moved: City) -> None:
    trial = ledger.trial_balance(CITY)
    assert trial.balanced
    assert trial.debits_fen == trial.credits_fen > 0
    with moved.as_superuser() as superuser:
        superuser.execute("UPDATE account SET balance = balance + 1 WHERE id = %s", (moved.bank,))
        assert not ledger.trial_balance(CITY).balanced
        superuser.execute("UPDATE account SET balance = balance - 1 WHERE id = %s", (moved.bank,))


@pytest.mark.parametrize("form", JournalForm)
def test_the_journal_balances_and_ends_where_the_accounts_stand(moved: City, form: JournalForm) -> None:
    today = clock.today()
    lines = "".join(ledger.journal(CITY, since=today, until=today + dt.timedelta(days=1), form=form)).splitlines()
    totals: dict[str, int] = defaultdict(int)
    opened = {line.split()[2] for line in lines if " open " in line}
    for line in lines:
        if posting := re.fullmatch(r"    ([A-Z][A-Za-z]+(?::[A-Z0-9][A-Za-z0-9-]*)+)  (-?\d+)\.(\d\d) CNY(?:  ; .*)?", line):
            name, whole, part = posting.groups()
            totals[name] += int(whole + part)
        else:
            assert not line or re.fullmatch(r'\d{4}-\d\d-\d\d (\* "[a-z_]+"  ; transfer: \S+|open \S+ CNY)|; \d+ transfers from .*', line)
    assert sum(totals.values()) == 0
    assert lines[-1] == f"; {sum(' * ' in line for line in lines)} transfers from {today} to before {today + dt.timedelta(days=1)}"
    wallet = ledger.statement(moved.wallets[0], limit=1)[0]
    assert totals[f"Liabilities:Wallet:{ids.show('acc', moved.wallets[0]).replace('_', '-').capitalize()}"] == -wallet.balance_fen
    assert opened == (set(totals) if form is JournalForm.BEANCOUNT else set())
    db.session().rollback()
    before = ledger.journal(CITY, since=today - dt.timedelta(days=2), until=today - dt.timedelta(days=1))
    assert [part.split(" transfers")[0] for part in before] == ["; 0"]


@pytest.mark.parametrize("page", [1, 4, 5])
def test_the_journal_tells_each_transfer_once_whatever_a_page_holds(moved: City, monkeypatch: pytest.MonkeyPatch, page: int) -> None:
    monkeypatch.setattr(books, "PAGE", page)
    today = clock.today()
    parts = list(ledger.journal(CITY, since=today, until=today + dt.timedelta(days=1)))
    told = [UUID(found) for found in re.findall(r"; transfer: (\S+)", "".join(parts))]
    with moved.as_app() as app:
        assert told == [row[0] for row in app.execute("SELECT id FROM transfer WHERE city_id = %s ORDER BY id", (CITY,)).fetchall()]
    assert all(part.count(" * ") <= page for part in parts)


def test_a_page_of_the_journal_looks_into_the_months_in_which_its_ids_can_lie(moved: City) -> None:
    asked: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, values: Any, *_: Any) -> None:
        asked.append((statement, values))

    today = clock.today()
    event.listen(db.db.engine, "before_cursor_execute", note)
    try:
        list(ledger.journal(CITY, since=today, until=today + dt.timedelta(days=1)))
    finally:
        event.remove(db.db.engine, "before_cursor_execute", note)
    page, values = next(each for each in asked if " transfer " in each[0])
    with moved.as_app() as app:
        parts = app.execute("SELECT count(*) FROM pg_inherits WHERE inhparent = 'transfer'::regclass").fetchone()
        plan = "\n".join(row[0] for row in app.execute("EXPLAIN " + page, values).fetchall())
    looked_into = set(re.findall(r"transfer_(\d{4}_\d\d)", plan))
    # From the month before to the month after the next: a day in China may lie in two months.
    begins = dt.datetime.combine(today, dt.time(), clock.CHINA).astimezone(dt.UTC)
    months = [begins.year * 12 + begins.month - 1 + by for by in (-1, 0, 1, 2)]
    assert parts is not None
    assert parts[0] > 10
    assert f"{clock.now():%Y_%m}" in looked_into
    assert looked_into <= {f"{month // 12}_{month % 12 + 1:02d}" for month in months}


def test_a_transfer_whose_id_is_of_another_month_than_its_record_is_in_the_journal(city: City) -> None:
    today = clock.today()
    early = ids.floor_id((clock.now().replace(day=1) - dt.timedelta(days=20)).replace(day=12))
    with city.as_app() as app:
        posted = ledger.post_on(app, [move(city.bank, city.wallets[0], 7, id=early, kind="top_up")])
    assert isinstance(posted[0], ledger.Posted)
    assert str(early) in "".join(ledger.journal(CITY, since=today, until=today + dt.timedelta(days=1)))


def test_what_reads_the_whole_books_is_not_held_to_the_time_of_a_request(moved: City) -> None:
    limits: list[str] = []

    def note(_connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        if " transfer " in statement:
            with cursor.connection.cursor() as beside:
                limits.append(beside.execute("SHOW statement_timeout").fetchone()[0])

    today = clock.today()
    event.listen(db.db.engine, "before_cursor_execute", note)
    try:
        list(ledger.journal(CITY, since=today, until=today + dt.timedelta(days=1)))
        ledger.examine()
        with db.transaction():
            db.let_run(ledger.PATIENCE)
            ledger.trial_balance(CITY)
        assert set(limits) == {"0", "10min"}
        limits.clear()
        with db.transaction():
            ledger.trial_balance(CITY)
        assert limits == ["8s"]
    finally:
        event.remove(db.db.engine, "before_cursor_execute", note)


def test_the_row_hash_is_what_the_documented_bytes_give(moved: City) -> None:
    with moved.as_app() as app:
        rows = app.execute(
            "SELECT id, city_id, debit_account, credit_account, amount_fen, debit_balance_after, credit_balance_after, debit_entry,"
            " credit_entry, reference, reverses, occurred_at, recorded_at, txid, kind, row_hash FROM transfer"
        ).fetchall()
    since = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
    for row in rows:
        *ids_and_sums, reference, reverses, occurred, recorded, txid, kind, row_hash = row
        transfer, city, debit, credit, *numbers = ids_and_sums
        content = b"transfer1\0" + transfer.bytes + struct.pack(">i", city) + debit.bytes + credit.bytes + struct.pack(">5q", *numbers)
        for named in (reference, reverses):
            content += named.bytes if named else bytes(16)
        content += struct.pack(">3q", *((moment - since) // dt.timedelta(microseconds=1) for moment in (occurred, recorded)), txid)
        assert hashlib.sha256(content + kind.encode()).digest() == row_hash


def test_months_to_come_have_room_and_their_guards(city: City) -> None:
    ahead = clock.now() + dt.timedelta(days=365 * 3)
    with db.transaction():
        assert ledger.add_months(ahead) > 12
    with db.transaction():
        assert ledger.add_months(ahead) == 0
    with city.as_app() as app:
        guards = app.execute(
            "SELECT count(*) FROM pg_trigger WHERE tgrelid = %s::regclass AND tgname ~ 'kept|grows'", (f"transfer_{ahead:%Y_%m}",)
        ).fetchone()
    assert guards == (2,)


def test_a_clock_that_moved_on_posts_into_the_month_it_shows(city: City) -> None:
    with city.as_superuser() as superuser:
        superuser.execute("UPDATE clock_offset SET \"offset\" = '100 days'")
    clock.learn(dt.timedelta(days=100))
    try:
        city.give(5)
        entry = ledger.statement(city.wallets[0])[0]
        assert ids.at(entry.transfer_id).date() == entry.recorded_at.date() == clock.now().date()
    finally:
        with city.as_superuser() as superuser:
            superuser.execute("UPDATE clock_offset SET \"offset\" = '0'")
        clock.learn(dt.timedelta())


@pytest.mark.parametrize("path", sorted(ROOT.glob("payments/**/sql/*.sql")), ids=lambda path: path.stem)
def test_the_migration_installs_what_the_file_says(path: Path) -> None:
    assert (ROOT / "migrations" / "sql" / path.name).read_text() == path.read_text()
