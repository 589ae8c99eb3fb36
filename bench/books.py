"""Checks on the books that must hold after any load and any crash, told as sentences."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg


@dataclass(frozen=True, slots=True)
class Rule:
    """A query that finds offenders, and the sentence that says what they offend against."""

    says: str
    finds: str


RULES = (
    Rule("the balances of all accounts sum to zero", "SELECT sum(balance) FROM account HAVING sum(balance) <> 0"),
    Rule("no balance lies below its floor", "SELECT id FROM account WHERE floor IS NOT NULL AND balance < floor"),
    Rule(
        "a balance is the credits less the debits of its account",
        """
        SELECT a.id, a.balance, coalesce(m.moved, 0) FROM account a LEFT JOIN (
          SELECT account, sum(moved) AS moved FROM (
            SELECT credit_account AS account, amount_fen AS moved FROM transfer
            UNION ALL SELECT debit_account, -amount_fen FROM transfer) both_sides
          GROUP BY account) m ON m.account = a.id
        WHERE a.balance <> coalesce(m.moved, 0)
        """,
    ),
    Rule(
        "a charge has exactly one transfer of its amount",
        """
        SELECT c.id FROM charge c LEFT JOIN transfer t ON t.reference = c.id AND t.kind = 'charge'
        GROUP BY c.id, c.amount_fen HAVING count(t.id) <> 1 OR min(t.amount_fen) <> c.amount_fen
        """,
    ),
    Rule(
        "a transfer of a charge belongs to a charge",
        """
        SELECT t.id FROM transfer t LEFT JOIN charge c ON c.transfer_id = t.id
        WHERE t.kind = 'charge' AND c.id IS NULL
        """,
    ),
    Rule(
        "one code pays once",
        "SELECT charge_id FROM code_used WHERE charge_id <> '00000000-0000-0000-0000-000000000000' GROUP BY 1 HAVING count(*) > 1",
    ),
)


def offences(connection: psycopg.Connection[Any], rules: Sequence[Rule] = RULES) -> list[str]:
    """The rules that do not hold, each with how many rows offend and the first of them."""
    found = []
    for rule in rules:
        rows = connection.execute(rule.finds).fetchall()
        if rows:
            found.append(f"broken: {rule.says} ({len(rows)} rows, the first {rows[0]})")
    return found
