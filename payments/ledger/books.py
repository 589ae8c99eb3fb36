"""What an accountant asks of the books: the trial balance and a plain-text journal that hledger and beancount's readers know."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text

from core import clock, ids
from core.db import session
from core.money import yuan

PAGE = 1000


@dataclass(frozen=True, slots=True)
class TrialLine:
    """All accounts of a kind in a city together, in fen."""

    city_id: int
    kind: str
    accounts: int
    debits_fen: int
    credits_fen: int
    balance_fen: int


@dataclass(frozen=True, slots=True)
class TrialBalance:
    """The proof that the books balance: debits equal credits, and the balances that accounts carry are what their entries make."""

    lines: list[TrialLine]
    debits_fen: int
    credits_fen: int
    carried_fen: int

    @property
    def balanced(self) -> bool:
        """Whether nothing is missing: in every line the balance is credits less debits, and all lines together are zero."""
        return (
            self.debits_fen == self.credits_fen
            and self.carried_fen == 0
            and all(line.balance_fen == line.credits_fen - line.debits_fen for line in self.lines)
        )


_TRIAL = """
WITH moved AS (
  SELECT account, sum(debit) AS debits, sum(credit) AS credits FROM (
    SELECT debit_account AS account, amount_fen AS debit, 0 AS credit FROM transfer
    UNION ALL SELECT credit_account, 0, amount_fen FROM transfer) AS sides
  GROUP BY account)
SELECT a.city_id, a.kind, count(*) AS accounts, sum(a.balance)::bigint AS balance,
       coalesce(sum(m.debits), 0)::bigint AS debits, coalesce(sum(m.credits), 0)::bigint AS credits
  FROM account a LEFT JOIN moved m ON m.account = a.id
 WHERE CAST(:city AS integer) IS NULL OR a.city_id = :city
 GROUP BY a.city_id, a.kind ORDER BY a.city_id, a.kind
"""


def trial_balance(city_id: int | None = None) -> TrialBalance:
    """The trial balance of a city, or of all; reads every transfer, so it is for the office, not for a page."""
    rows = session().execute(text(_TRIAL), {"city": city_id}).all()
    lines = [TrialLine(row.city_id, row.kind, row.accounts, row.debits, row.credits, row.balance) for row in rows]
    return TrialBalance(
        lines,
        debits_fen=sum(line.debits_fen for line in lines),
        credits_fen=sum(line.credits_fen for line in lines),
        carried_fen=sum(line.balance_fen for line in lines),
    )


_JOURNAL = """
SELECT t.id, t.kind, t.amount_fen, t.reference, t.recorded_at,
       t.debit_account, d.kind AS debit_kind, t.credit_account, c.kind AS credit_kind
  FROM transfer t JOIN account d ON d.id = t.debit_account JOIN account c ON c.id = t.credit_account
 WHERE t.city_id = :city AND t.recorded_at >= :since AND t.recorded_at < :until AND (t.recorded_at, t.id) > (:after, :id)
 ORDER BY t.recorded_at, t.id LIMIT :page
"""
_NIL = UUID(int=0)


class JournalForm(StrEnum):
    """The two dialects: beancount wants an account opened before its first use, hledger does not know that line."""

    HLEDGER = "hledger"
    BEANCOUNT = "beancount"


def journal(city_id: int, *, since: dt.date, until: dt.date, form: JournalForm = JournalForm.HLEDGER) -> Iterator[str]:
    """The transfers recorded from ``since`` up to before ``until`` (days in China) as journal text, in the order of recording.

    Amounts are yuan in the platform's own books: what it owes stands negative, as in every such journal.
    """
    start, end = _midnight(since), _midnight(until)
    opened: set[str] = set()
    after, last = start - dt.timedelta(seconds=1), _NIL
    while True:
        rows = (
            session()
            .execute(text(_JOURNAL), {"city": city_id, "since": start, "until": end, "after": after, "id": last, "page": PAGE})
            .all()
        )
        for row in rows:
            if form is JournalForm.BEANCOUNT:
                yield from _openings(row, opened)
            yield _transaction(row)
        if len(rows) < PAGE:
            return
        after, last = rows[-1].recorded_at, rows[-1].id


def _openings(row: Row[Any], opened: set[str]) -> Iterator[str]:
    for name in _accounts(row):
        if name not in opened:
            opened.add(name)
            yield f"{_day(row)} open {name} CNY\n"


def _transaction(row: Row[Any]) -> str:
    debit, credit = _accounts(row)
    about = f"  ; reference: {row.reference}" if row.reference else ""
    return (
        f'{_day(row)} * "{row.kind}"  ; transfer: {row.id}\n'
        f"    {debit}  {yuan(row.amount_fen)} CNY{about}\n"
        f"    {credit}  {yuan(-row.amount_fen)} CNY\n\n"
    )


def _accounts(row: Row[Any]) -> tuple[str, str]:
    return account_name(row.debit_kind, row.debit_account), account_name(row.credit_kind, row.credit_account)


def _day(row: Row[Any]) -> str:
    return row.recorded_at.astimezone(clock.CHINA).date().isoformat()  # type: ignore[no-any-return]  # a row is untyped


_NAMES = {
    "wallet": "Liabilities:Wallet",
    "merchant": "Liabilities:Merchant",
    "clearing": "Assets:Clearing",
    "bank": "Assets:Bank",
    "revenue": "Income:Revenue",
    "subsidy": "Expenses:Subsidy",
    "suspense": "Assets:Suspense",
}


def account_name(kind: str, account_id: UUID) -> str:
    """The name of an account in the journal: its class, and an id in letters and digits that names nobody."""
    return f"{_NAMES[kind]}:{ids.show('acc', account_id).replace('_', '-').capitalize()}"


def _midnight(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), clock.CHINA)
