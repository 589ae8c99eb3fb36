"""What the office does: says whether a name owns an account, bills by tariff, takes a payment once, and forgets nothing."""

from __future__ import annotations

import datetime as dt
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from services.offices.utilities.books import Pool
from services.offices.utilities.day_file import write
from services.tariffs import Line, Terms, Use, lines_of, total_fen

DUE_DAYS = 25
# Bills older than this were settled at the company's own counter before the city's app was there.
NEWEST_DUE = 2


class OfficeRefused(Exception):
    """The office says no, with a stable code and an HTTP status."""

    def __init__(self, code: str, status: int = 409) -> None:
        super().__init__(code)
        self.code, self.status = code, status


@dataclass(frozen=True, slots=True)
class Company:
    """A company that keeps its books here: its code, the unit that its meters count, and its tariff."""

    code: str
    unit: str
    tariff: tuple[Terms, ...]


@dataclass(frozen=True, slots=True)
class Office:
    """The office of several companies over one database; `now` is the office's own clock."""

    pool: Pool
    companies: Mapping[str, Company]
    now: Callable[[], dt.datetime]

    def check_owner(self, company: str, account: str, name: str) -> dict[str, Any]:
        """Whose account it is, masked; another name and an unknown account are refused alike."""
        row = self._one("SELECT * FROM utility_customer WHERE company = %s AND account = %s", company, account)
        owner = "" if row is None else row["owner"]
        if not hmac.compare_digest(owner.encode(), name.encode()) or row is None:
            raise OfficeRefused("account_not_matched", 404)
        return {
            "account": account,
            "masked_owner": masked(row["owner"]),
            "masked_address": masked_address(row["address"]),
            "persons": row["persons"],
        }

    def bills(self, company: str, account: str) -> dict[str, Any]:
        """The bills of the last twelve months, newest first, each with the lines that make it."""
        customer = self._one("SELECT * FROM utility_customer WHERE company = %s AND account = %s", company, account)
        if customer is None:
            raise OfficeRefused("account_unknown", 404)
        bills = self._bills(self.company(company), customer)
        return {"account": account, "bills": bills[-12:][::-1]}

    def pay(self, company: str, order: Mapping[str, Any]) -> dict[str, Any]:
        """Take a payment of a bill in full; the same number again is the same payment, other content under it is refused."""
        self.company(company)
        wanted = {name: order[name] for name in ("number", "account", "bill", "amount_fen", "day")}
        with self.pool.connection() as connection:
            known = self._payment(connection, company, wanted["number"])
        if known is not None:
            return self._same(known, wanted)
        bill = next((b for b in self.bills(company, wanted["account"])["bills"] if b["number"] == wanted["bill"]), None)
        if bill is None:
            raise OfficeRefused("bill_unknown", 404)
        if bill["amount_fen"] != wanted["amount_fen"]:
            raise OfficeRefused("amount_differs")
        return self._accept(company, wanted, settled=bill["state"] == "paid")

    def payment(self, company: str, number: str) -> dict[str, Any]:
        """What became of a payment."""
        with self.pool.connection() as connection:
            found = self._payment(connection, company, number)
        if found is None:
            raise OfficeRefused("payment_unknown", 404)
        return _shown(found)

    def withdraw(self, company: str, number: str) -> dict[str, Any]:
        """Make sure that a number is never accepted from now on; one that was accepted already is answered so."""
        self.company(company)
        with self.pool.connection() as connection:
            connection.execute(
                """INSERT INTO utility_payment (company, number, account, bill, amount_fen, day, state, at)
                   VALUES (%s, %s, '', '', 0, %s, 'withdrawn', %s) ON CONFLICT DO NOTHING""",
                (company, number, self.now().date(), self.now()),
            )
            found = self._payment(connection, company, number)
        assert found is not None
        return _shown(found)

    def day_file(self, company: str, day: dt.date) -> str:
        """The payments of a business day, with control totals."""
        self.company(company)
        with self.pool.connection() as connection:
            rows = connection.execute(
                "SELECT * FROM utility_payment WHERE company = %s AND day = %s AND state = 'accepted' ORDER BY serial", (company, day)
            ).fetchall()
        return write(company, day, rows)

    def company(self, code: str) -> Company:
        """A company by its code."""
        found = self.companies.get(code)
        if found is None:
            raise OfficeRefused("company_unknown", 404)
        return found

    def _accept(self, company: str, wanted: Mapping[str, Any], *, settled: bool) -> dict[str, Any]:
        with self.pool.connection() as connection:
            # Two orders under one number at once: the second waits at the primary key, or finds the bill settled by the first.
            made = (
                None
                if settled
                else connection.execute(
                    """INSERT INTO utility_payment (company, number, account, bill, amount_fen, day, state, at)
                   VALUES (%s, %s, %s, %s, %s, %s, 'accepted', %s) ON CONFLICT DO NOTHING RETURNING *""",
                    (company, *(wanted[name] for name in ("number", "account", "bill", "amount_fen", "day")), self.now()),
                ).fetchone()
            )
            known = made or self._payment(connection, company, wanted["number"])
        if known is None:
            # Another number for the same bill came first.
            raise OfficeRefused("bill_paid")
        return self._same(known, wanted)

    def _same(self, known: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Any]:
        if known["state"] == "withdrawn":
            raise OfficeRefused("payment_withdrawn")
        # The day is the company's from the first acceptance on; a repetition on a later day does not move it.
        if any(known[name] != wanted[name] for name in ("account", "bill", "amount_fen")):
            raise OfficeRefused("payment_differs")
        return _shown(known)

    def _payment(self, connection: Any, company: str, number: str) -> dict[str, Any] | None:
        found: dict[str, Any] | None = connection.execute(
            "SELECT * FROM utility_payment WHERE company = %s AND number = %s", (company, number)
        ).fetchone()
        return found

    def _bills(self, company: Company, customer: Mapping[str, Any]) -> list[dict[str, Any]]:
        """One bill for each two readings that follow each other, oldest first."""
        key, today = (company.code, customer["account"]), self.now().date()
        with self.pool.connection() as connection:
            readings = connection.execute(
                "SELECT read_on, value FROM utility_reading WHERE company = %s AND account = %s AND read_on <= %s ORDER BY read_on",
                (*key, today),
            ).fetchall()
            paid = connection.execute(
                "SELECT bill FROM utility_payment WHERE company = %s AND account = %s AND state = 'accepted'", key
            ).fetchall()
        settled = {row["bill"] for row in paid}
        pairs = list(pairwise(readings))
        used: dict[int, int] = {}
        found = []
        for place, (opens, closes) in enumerate(pairs):
            year, quantity = opens["read_on"].year, closes["value"] - opens["value"]
            use = Use(opens["read_on"], closes["read_on"], quantity, used.get(year, 0), customer["persons"])
            used[year] = use.before + quantity
            bill = _bill(company, customer, use, opens["value"])
            if bill["number"] in settled or place < len(pairs) - NEWEST_DUE:
                bill["state"] = "paid"
            if bill["amount_fen"]:
                found.append(bill)
        return found

    def _one(self, query: str, *values: Any) -> dict[str, Any] | None:
        with self.pool.connection() as connection:
            return connection.execute(query, values).fetchone()


