"""Work of this kind that comes again by itself."""

from __future__ import annotations

import datetime as dt

import structlog

from core import ids, jobs
from core.db import transaction
from core.errors import CityError
from services import catalogue
from services.kinds.statement import paying, reconciling

log = structlog.get_logger("bills")
_AT_ONCE = 50


@jobs.every("statement:payment:ask", seconds=5)
def ask_about_payments() -> None:
    """Find out, from the agencies themselves, where every open payment stands whose time to ask has come."""
    with transaction():
        due = paying.take_due(_AT_ONCE)
    for order_id in due:
        try:
            paying.find_out(order_id)
        except CityError as fault:
            # The agency is away: the row says when to ask again, and the others are not kept waiting.
            log.warning("not_found_out", payment=ids.show("bill_payment", order_id), code=fault.code)


@jobs.every("statement:day:reconcile", daily_at=dt.time(5, 0))
def reconcile_days() -> None:
    """Read the last days of every agency against our own; a day that could not be read is read again the next time."""
    for offer in catalogue.all_offers():
        for day in reconciling.days_to_read(offer.city_id, offer.item.code):
            try:
                reconciling.reconcile_unread(offer.city_id, offer.item.code, day)
            except CityError as fault:
                log.warning("day_not_read", item=offer.item.code, city=offer.city_id, code=fault.code)
