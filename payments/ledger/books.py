"""What an accountant asks of the books: the trial balance and a plain-text journal that hledger and beancount's readers know."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text

from core import clock, db, ids
from core.db import session
from core.money import yuan

PAGE = 1000
# How long a statement may take that an office waits for: a page of the journal, a trial balance.
PATIENCE = dt.timedelta(minutes=10)


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

    def of(self, city_id: int) -> TrialBalance:
        """The part of one city, which balances by itself: money does not move between cities."""
        return _totalled([line for line in self.lines if line.city_id == city_id])


def _totalled(lines: list[TrialLine]) -> TrialBalance:
    return TrialBalance(
        lines,
        debits_fen=sum(line.debits_fen for line in lines),
        credits_fen=sum(line.credits_fen for line in lines),
        carried_fen=sum(line.balance_fen for line in lines),
    )


_TRIAL = """
WITH moved AS (
  SELECT account, sum(debit) AS debits, sum(credit) AS credits FROM (
    SELECT debit_account AS account, amount_fen AS debit, 0 AS credit FROM transfer WHERE CAST(:city AS integer) IS NULL OR city_id = :city
    UNION ALL SELECT credit_account, 0, amount_fen FROM transfer WHERE CAST(:city AS integer) IS NULL OR city_id = :city) AS sides
  GROUP BY account)
SELECT a.city_id, a.kind, count(*) AS accounts, sum(a.balance)::bigint AS balance,
       coalesce(sum(m.debits), 0)::bigint AS debits, coalesce(sum(m.credits), 0)::bigint AS credits
  FROM account a LEFT JOIN moved m ON m.account = a.id
 WHERE CAST(:city AS integer) IS NULL OR a.city_id = :city
 GROUP BY a.city_id, a.kind ORDER BY a.city_id, a.kind
"""


def trial_balance(city_id: int | None = None) -> TrialBalance:
    """The trial balance of a city, or of all; reads every transfer, so the caller lifts the limit of time (``db.let_run``)."""
    rows = session().execute(text(_TRIAL), {"city": city_id}).all()
    return _totalled([TrialLine(row.city_id, row.kind, row.accounts, row.debits, row.credits, row.balance) for row in rows])


# Paged by id, in the months in which ids of these days can lie (ledger_post takes an id of the last, this or the next month).
_JOURNAL = """
SELECT t.id, t.kind, t.amount_fen, t.reference, t.recorded_at,
       t.debit_account, d.kind AS debit_kind, t.credit_account, c.kind AS credit_kind
  FROM transfer t JOIN account d ON d.id = t.debit_account JOIN account c ON c.id = t.credit_account
 WHERE t.city_id = :city AND t.id > :after AND t.id < :border AND t.recorded_at >= :since AND t.recorded_at < :until
 ORDER BY t.id LIMIT :page
"""


class JournalForm(StrEnum):
    """The two dialects: beancount wants an account opened before its first use, hledger does not know that line."""

    HLEDGER = "hledger"
    BEANCOUNT = "beancount"


def journal(city_id: int, *, since: dt.date, until: dt.date, form: JournalForm = JournalForm.HLEDGER) -> Iterator[str]:
    """The transfers recorded from ``since`` up to before ``until`` (days in China) as journal text, a page at a time, in the order of ids.

    Amounts are yuan in the platform's own books: what it owes stands negative, as in every such journal. Each page is read in a
    transaction of its own, so that a slow reader holds none open. The last line tells how many there were: without it a copy is cut short.
    """
    start, end = _midnight(since), _midnight(until)
    after, border = _below(_month(start, -1)), _below(_month(end, 2))
    opened, count, rows = set[str](), 0, list[Row[Any]]()
    while count == 0 or len(rows) == PAGE:
        with db.unhurried(at_most=PATIENCE) as session:
            wanted = {"city": city_id, "since": start, "until": end, "after": after, "border": border, "page": PAGE}
            rows = list(session.execute(text(_JOURNAL), wanted).all())
        if not rows:
            break
        yield "".join(part for row in rows for part in _written(row, form, since, opened))
        after, count = rows[-1].id, count + len(rows)
    yield f"; {count} transfers from {since} to before {until}\n"


def _written(row: Row[Any], form: JournalForm, since: dt.date, opened: set[str]) -> Iterator[str]:
    if form is JournalForm.BEANCOUNT:
        for name in _accounts(row):
            if name not in opened:
                opened.add(name)
                # On the first day of all: an id that comes later may have been recorded on an earlier day.
                yield f"{since} open {name} CNY\n"
    yield _transaction(row)


def _below(moment: dt.datetime) -> UUID:
    """The border of a month in the space of ids, as ``ledger_floor_id`` draws it: no UUIDv7 lies on it."""
    return UUID(int=ids.floor_id(moment).int >> 80 << 80)


def _month(moment: dt.datetime, by: int) -> dt.datetime:
    """The beginning of the month (UTC) so many months after that of a moment."""
    months = moment.astimezone(dt.UTC).year * 12 + moment.astimezone(dt.UTC).month - 1 + by
    return dt.datetime(months // 12, months % 12 + 1, 1, tzinfo=dt.UTC)


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
