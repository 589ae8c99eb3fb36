"""`citycard verify` looks through everything that is sealed or posted, tells what, and ends with 1 where anything differs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner, Result
from psycopg.conninfo import conninfo_to_dict

import payments
from command import verify as verify_command
from command.embedded import postgres
from command.program import program
from config.settings import Settings
from core import audit, clock, crypto, db, ids, sealer
from core.actors import system
from core.vocabulary import AuditEvent
from payments.ledger import Posted, Transfer

CITY = 990100


@pytest.fixture
def books(settings: Settings) -> Iterator[Settings]:
    """Two transfers and an audit line under seal."""
    crypto.signing.forget()  # another database has other keys
    with program(settings):
        bank, wallet, merchant = ids.new_id(), ids.new_id(), ids.new_id()
        with db.transaction():
            for account, kind in ((bank, "bank"), (wallet, "wallet"), (merchant, "merchant")):
                payments.ledger.open_account(account, city_id=CITY, kind=kind)
            made: dict[str, Any] = {"city_id": CITY, "occurred_at": clock.now()}
            posted = payments.ledger.post(
                [
                    Transfer(id=ids.new_id(), kind="top_up", debit=bank, credit=wallet, amount_fen=1_000, **made),
                    Transfer(id=ids.new_id(), kind="charge", debit=wallet, credit=merchant, amount_fen=300, **made),
                ]
            )
            assert all(isinstance(each, Posted) for each in posted)
            audit.record(system("tests", CITY), AuditEvent.JOURNAL_READ, city_id=CITY, subject="journal")
        while sealer.seal_all():
            pass
    yield settings
    db.drop_connection()
    crypto.signing.forget()


def told(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Result:
    monkeypatch.setattr(verify_command, "current_settings", lambda: settings)
    return CliRunner().invoke(verify_command.verify, catch_exceptions=False)


def test_books_in_order_are_told_with_what_was_looked_at(books: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = told(books, monkeypatch)
    assert answer.exit_code == 0, answer.output
    assert re.search(r"chain audit: [1-9]\d* links over [1-9]\d* rows; 0 rows wait", answer.output)
    assert re.search(r"chain transfer: 1 links over 2 rows; 0 rows wait", answer.output)
    assert "2 transfers, 3 accounts with 4 entries, 0 reversals" in answer.output
    assert "trial balance of 990100: debits 13.00, credits 13.00, all balances together 0.00 CNY" in answer.output
    assert answer.output.splitlines()[-1] == "全部相符 · nothing differs"


@pytest.mark.parametrize(
    ("edit", "named"),
    [
        ("UPDATE audit SET outcome = 'forged'", "chain audit does not hold at link 1: row"),
        ("DELETE FROM transfer WHERE kind = 'charge'", "chain transfer does not hold at link 1: rows"),
        (
            "UPDATE account SET balance = balance + 5 WHERE kind = 'bank'",
            "accounts bank of 990100 carry -9.95 CNY, and their entries make -10.00",
        ),
        ("UPDATE account SET balance = balance + 5 WHERE kind = 'bank'", "an account's balance is not that of its last entry: "),
    ],
    ids=["audit line", "transfer", "trial balance", "account"],
)
def test_what_differs_is_named_and_ends_with_1(
    books: Settings, ground: tuple[postgres.Server, Any], monkeypatch: pytest.MonkeyPatch, edit: str, named: str
) -> None:
    name = conninfo_to_dict(books.database_url)["dbname"]
    with psycopg.connect(ground[0].url(postgres.ADMIN, name), autocommit=True) as superuser:
        superuser.execute("SET session_replication_role = replica")
        superuser.execute(edit)
    answer = told(books, monkeypatch)
    assert answer.exit_code == 1
    assert named in answer.output
    assert "nothing differs" not in answer.output
