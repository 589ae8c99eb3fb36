"""The water company's own books beside the city's: it was told once of each paid bill, and of nothing that the city does not know."""

import time
from typing import Any
from uuid import UUID

import psycopg

from bench.books import Rule, offences
from core import ids

PAYMENTS = "SELECT number, account, bill, amount_fen, state FROM utility_payment WHERE company LIKE '%-water'"
TOLD = """
CREATE TEMP TABLE company_before (id uuid, account text, bill text, amount bigint, accepted boolean) ON COMMIT DROP;
CREATE TEMP TABLE company_payment (id uuid, account text, bill text, amount bigint, accepted boolean) ON COMMIT DROP;
CREATE TEMP TABLE told_bill (payment uuid, bill text, amount bigint, state text) ON COMMIT DROP;
CREATE TEMP TABLE told_bill_refused (bill text, reason text) ON COMMIT DROP;
"""

RULES = (
    Rule(
        "the company was told only of payments that the city has committed",
        "SELECT p.id, p.bill FROM company_before p LEFT JOIN bill_order o ON o.id = p.id WHERE o.id IS NULL",
    ),
    Rule(
        "what the company took is what the city ordered",
        """
        SELECT p.id FROM company_payment p JOIN bill_order o ON o.id = p.id
        WHERE p.accepted AND (p.account, p.bill, p.amount) <> (o.account_number, o.bill_number, o.amount_fen)
        """,
    ),
    Rule(
        "no resident got the money back for a bill that the company has",
        "SELECT o.id FROM bill_order o JOIN company_payment p ON p.id = o.id AND p.accepted WHERE o.state NOT IN ('reserved', 'paid')",
    ),
    Rule(
        "a bill that is paid for the city is paid for the company, once",
        """
        SELECT o.id, count(p.id) FROM bill_order o LEFT JOIN company_payment p ON p.id = o.id AND p.accepted
        WHERE o.state = 'paid' AND o.item = 'water' GROUP BY o.id HAVING count(p.id) <> 1
        """,
    ),
    Rule(
        "the company has no bill twice",
        "SELECT bill FROM company_payment WHERE accepted GROUP BY bill HAVING count(*) > 1",
    ),
    Rule(
        "the money of a bill is where its payment says",
        """
        SELECT b.id, b.state FROM bill_payment b JOIN bill_order o ON o.id = b.id
        LEFT JOIN transfer r ON r.id = b.reserve_id AND r.amount_fen = b.amount_fen
        LEFT JOIN transfer t ON t.id = b.transfer_id AND t.amount_fen = b.amount_fen
        WHERE r.id IS NULL OR (t.id IS NULL) <> (b.state = 'reserved')
           OR (b.state, o.state) NOT IN (('reserved', 'reserved'), ('posted', 'paid'), ('voided', 'refused'), ('given_back', 'given_back'))
        """,
    ),
    Rule(
        "the account of money on its way holds what is reserved for bills, and nothing else",
        """
        SELECT a.id, a.balance, r.waiting FROM account a,
          (SELECT coalesce(sum(amount_fen), 0) AS waiting FROM bill_payment WHERE state = 'reserved') r
        WHERE a.id = (SELECT t.credit_account FROM transfer t JOIN bill_payment b ON b.reserve_id = t.id LIMIT 1) AND a.balance <> r.waiting
        """,
    ),
    Rule(
        "a bill whose payment was told is in the books as it was told",
        """
        SELECT t.payment, t.state, o.state FROM told_bill t LEFT JOIN bill_order o ON o.id = t.payment
        WHERE o.id IS NULL OR (o.bill_number, o.amount_fen) <> (t.bill, t.amount)
           OR (t.state, o.state) NOT IN (('paid', 'paid'), ('failed', 'refused'), ('refunded', 'given_back'))
        """,
    ),
    Rule(
        "a bill that was told refused has taken no money",
        "SELECT r.bill, r.reason FROM told_bill_refused r JOIN bill_order o ON o.bill_number = r.bill AND o.state IN ('reserved', 'paid')",
    ),
)


def differences(
    connection: psycopg.Connection[Any], outside_url: str, told: list[tuple[Any, ...]], refused: list[tuple[str, str]]
) -> list[str]:
    """Everything in which the company's books and the city's disagree; `connection` has not read anything yet in its transaction.

    The company's books are read before the city's and after: what it has before, the city has committed; what the city has, it has after.
    """
    before = _taken(outside_url)
    connection.execute("SELECT count(*) FROM account")  # from here on the city's books stand still
    after = _taken(outside_url)
    connection.execute(TOLD.encode())
    tables = (("company_before", before), ("company_payment", after), ("told_bill", told), ("told_bill_refused", refused))
    for table, entries in tables:
        with connection.cursor().copy(f"COPY {table} FROM STDIN".encode()) as copy:
            for entry in entries:
                copy.write_row(entry)
    return offences(connection, RULES)


def under_way(connection: psycopg.Connection[Any]) -> int:
    """How many payments of bills are not decided."""
    row = connection.execute("SELECT count(*) FROM bill_order WHERE state = 'reserved'").fetchone()
    assert row is not None
    return int(row[0])


def wait_for_news(outside_url: str, patience: float) -> bool:
    """Returns as soon as the company takes a payment, or when patience (seconds) is over; whether it took one."""
    with psycopg.connect(outside_url, autocommit=True) as company:
        known, until = len(company.execute(PAYMENTS.encode()).fetchall()), time.monotonic() + patience
        while time.monotonic() < until:
            if len(company.execute(PAYMENTS.encode()).fetchall()) > known:
                return True
            time.sleep(0.02)
    return False


def unsure(url: str) -> set[UUID]:
    """Payments of bills whose answer the city did not get, by its own books at `url`, and which it has not marked paid since."""
    with psycopg.connect(url) as books:
        return {row[0] for row in books.execute("SELECT id FROM bill_order WHERE reason = 'status_504' AND state <> 'paid'").fetchall()}


def _taken(outside_url: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(outside_url) as company:
        rows = company.execute(PAYMENTS.encode()).fetchall()
    return [
        (ids.parse("bill_payment", number), account, bill, amount, state == "accepted") for number, account, bill, amount, state in rows
    ]
