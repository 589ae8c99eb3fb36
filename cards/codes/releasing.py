"""A terminal stopped by wrong codes reads again when a person who has looked says so: a few times a day, on record (F174)."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from sqlalchemy import text

import auth
from cards.codes import reading
from cards.errors import TerminalNotStopped
from core import audit, ids, limits
from core.actors import Actor
from core.db import session
from core.errors import NotFound
from core.vocabulary import AuditEvent

RELEASE: Final = "cards.pay_code.release"
# Every wrong code more is a guess more: a release gives a few, and not without end.
GUESSES_A_RELEASE: Final = 5
RELEASES_A_DAY: Final = 3


def release(actor: Actor, terminal_id: UUID, *, reason: str) -> None:
    """Let a stopped terminal of the city go on; known to every process within seconds.

    Raises NotFound for a terminal of another city, TerminalNotStopped, and Throttled beyond RELEASES_A_DAY.
    """
    if auth.terminal_city(terminal_id) != actor.city_id:
        raise NotFound()
    # Two supervisors at once: the second waits for the first's commit and finds the terminal going, its day's releases untouched.
    session().execute(text("SELECT pg_advisory_xact_lock(hashtextextended('release|' || :t, 0))"), {"t": str(terminal_id)})
    if limits.used(reading.GUESS, str(terminal_id)) < reading.GUESSES_A_DAY:
        raise TerminalNotStopped()
    nth = limits.count(RELEASE, str(terminal_id), per=reading.DAY, at_most=RELEASES_A_DAY)
    limits.lower(reading.GUESS, str(terminal_id), to=reading.GUESSES_A_DAY - GUESSES_A_RELEASE)
    subject, detail = ids.show("terminal", terminal_id), {"reason": reason, "release_of_the_day": nth}
    audit.record(actor, AuditEvent.TERMINAL_RELEASED, city_id=actor.city_id, subject=subject, detail=detail)
