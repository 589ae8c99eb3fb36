"""Puts what clients were told beside the books; every difference is told as a sentence."""

from typing import Any
from uuid import UUID

import psycopg

from bench.books import RULES, Rule, offences
from crash import company
from crash.record import Record

TOLD = """
CREATE TEMP TABLE told_paid (key text, charge uuid, handle bigint, step bigint, tap int, amount bigint) ON COMMIT DROP;
CREATE TEMP TABLE told_refused (key text, handle bigint, step bigint, tap int, reason text) ON COMMIT DROP;
CREATE TEMP TABLE told_credited (top_up uuid, amount bigint) ON COMMIT DROP;
"""

PROMISES = (
    Rule(
        "an acknowledged charge is in the books with its amount",
        """
        SELECT p.key, p.charge FROM told_paid p LEFT JOIN charge c ON c.id = p.charge
        LEFT JOIN transfer t ON t.id = c.transfer_id
        WHERE c.id IS NULL OR t.id IS NULL OR c.amount_fen <> p.amount OR t.amount_fen <> p.amount
        """,
    ),
    Rule(
        "an acknowledged charge has consumed its code",
        """
        SELECT p.key, p.charge FROM told_paid p
        LEFT JOIN code_used u ON (u.handle, u.step, u.tap, u.charge_id) = (p.handle, p.step, p.tap, p.charge)
        -- Codes that are dead for ten minutes are swept.
        WHERE u.charge_id IS NULL AND p.step >= floor(extract(epoch FROM city_now()) / 30) - 20
        """,
    ),
    Rule(
        "a charge that was told refused has moved nothing",
        """
        SELECT r.key, r.reason, c.id FROM told_refused r JOIN code_used u USING (handle, step, tap)
        JOIN charge c ON c.id = u.charge_id
        WHERE NOT EXISTS (SELECT FROM told_paid p WHERE p.charge = c.id)
        """,
    ),
    Rule(
        "a charge has told its fact and left its audit line, in its own commit",
        """
        SELECT c.id FROM charge c JOIN transfer t ON t.id = c.transfer_id
        WHERE NOT EXISTS (SELECT FROM outbox o WHERE o.txid = t.txid AND o.payload->>'charge' = c.id::text)
        UNION
        SELECT c.id FROM charge c JOIN transfer t ON t.id = c.transfer_id
        WHERE NOT EXISTS (SELECT FROM audit a WHERE a.txid = t.txid AND a.resident_id = c.resident_id AND a.outcome = 'done')
        """,
    ),
    Rule(
        "an acknowledged top-up is in the books once with its amount",
        """
        SELECT told.top_up, count(t.id) FROM told_credited told
        LEFT JOIN transfer t ON t.reference = told.top_up AND t.kind = 'top_up' AND t.amount_fen = told.amount
        GROUP BY told.top_up HAVING count(t.id) <> 1
        """,
    ),
    Rule(
        "no top-up is credited twice",
        "SELECT reference FROM transfer WHERE kind = 'top_up' AND reference IS NOT NULL GROUP BY reference HAVING count(*) > 1",
    ),
    Rule(
        "the entries of an account are numbered without a gap, and each balance follows from the one before",
        """
        SELECT account, entry FROM (
          SELECT account, entry, after, after - moved - lag(after, 1, 0::bigint) OVER w AS jump,
                 entry - lag(entry, 1, 0::bigint) OVER w AS ahead
          FROM (
            SELECT debit_account AS account, debit_entry AS entry, debit_balance_after AS after, -amount_fen AS moved FROM transfer
            UNION ALL
            SELECT credit_account, credit_entry, credit_balance_after, amount_fen FROM transfer) sides
          WINDOW w AS (PARTITION BY account ORDER BY entry)) stepped
        WHERE jump <> 0 OR ahead <> 1
        """,
    ),
)


def differences(url: str, outside_url: str, record: Record) -> list[str]:
    """Everything in which the books at `url` disagree with `record`, with themselves, or with the water company's at `outside_url`."""
    bills = [(bill.payment, bill.bill, bill.amount_fen, bill.state) for bill in record.bills.values()]
    refused = [(bill.bill, bill.reason) for bill in record.bills_refused]
    with psycopg.connect(url) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        apart = company.differences(connection, outside_url, bills, refused)
        _tell(connection, record)
        found = offences(connection, (*RULES, *PROMISES))
        found += _keys(connection)
        connection.rollback()
    return record.contradictions + apart + found


def _tell(connection: psycopg.Connection[Any], record: Record) -> None:
    connection.execute(TOLD.encode())
    paid = [(p.key, p.charge, p.code.handle, p.code.step, p.code.tap, p.amount_fen) for p in record.paid.values()]
    refused = [(r.key, r.code.handle, r.code.step, r.code.tap, r.reason) for r in record.refused.values() if r.alone]
    credited = [(c.top_up, c.amount_fen) for c in record.credited.values()]
    for table, rows in (("told_paid", paid), ("told_refused", refused), ("told_credited", credited)):
        with connection.cursor().copy(f"COPY {table} FROM STDIN".encode()) as copy:
            for row in rows:
                copy.write_row(row)
        connection.execute(f"ANALYZE {table}".encode())


def _keys(connection: psycopg.Connection[Any]) -> list[str]:
    """Whether every charge stands under exactly one idempotency key, and every such key under a charge."""
    charges = {row[0] for row in connection.execute("SELECT id FROM charge").fetchall()}
    answered = connection.execute("SELECT (answer->>'charge')::uuid FROM idempotency WHERE answer->>'code' = 'posted'").fetchall()
    named: list[UUID] = [row[0] for row in answered]
    found = []
    if len(named) != len(set(named)):
        found.append(f"broken: one key per charge ({len(named) - len(set(named))} charges stand under two keys)")
    if bare := charges - set(named):
        found.append(f"broken: a charge stands under its key ({len(bare)} without one, the first {next(iter(bare))})")
    if empty := set(named) - charges:
        found.append(f"broken: a key stands for a charge ({len(empty)} without one, the first {next(iter(empty))})")
    return found
