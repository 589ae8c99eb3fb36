"""Reconciling a day: what an agency says it received against what we posted; every difference is written down for people (F52, F110)."""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import Final
from uuid import UUID

from sqlalchemy import select, text

from core import audit, clock, ids
from core.actors import Actor, system
from core.db import session, transaction
from core.vocabulary import AuditEvent
from services import catalogue
from services.catalogue import Offer
from services.kinds.statement import paying, rules
from services.kinds.statement.day_files import Entry, FileDamaged, Found, compare, read
from services.kinds.statement.errors import DayNotOver
from services.kinds.statement.models import BillOrder, Difference, Reconciliation

# A payment at midnight may be in the next day's file: open ones are found out first, and days are looked at again for a while.
LOOK_BACK_DAYS: Final = 3
# A day with a difference that nobody has settled is looked at again for this long.
LATE: Final = dt.timedelta(days=31)
WAITING: Final = ("open", "proposed")
_AT_ONCE: Final = 500


def days_to_read(city_id: int, item: str) -> list[dt.date]:
    """The last days, and those before of which a difference waits for people: agencies mend their books late."""
    today = clock.today()
    last = {today - dt.timedelta(days=back) for back in range(1, LOOK_BACK_DAYS + 1)}
    waiting = select(Difference.day).where(Difference.city_id == city_id, Difference.item == item, Difference.state.in_(WAITING))
    with transaction():
        return sorted(last.union(session().scalars(waiting.where(Difference.day >= today - LATE).distinct())), reverse=True)


def reconcile_unread(city_id: int, item: str, day: dt.date) -> None:
    """Reconcile a day unless its file was read whole before, was equal, and what we posted for the day is still what it was then."""
    with transaction():
        before = newest_reading(city_id, item, day)
        posted = sum(entry.amount_fen for entry in _ours(city_id, item, day).values())
        settled = before is not None and before.state == "equal" and before.ours_fen == posted
    if not settled:
        reconcile(system("reconciling", city_id), city_id, item, day)


def newest_reading(city_id: int, item: str, day: dt.date) -> Reconciliation | None:
    """The newest reading of a day by a file that was whole."""
    wanted = select(Reconciliation).where(Reconciliation.city_id == city_id, Reconciliation.item == item, Reconciliation.day == day)
    return session().scalar(wanted.where(Reconciliation.state != "damaged").order_by(Reconciliation.id.desc()).limit(1))


def reconcile(actor: Actor, city_id: int, item: str, day: dt.date) -> UUID:
    """Read the agency's day against ours; calls outside. Raises DayNotOver, ItemUnknown, GatewayUnavailable."""
    if day >= clock.today():
        raise DayNotOver()
    offer = catalogue.offer(city_id, item)
    for order_id in _open_orders(offer, day):
        paying.find_out(order_id)
    # Of two readings at once the newer is the one that asked for the file later, whichever is written down first.
    reading = ids.new_id()
    sent = offer.gateway.day_file(day)
    with transaction():
        known = _known(city_id, item, day)
        row, found = _compared(offer, day, sent)
        row.id = reading
        session().add(row)
        session().flush()
        overtaken = (newest := newest_reading(city_id, item, day)) is not None and newest.id > row.id
        gone = 0 if overtaken else _write_down(row, found, known)
        _note(actor, row, gone)
        return reading


def _compared(offer: Offer, day: dt.date, sent: str) -> tuple[Reconciliation, list[Found]]:
    """A reading of the agency's file, and the differences that it shows."""
    ours = _ours(offer.city_id, offer.item.code, day)
    try:
        theirs = read(sent, company=offer.company, day=day)
        equal, found = compare(ours, theirs)
        state, theirs_fen = "different" if found else "equal", sum(entry.amount_fen for entry in theirs)
    except FileDamaged as fault:
        equal, theirs_fen, state = 0, 0, "damaged"
        found = [Found("damaged", str(fault), None, None, "the file is not whole; ask the agency for it again")]
    row = Reconciliation(
        city_id=offer.city_id,
        item=offer.item.code,
        day=day,
        state=state,
        file_hash=hashlib.sha256(sent.encode()).digest(),
        equal=equal,
        ours_fen=sum(entry.amount_fen for entry in ours.values()),
        theirs_fen=theirs_fen,
        differences=len(found),
        at=clock.now(),
    )
    return row, found


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


def _known(city_id: int, item: str, day: dt.date) -> dict[tuple[str, str], Difference]:
    """The differences that earlier readings of the day left; before our own day is looked at."""
    # Two readings of one day at once: the second waits here and finds what the first wrote down.
    key = {"key": f"{city_id}|{item}|{day}"}
    session().execute(text("SELECT pg_advisory_xact_lock(hashtextextended('reading|' || :key, 0))"), key)
    wanted = select(Difference).where(Difference.city_id == city_id, Difference.item == item, Difference.day == day)
    # A repair that is being approved ends first, and what it did to our day is seen.
    rows = session().scalars(wanted.order_by(Difference.id).with_for_update())
    return {(row.kind, row.number): row for row in rows}


def _write_down(row: Reconciliation, found: list[Found], known: dict[tuple[str, str], Difference]) -> int:
    """Write down what is new, bring up to date what was known, and close what is gone; gives how many are gone."""
    for each in found:
        old = known.pop((each.kind, each.number), None)
        if old is None:
            session().add(_difference(row, each))
        elif old.state != "repaired" or old.remedy in rules.ENDS_AT_AGENCY:
            _seen_again(row, each, old)
    # A file that is not whole shows nothing but that.
    gone = [old for old in known.values() if old.state in WAITING] if row.state != "damaged" else []
    for old in gone:
        take_back(old, "vanish")
    session().flush()
    return len(gone)


def _seen_again(row: Reconciliation, each: Found, old: Difference) -> None:
    """The difference belongs to the new reading; a proposal about another content is none."""
    shown = {name: getattr(each, name) for name in ("ours_fen", "theirs_fen", "company_number", "note")}
    if old.state in ("gone", "repaired"):
        take_back(old, "appear")
    elif old.state == "proposed" and shown != {name: getattr(old, name) for name in shown}:
        take_back(old, "change")
    for name, value in {**shown, "reconciliation_id": row.id}.items():
        setattr(old, name, value)


def take_back(row: Difference, step: str) -> None:
    """A step after which no proposal stands; who made or approved one stays in the audit log."""
    row.state = rules.repair_step(row.state, step)
    row.remedy = row.proposed_by = row.proposed_at = row.approved_by = row.approved_at = None
    row.reason = ""


def _difference(row: Reconciliation, each: Found) -> Difference:
    return Difference(
        id=ids.new_id(),
        city_id=row.city_id,
        reconciliation_id=row.id,
        item=row.item,
        day=row.day,
        kind=each.kind,
        number=each.number,
        ours_fen=each.ours_fen,
        theirs_fen=each.theirs_fen,
        company_number=each.company_number,
        note=each.note,
        state="open",
    )


def _note(actor: Actor, row: Reconciliation, gone: int) -> None:
    audit.record(
        actor,
        AuditEvent.DAY_RECONCILED,
        city_id=row.city_id,
        subject=ids.show("reconciliation", row.id),
        outcome=row.state,
        detail={"item": row.item, "day": row.day.isoformat(), "equal": row.equal, "differences": row.differences, "gone": gone},
    )
