"""The books under seal: the chain of transfers for the sealer, and the check that finds what a superuser changed behind it (D10)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from uuid import UUID

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


# So many accounts, or about so many entries of them, are followed in one statement; so many offenders of a statement are named.
ACCOUNTS = 2_000
ENTRIES = 200_000
NAMED = 100
_FIRST, _LAST = UUID(int=0), UUID(int=2**128 - 1)


@dataclass(frozen=True, slots=True)
class Fault:
    """Something in the books that posting cannot have made: what, and the id of the thing."""

    what: str
    where: str


@dataclass(slots=True)
class Examined:
    """What a look through the books took in: transfers with their hashes, accounts with their entries, reversals; and what is wrong."""

    transfers: int = 0
    accounts: int = 0
    entries: int = 0
    reversals: int = 0
    faults: list[Fault] = field(default_factory=list)

    def find(self, what: str, offenders: Sequence[object] | None) -> None:
        """Note the offenders of a check."""
        self.faults += [Fault(what, str(each)) for each in offenders or ()]


_HASHES = f"SELECT count(*) AS seen, (array_agg(t.id) FILTER (WHERE t.row_hash <> {CHAIN.true}))[1:{NAMED}] AS broken FROM transfer t"  # noqa: S608  # our own text
# Numbers without a gap and balances that follow from one another: a row taken out or put in leaves a step that does not fit.
# Both sides are found by their index, so that a range costs what lies in it.
_STEPS = f"""
WITH sides AS (
  SELECT debit_account AS account, debit_entry AS number, debit_balance_after AS after, -amount_fen AS amount
    FROM transfer WHERE debit_account > :above AND debit_account <= :upto
  UNION ALL SELECT credit_account, credit_entry, credit_balance_after, amount_fen
    FROM transfer WHERE credit_account > :above AND credit_account <= :upto),
steps AS (
  SELECT account, number, after, CASE WHEN lead(number) OVER w IS NULL THEN account END AS last_of,
         number <> lag(number, 1, 0::bigint) OVER w + 1 OR after <> lag(after, 1, 0::bigint) OVER w + amount AS broken
    FROM sides WINDOW w AS (PARTITION BY account ORDER BY number)),
held AS (SELECT id, entries, balance FROM account WHERE id > :above AND id <= :upto)
SELECT count(s.account) AS entries, count(a.id) AS accounts,
       (array_agg(DISTINCT s.account) FILTER (WHERE s.broken))[1:{NAMED}] AS broken,
       (array_agg(coalesce(a.id, s.account))
          FILTER (WHERE (s.account IS NULL OR s.last_of IS NOT NULL)
                    AND (coalesce(a.entries, 0), coalesce(a.balance, 0)) <> (coalesce(s.number, 0), coalesce(s.after, 0)))
       )[1:{NAMED}] AS unlike
  FROM steps s FULL JOIN held a ON a.id = s.last_of
"""  # noqa: S608  # our own text
_REVERSALS = f"""
SELECT count(*) AS seen,
       (array_agg(coalesce(t.id, r.transfer_id)) FILTER (WHERE t.id IS NULL OR r.transfer_id IS NULL))[1:{NAMED}] AS broken
  FROM (SELECT id, reverses FROM transfer WHERE reverses IS NOT NULL) AS t
  FULL JOIN reversed_transfer r ON r.transfer_id = t.reverses AND r.reversed_by = t.id
"""  # noqa: S608  # our own text


def verify() -> list[Fault]:
    """Check the seals and the books behind them; an empty list means nobody changed, added or removed anything. Reads every transfer."""
    seals = [Fault(f"the seal does not hold ({broken.why})", f"seal {broken.number}") for broken in sealer.verify(CHAIN.name)]
    return seals + examine().faults


def examine() -> Examined:
    """Look through the books: every transfer's hash, every account's entries, every reversal. Without a limit of time, a statement each."""
    seen = Examined()
    with db.unhurried() as session:
        row = session.execute(text(_HASHES)).one()
    seen.transfers = row.seen
    seen.find("the row's hash is not that of its content", row.broken)
    for above, upto in _ranges():
        with db.unhurried() as session:
            row = session.execute(text(_STEPS), {"above": above, "upto": upto}).one()
        seen.accounts, seen.entries = seen.accounts + row.accounts, seen.entries + row.entries
        seen.find("an entry does not follow from the one before it", row.broken)
        seen.find("an account's balance is not that of its last entry", row.unlike)
    with db.unhurried() as session:
        row = session.execute(text(_REVERSALS)).one()
    seen.reversals = row.seen
    seen.find("a reversal is not noted, or noted without one", row.broken)
    return seen


def _ranges() -> Iterator[tuple[UUID, UUID]]:
    """The whole space of account ids in pieces that hold about as many entries each: also ids that are no account lie in one."""
    above = _FIRST
    while above < _LAST:
        with db.unhurried() as session:
            found = text("SELECT id, entries FROM account WHERE id > :above ORDER BY id LIMIT :most")
            accounts = session.execute(found, {"above": above, "most": ACCOUNTS}).all()
        sums = accumulate(row.entries for row in accounts)
        full = next((row.id for row, entries in zip(accounts, sums, strict=True) if entries >= ENTRIES), None)
        upto = full or (accounts[-1].id if len(accounts) == ACCOUNTS else _LAST)
        yield above, upto
        above = upto
