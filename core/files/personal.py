"""What the file room holds of a resident."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import select, update

from core import clock, ids
from core.db import session
from core.fields import rfc3339
from core.models import File


class FileData:
    """Files that the resident sent."""

    tables: Iterable[str] = ("file",)

    def export(self, resident_id: UUID) -> dict[str, Any]:
        """Every file by its id, to be fetched one by one."""
        rows = session().scalars(select(File).where(File.resident_id == resident_id, File.deleted_at.is_(None)).order_by(File.id))
        return {
            "files": [
                {"id": ids.show("file", row.id), "media_type": row.media_type, "size": row.size, "at": rfc3339(row.created_at)}
                for row in rows
            ]
        }

    def erase(self, resident_id: UUID) -> None:
        """Delete them all; their bytes are swept, and unreadable at once when the resident's key is destroyed."""
        held = update(File).where(File.resident_id == resident_id, File.deleted_at.is_(None))
        session().execute(held.values(deleted_at=clock.now()))
