"""Work of the payments floor that comes again by itself."""

from __future__ import annotations

import datetime as dt

import structlog

from core import ids, jobs
from core.db import transaction
from core.errors import CityError
from payments import limits, top_up_refunds, topping_up
from payments.wiring import wired

log = structlog.get_logger("top_up")
_AT_ONCE = 50


@jobs.every("payments:top_up:ask", seconds=5)
def ask_about_top_ups() -> None:
    """Find out, from the providers themselves, where every open top-up stands whose time to ask has come."""
    with transaction():
        due = topping_up.take_due(_AT_ONCE)
    for top_up_id in due:
        try:
            topping_up.find_out(top_up_id)
        except CityError as fault:
            # The provider is away or said no: the row says when to ask again, and the others are not kept waiting.
            log.warning("not_found_out", top_up=ids.show("top_up", top_up_id), code=fault.code)


@jobs.every("payments:top_up_refund:ask", seconds=5)
def ask_about_refunds() -> None:
    """Find out, from the providers themselves, what became of every refund of a top-up whose time to ask has come."""
    with transaction():
        due = top_up_refunds.take_due(_AT_ONCE)
    for refund_id in due:
        try:
            top_up_refunds.find_out(refund_id)
        except CityError as fault:
            log.warning("not_found_out", top_up_refund=ids.show("top_up_refund", refund_id), code=fault.code)


# Terms begin with a day of the city.
@jobs.every("payments:limits:terms", daily_at=dt.time(0, 0))
def keep_limits_within_terms() -> None:
    """Bring every wallet within the terms that hold from today; a city without terms keeps no other waiting."""
    for city_id in wired().keepers:
        try:
            limits.keep_within_terms(city_id)
        except CityError as fault:
            log.warning("no_wallet_terms", city=city_id, code=fault.code)
