"""The books under seal: the chain of transfers for the sealer, and the check that finds what a superuser changed behind it (D10)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import text

from core import db, sealer

CHAIN = sealer.Chain(
    name="transfer",
    table="transfer",
    kept="row_hash",
    true=(
        "ledger_transfer_hash(t.id, t.city_id, t.debit_account, t.credit_account, t.amount_fen, t.debit_balance_after,"
        " t.credit_balance_after, t.debit_entry, t.credit_entry, t.reference, t.reverses, t.occurred_at, t.recorded_at, t.txid, t.kind)"
    ),
)


@dataclass(frozen=True, slots=True)
class Fault:
    """Something in the books that posting cannot have made: what, and the id of the thing."""

    what: str
    where: str


_CHECKS: tuple[tuple[str, str], ...] = (
    ("the row's hash is not that of its content", "SELECT t.id FROM transfer t WHERE t.row_hash <> " + CHAIN.true),  # noqa: S608  # our own text
    (
        # Numbers without a gap and balances that follow from one another: a row taken out or put in leaves a step that does not fit.
        "an entry does not follow from the one before it",
        """
        SELECT account FROM (
          SELECT account, number, after, amount,
                 lag(number, 1, 0::bigint) OVER w AS number_before, lag(after, 1, 0::bigint) OVER w AS before
            FROM (SELECT debit_account AS account, debit_entry AS number, debit_balance_after AS after, -amount_fen AS amount FROM transfer
                  UNION ALL SELECT credit_account, credit_entry, credit_balance_after, amount_fen FROM transfer) AS sides
          WINDOW w AS (PARTITION BY account ORDER BY number)) AS steps
         WHERE number <> number_before + 1 OR after <> before + amount
        """,
    ),
    (
        "an account's balance is not that of its last entry",
        """
        SELECT a.id FROM account a LEFT JOIN (
          SELECT DISTINCT ON (account) account, number, after FROM (
            SELECT debit_account AS account, debit_entry AS number, debit_balance_after AS after FROM transfer
            UNION ALL SELECT credit_account, credit_entry, credit_balance_after FROM transfer) AS sides
           ORDER BY account, number DESC) AS last ON last.account = a.id
         WHERE (a.entries, a.balance) <> (coalesce(last.number, 0), coalesce(last.after, 0))
        """,
    ),
    (
        "a reversal is not noted, or noted without one",
        """
        SELECT coalesce(t.id, r.transfer_id) FROM (SELECT id, reverses FROM transfer WHERE reverses IS NOT NULL) AS t
          FULL JOIN reversed_transfer r ON r.transfer_id = t.reverses AND r.reversed_by = t.id
         WHERE t.id IS NULL OR r.transfer_id IS NULL
        """,
    ),
)


def verify() -> list[Fault]:
    """Check the seals and the books behind them; an empty list means nobody changed, added or removed anything. Reads every transfer."""
    return [*_broken_seals(), *_broken_books()]


def _broken_seals() -> Iterator[Fault]:
    for broken in sealer.verify(CHAIN.name):
        yield Fault(f"the seal does not hold ({broken.why})", f"seal {broken.number}")


def _broken_books() -> Iterator[Fault]:
    with db.transaction() as session:
        for what, offenders in _CHECKS:
            for row in session.execute(text(offenders)).all():
                yield Fault(what, str(row[0]))
