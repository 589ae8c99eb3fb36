"""The books for those who check them: exports are audited, because they show everybody's movements at once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Final

from sqlalchemy import text

from core import audit, db
from core.actors import Actor
from core.errors import Busy
from core.vocabulary import AuditEvent
from payments import ledger
from payments.errors import TooManyDays

MOST_DAYS: Final = 31


def trial_balance(actor: Actor) -> ledger.TrialBalance:
    """The trial balance of the actor's city, one at a time for a city: it reads every transfer. Raises Busy while another is made."""
    db.let_run(ledger.PATIENCE)
    lock = text("SELECT pg_try_advisory_xact_lock(hashtextextended('trial_balance|' || :city, 0))")
    if not db.session().execute(lock, {"city": str(actor.city_id)}).scalar_one():
        raise Busy()
    return ledger.trial_balance(actor.city_id)


def journal(actor: Actor, *, since: dt.date, until: dt.date) -> Iterator[str]:
    """The journal of the actor's city from ``since`` up to before ``until``, read as it is taken; raises TooManyDays."""
    if not 0 < (until - since).days <= MOST_DAYS:
        raise TooManyDays(most=MOST_DAYS)
    detail = {"since": since.isoformat(), "until": until.isoformat()}
    audit.record(actor, AuditEvent.JOURNAL_READ, city_id=actor.city_id, subject="journal", detail=detail)
    return ledger.journal(actor.city_id, since=since, until=until)
