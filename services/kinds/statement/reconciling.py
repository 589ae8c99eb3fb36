"""Reconciling a day: what an agency says it received against what we posted; every difference is written down for people (F52, F110)."""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from core import audit, clock, ids
from core.actors import Actor, system
from core.db import session, transaction
from core.vocabulary import AuditEvent
from services import catalogue
from services.catalogue import Offer
from services.kinds.statement import paying
from services.kinds.statement.day_files import Entry, FileDamaged, Found, compare, read
from services.kinds.statement.errors import DayNotOver
from services.kinds.statement.models import BillOrder, Difference, Reconciliation

# A payment at midnight may be in the next day's file: open ones are found out first, and days are looked at again for a while.
LOOK_BACK_DAYS: Final = 3
_AT_ONCE: Final = 500


def reconcile_unread(city_id: int, item: str, day: dt.date) -> None:
    """Reconcile a day unless its file was read whole before and what we posted for the day is still what it was then."""
    with transaction():
        read_before = session().scalar(
            select(Reconciliation.ours_fen)
            .where(Reconciliation.city_id == city_id, Reconciliation.item == item, Reconciliation.day == day)
            .where(Reconciliation.state != "damaged")
            .order_by(Reconciliation.id.desc())
            .limit(1)
        )
        posted = sum(entry.amount_fen for entry in _ours(city_id, item, day).values())
    if read_before != posted:
        reconcile(system("reconciling", city_id), city_id, item, day)


def reconcile(actor: Actor, city_id: int, item: str, day: dt.date) -> UUID:
    """Read the agency's day against ours; calls outside. Raises DayNotOver, ItemUnknown, GatewayUnavailable."""
    if day >= clock.today():
        raise DayNotOver()
    offer = catalogue.offer(city_id, item)
    for order_id in _open_orders(offer, day):
        paying.find_out(order_id)
    text = offer.gateway.day_file(day)
    with transaction():
        ours = _ours(city_id, item, day)
        try:
            theirs = read(text, company=offer.company, day=day)
            equal, found = compare(ours, theirs)
            state, theirs_fen = "different" if found else "equal", sum(entry.amount_fen for entry in theirs)
        except FileDamaged as fault:
            equal, theirs_fen, state = 0, 0, "damaged"
            found = [Found("damaged", str(fault), None, None, "the file is not whole; ask the agency for it again")]
        ours_fen = sum(entry.amount_fen for entry in ours.values())
        row = Reconciliation(
            id=ids.new_id(),
            city_id=city_id,
            item=item,
            day=day,
            state=state,
            file_hash=hashlib.sha256(text.encode()).digest(),
            equal=equal,
            ours_fen=ours_fen,
            theirs_fen=theirs_fen,
            differences=len(found),
            at=clock.now(),
        )
        session().add(row)
        session().flush()
        _write_down(row, found)
        _note(actor, row)
        return row.id


def _open_orders(offer: Offer, day: dt.date) -> list[UUID]:
    """Payments of this agency that were begun by the end of the day and are not certain yet."""
    end = dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), clock.CHINA)
    with transaction():
        wanted = select(BillOrder.id).where(
            BillOrder.city_id == offer.city_id, BillOrder.item == offer.item.code, BillOrder.state == "reserved", BillOrder.created_at < end
        )
        return list(session().scalars(wanted.order_by(BillOrder.id).limit(_AT_ONCE)))


def _ours(city_id: int, item: str, day: dt.date) -> dict[str, Entry]:
    """What we posted for an item's agency for the day."""
    wanted = select(BillOrder).where(BillOrder.city_id == city_id, BillOrder.item == item, BillOrder.day == day, BillOrder.state == "paid")
    return {
        ids.show("bill_payment", row.id): Entry(
            row.company_number or "",
            ids.show("bill_payment", row.id),
            row.account_number,
            row.bill_number,
            row.amount_fen,
            day.isoformat(),
        )
        for row in session().scalars(wanted)
    }


def _write_down(row: Reconciliation, found: list[Found]) -> None:
    for each in found:
        made = insert(Difference).values(
            id=ids.new_id(),
            city_id=row.city_id,
            reconciliation_id=row.id,
            item=row.item,
            day=row.day,
            kind=each.kind,
            number=each.number,
            ours_fen=each.ours_fen,
            theirs_fen=each.theirs_fen,
            note=each.note,
            state="open",
        )
        session().execute(made.on_conflict_do_nothing(index_elements=["city_id", "item", "day", "kind", "number"]))


def _note(actor: Actor, row: Reconciliation) -> None:
    audit.record(
        actor,
        AuditEvent.DAY_RECONCILED,
        city_id=row.city_id,
        subject=ids.show("reconciliation", row.id),
        outcome=row.state,
        detail={"item": row.item, "day": row.day.isoformat(), "equal": row.equal, "differences": row.differences},
    )
