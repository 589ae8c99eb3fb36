"""Marking a bill as paid: the right one, found by its number, and before the accounts are locked that all payments need."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import psycopg
import pytest
from sqlalchemy.dialects import postgresql

from command.embedded import postgres
from core import clock, db, ids
from core.actors import Actor
from payments import bill_paying
from services.kinds.statement import bills, paying
from services.kinds.statement.models import Bill, BillOrder
from tests.payments.conftest import YUNCHUAN
from tests.services.conftest import Hall

MANY = """
INSERT INTO bill (id, city_id, resident_id, binding_id, number, period, amount_fen, state, facts, fetched_at)
SELECT gen_random_uuid(), city_id, resident_id, binding_id, number || '-' || nth, period, amount_fen, state, facts, fetched_at
FROM (SELECT * FROM bill LIMIT 1) one, generate_series(1, 5000) nth
"""


def states(hall: Hall, number: str) -> dict[UUID, str]:
    """How the bills of a number stand, by binding."""
    return dict(hall.town.rows("SELECT binding_id, state FROM bill WHERE number = %s", number))


def same_number(actor: Actor, bound: UUID, bill: bills.Shown) -> None:
    """A bill of another account, at another agency, that happens to have the same number."""
    values: dict[str, Any] = {"period": bill.period, "amount_fen": 1, "state": "due", "facts": {}, "fetched_at": clock.now()}
    with db.transaction() as session:
        session.add(Bill(id=ids.new_id(), city_id=YUNCHUAN, resident_id=actor.id, binding_id=bound, number=bill.number, **values))
        session.flush()


def test_a_bill_of_another_item_with_the_same_number_stays_due(hall: Hall) -> None:
    wang, li, account = hall.town.holder(50_000), hall.town.holder(), hall.customer()
    water, shared, power = hall.bound(wang, account=account), hall.bound(li, account=account), hall.bound(wang, "power")
    bill = hall.bill(wang, water)
    hall.bill(li, shared)
    same_number(wang, power, bill)
    hall.pay(wang, bill)
    assert states(hall, bill.number) == {water: "paid", shared: "paid", power: "due"}


def test_the_bill_is_marked_before_any_account_is_locked(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    wang = hall.town.holder(50_000)
    bill, post, seen = hall.bill(wang, hall.bound(wang)), bill_paying.post, []

    def watched(payment_id: UUID) -> bill_paying.BillPaid:
        seen.append(db.session().get_one(Bill, bill.id).state)
        return post(payment_id)

    monkeypatch.setattr(bill_paying, "post", watched)
    hall.pay(wang, bill)
    assert seen == ["paid"]


def test_among_many_bills_it_is_found_by_an_index(hall: Hall, ground: tuple[postgres.Server, Any]) -> None:
    wang = hall.town.holder(50_000)
    paid = hall.pay(wang, hall.bill(wang, hall.bound(wang)))
    with db.transaction() as session:
        statement = paying.settled_bills(session.get_one(BillOrder, paid.id))
        asked = str(statement.compile(dialect=postgresql.dialect(), compile_kwargs={"literal_binds": True}))
    database = hall.town.rows("SELECT current_database()")[0][0]
    with psycopg.connect(ground[0].url(postgres.OWNER, database)) as owner:
        owner.execute(MANY)
        owner.execute("ANALYZE bill")
        plan = "\n".join(row[0] for row in owner.execute(b"EXPLAIN " + asked.encode()).fetchall())
    assert "ix_bill_city_id_number" in plan
    assert "Seq Scan on bill" not in plan
