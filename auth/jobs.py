"""Forgetting what signing in leaves behind."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import delete

from auth import sessions
from auth.models import SignInCode, UsedProof
from auth.passkeys import challenges
from core import clock, jobs
from core.db import transaction

KEPT = dt.timedelta(days=1)


@jobs.every("auth:proofs:forget", seconds=600)
def forget_used_proofs() -> None:
    """Forget proofs that are too old to come again."""
    with transaction() as session:
        session.execute(delete(UsedProof).where(UsedProof.expires_at < clock.now()))


@jobs.every("auth:passkey_challenges:forget", seconds=600)
def forget_passkey_challenges() -> None:
    """Forget challenges that nobody answered in time."""
    with transaction():
        challenges.forget_old()


@jobs.every("auth:sign_ins:forget", daily_at=dt.time(3, 30))
def forget_sign_ins() -> None:
    """Forget codes that ran out a day ago, and the digests of sessions long over."""
    with transaction() as session:
        session.execute(delete(SignInCode).where(SignInCode.expires_at < clock.now() - KEPT))
        sessions.forget_old(clock.now() - KEPT)