def masked(name: str) -> str:
    """`王晓明` as `王*明`, `李四` as `李*`."""
    return name[0] + "*" * max(1, len(name) - 2) + (name[-1] if len(name) > 2 else "")


def masked_address(address: str) -> str:
    """An address without its flat."""
    return address[: max(4, len(address) - 8)] + "****"


def _bill(company: Company, customer: Mapping[str, Any], use: Use, opening: int) -> dict[str, Any]:
    lines = lines_of(use, company.tariff)
    return {
        "number": f"{customer['account']}{use.since:%Y%m}",
        "period": f"{use.since:%Y-%m}",
        "since": use.since.isoformat(),
        "until": use.until.isoformat(),
        "unit": company.unit,
        "opening": opening,
        "closing": opening + use.quantity,
        "quantity": use.quantity,
        "used_before": use.before,
        "persons": use.persons,
        "amount_fen": total_fen(lines),
        "due_on": (use.until + dt.timedelta(days=DUE_DAYS)).isoformat(),
        "state": "due",
        "lines": [_line(line) for line in lines],
    }


def _line(line: Line) -> dict[str, Any]:
    return {
        "since": line.since.isoformat(),
        "until": line.until.isoformat(),
        "tier": line.tier,
        "quantity": line.quantity,
        "price_e4": line.price_e4,
        "amount_fen": line.amount_fen,
    }


def _shown(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "number": row["number"],
        "account": row["account"],
        "bill": row["bill"],
        "amount_fen": row["amount_fen"],
        "state": row["state"],
        "company_number": f"{row['day']:%Y%m%d}{row['serial']:09d}",
        "day": row["day"].isoformat(),
    }
