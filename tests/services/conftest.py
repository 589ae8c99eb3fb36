"""The statement kind over a database of its own: the water company's office beside it, and a line to it that can fail."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest
from psycopg.rows import dict_row
from psycopg_pool import ConnectionPool

from command.embedded import postgres
from core import clock, db, ids
from core.actors import Actor, ActorKind
from core.gateway import GatewayUnavailable
from core.limits import Quotas
from core.web import Edge
from payments import bill_paying, ledger
from services import catalogue
from services.gateways.utilities import BillView, OfficeUtility, OrderToPay, OwnerView, Paid, Told, Unknown
from services.items import Item, items
from services.kinds import statement
from services.kinds.statement import bills, binding, orders, paying
from services.offices.utilities import Company, Customer, Office, Reading, apply_tables, enter
from tests.payments.conftest import YUNCHUAN, Town
from tests.payments.conftest import at as at
from tests.payments.conftest import town as town

WATER = "990100-water"
# Numbers that no receipt number of any day contains.
_households = itertools.count(473_110_001, 1_009)


@dataclass
class Line:
    """The way to a company's office; `fault` is what goes wrong on it."""

    office: OfficeUtility
    fault: str = ""
    told: list[OrderToPay] = field(default_factory=list)
    spoil: Callable[[str], str] = lambda text: text

    def check_owner(self, account: str, name: str) -> OwnerView | None:
        self._reach()
        return self.office.check_owner(account, name)

    def bills(self, account: str) -> list[BillView]:
        self._reach()
        return self.office.bills(account)

    def pay(self, order: OrderToPay) -> Told:
        self._reach()
        self.told.append(order)
        answer = self.office.pay(order)
        return Unknown("answer_lost") if self.fault == "answer_lost" else answer

    def payment(self, number: str) -> Paid | None:
        self._reach()
        return self.office.payment(number)

    def withdraw(self, number: str) -> Paid:
        self._reach()
        return self.office.withdraw(number)

    def day_file(self, day: dt.date) -> str:
        self._reach()
        return self.spoil(self.office.day_file(day))

    def _reach(self) -> None:
        assert not db.in_transaction(), "nobody calls outside inside a transaction"
        if self.fault == "down":
            raise GatewayUnavailable(gateway="water")


@dataclass
class Hall:
    """The town, the companies of its items, and the office behind them."""

    town: Town
    office: Office
    lines: dict[str, Line]

    @property
    def line(self) -> Line:
        return self.lines["water"]

    def customer(self, item: str = "water", *, first: str = "", owner: str = "王晓明", persons: int = 3, use: int = 20) -> str:
        """A household with meters read every month since January of last year; gives its account number."""
        nth, today = next(_households), clock.today()
        account = f"{first or items()[item].filled.account[0]}{nth:09d}"
        company, months = f"990100-{item}", 12 + today.month
        days = [dt.date(today.year - 1 + month // 12, month % 12 + 1, 1) for month in range(months)]
        readings = [Reading(company, account, day, use * place) for place, day in enumerate(days)]
        enter(self.office.pool, [Customer(company, account, owner, "云川市桥东区河湾街道1号1幢302室", persons, "M")], readings)
        return account

    def bound(self, actor: Actor, item: str = "water", **given: Any) -> UUID:
        """An account of this resident's, bound."""
        account = given.pop("account", None) or self.customer(item)
        values = {"owner_name": "王晓明", "alias": "", "relation": "owner", **given}
        return binding.bind(actor, item=item, account_number=account, **values).id

    def bill(self, actor: Actor, bound: UUID, place: int = 0) -> bills.Shown:
        """A bill of the account."""
        return bills.bills_of(actor, bound)[0][place]

    def pay(self, actor: Actor, bill: bills.Shown, payment_id: UUID | None = None, **given: Any) -> orders.OrderView:
        """Pay it."""
        return paying.pay(actor, bill.id, amount_fen=given.get("amount_fen", bill.amount_fen), payment_id=payment_id or ids.new_id())

    def staff(self) -> Actor:
        """Somebody of the settlement office."""
        scopes = frozenset(
            {"services:difference:read", "services:difference:propose", "services:difference:approve", "services:item:switch"}
        )
        return Actor(kind=ActorKind.STAFF, id=ids.new_id(), city_id=YUNCHUAN, scopes=scopes)

    def seen(self, actor: Actor, payment: UUID) -> orders.OrderView:
        """The payment as it stands now."""
        with db.transaction():
            return orders.own(actor, payment)


def offers_of(office: Office, declared: dict[str, Item]) -> tuple[dict[str, Line], list[catalogue.Offer]]:
    """Every item as the town offers it, at the declared tariff."""
    lines = {code: Line(OfficeUtility(office, f"990100-{code}")) for code in declared}
    made = [
        catalogue.Offer(
            city_id=YUNCHUAN,
            item=item,
            company=f"990100-{code}",
            zh="云川水务",
            en="Yunchuan Water",
            gateway=lines[code],
            tariff=item.filled.tariff,
        )
        for code, item in declared.items()
    ]
    return lines, made


@pytest.fixture
def office(ground: tuple[postgres.Server, Any], town: Town) -> Iterator[Office]:
    """The companies' own database."""
    url = ground[0].url(postgres.OUTSIDE, postgres.OUTSIDE_DATABASE)
    pool: Any = ConnectionPool(url, min_size=1, max_size=4, kwargs={"row_factory": dict_row}, open=True)
    apply_tables(pool)
    with pool.connection() as connection:
        connection.execute("TRUNCATE utility_payment, utility_reading, utility_customer")
    declared = dict(items())
    companies = {f"990100-{code}": Company(f"990100-{code}", item.filled.unit, item.filled.tariff) for code, item in declared.items()}
    yield Office(pool, companies, clock.now)
    pool.close()


@pytest.fixture
def hall(town: Town, office: Office) -> Iterator[Hall]:
    """Everything, wired."""
    lines, made = offers_of(office, dict(items()))
    catalogue.configure(made)
    Edge(town.app, authenticator=town.door, quotas=Quotas("")).serve([catalogue.routes, statement.routes, statement.staff_routes])
    yield Hall(town, office, lines)
    catalogue.configure([])


def open_payments(hall: Hall) -> int:
    """How many payments are not certain yet."""
    return int(hall.town.rows("SELECT count(*) FROM bill_order WHERE state = 'reserved'")[0][0])


def waiting_fen(hall: Hall) -> int:
    """The money on its way to agencies."""
    account = bill_paying.waiting_account(YUNCHUAN)
    known = hall.town.rows("SELECT 1 FROM account WHERE id = %s", account)
    return hall.town.do(ledger.balance, account) if known else 0
