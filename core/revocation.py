"""Taking trust back before a token ends: known in every process within half a second (D28, D34)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from sqlalchemy import text

from core import clock, db, pulse

# Longer than the longest access token lives, so that nothing revoked can come back to life by forgetting.
KEPT = dt.timedelta(hours=1)
_revoked: dict[str, tuple[dt.datetime, dt.datetime]] = {}
_version = 0


def revoke(subject: str, *, kept: dt.timedelta = KEPT) -> None:
    """Refuse, from now on, every token issued before now to ``subject`` (``session:<uuid>``, ``terminal:<uuid>`` …)."""
    now = clock.now()
    db.session().execute(
        text("INSERT INTO revocation (subject, not_before, recorded_at, expires_at) VALUES (:subject, :now, clock_timestamp(), :until)"),
        {"subject": subject, "now": now, "until": now + kept},
    )


def is_revoked(subjects: Iterable[str], issued_at: dt.datetime) -> bool:
    """Whether any of the subjects was revoked at or after ``issued_at``; raises Unavailable when this process cannot know."""
    pulse.beat()
    if not _revoked:
        return False
    return any((known := _revoked.get(subject)) is not None and known[0] >= issued_at for subject in subjects)


def version() -> int:
    """Rises with each revocation this process learns of: a cache of verified tokens compares it."""
    return _version


def forget() -> None:
    """Start as a new process does; for tests."""
    global _version
    _revoked.clear()
    _version += 1


def _learn(rows: list[tuple[str, dt.datetime, dt.datetime]]) -> None:
    global _version
    for subject, not_before, expires_at in rows:
        known = _revoked.get(subject)
        if known is None or known[0] < not_before:
            _revoked[subject] = (not_before, expires_at)
            _version += 1
    if len(_revoked) > 10_000:
        now = clock.now()
        for subject in [s for s, (_, expires_at) in _revoked.items() if expires_at < now]:
            del _revoked[subject]


pulse.on_revocations(_learn)
