"""The books for those who check them: exports are audited, because they show everybody's movements at once."""

from __future__ import annotations

import datetime as dt
from typing import Final

from core import audit
from core.actors import Actor
from core.vocabulary import AuditEvent
from payments import ledger
from payments.errors import TooManyDays

MOST_DAYS: Final = 31


def journal(actor: Actor, *, since: dt.date, until: dt.date) -> str:
    """The journal of the actor's city from ``since`` up to before ``until``; raises TooManyDays."""
    if not 0 < (until - since).days <= MOST_DAYS:
        raise TooManyDays(most=MOST_DAYS)
    detail = {"since": since.isoformat(), "until": until.isoformat()}
    audit.record(actor, AuditEvent.JOURNAL_READ, city_id=actor.city_id, subject="journal", detail=detail)
    return "".join(ledger.journal(actor.city_id, since=since, until=until))
