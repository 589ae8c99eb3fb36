"""What the notices hold of a resident."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select

from core.db import session
from core.fields import rfc3339
from services.notices.models import NoticeRow


class NoticeData:
    """The messages themselves; nothing requires keeping them."""

    tables: Iterable[str] = ("notice",)

    def export(self, resident_id: UUID) -> dict[str, Any]:
        """Every notice with its time."""
        rows = session().scalars(select(NoticeRow).where(NoticeRow.resident_id == resident_id).order_by(NoticeRow.id))
        return {"notices": [{"kind": row.kind, "at": rfc3339(row.created_at), "facts": row.facts} for row in rows]}

    def erase(self, resident_id: UUID) -> None:
        """Forget them."""
        session().execute(delete(NoticeRow).where(NoticeRow.resident_id == resident_id))
