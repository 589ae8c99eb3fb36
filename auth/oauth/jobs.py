"""Forgetting what sign-ins at partners leave behind."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import delete, exists

from auth.oauth.models import AuthorizationRequest, Browser, Grant
from core import clock, jobs
from core.db import transaction

KEPT = dt.timedelta(days=1)
GRANTS_KEPT = dt.timedelta(days=30)


@jobs.every("auth:oauth:forget", daily_at=dt.time(3, 40))
def forget_sign_ins_at_partners() -> None:
    """Forget requests and browsers a day after they ran out, and grants a month after; who signed in where stays in the audit log."""
    now = clock.now()
    with transaction() as session:
        session.execute(delete(AuthorizationRequest).where(AuthorizationRequest.expires_at < now - KEPT))
        waiting = exists().where(AuthorizationRequest.browser_id == Browser.id)
        session.execute(delete(Browser).where(Browser.expires_at < now - KEPT, ~waiting))
        session.execute(delete(Grant).where(Grant.expires_at < now - GRANTS_KEPT))
