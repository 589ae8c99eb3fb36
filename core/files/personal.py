"""What the file store holds of a resident."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import select, text

from core import clock, ids
from core.db import session
from core.fields import rfc3339
from core.models import File


class FileData:
    """Files and the key they are sealed with; without the key the bytes are noise, in every backup too."""

    tables: Iterable[str] = ("file", "resident_key")

    def export(self, resident_id: UUID) -> dict[str, Any]:
        """Every living file; its bytes are read at its own address."""
        rows = session().scalars(select(File).where(File.resident_id == resident_id, File.deleted_at.is_(None)).order_by(File.id))
        return {
            "files": [
                {"file": ids.show("file", row.id), "media_type": row.media_type, "purpose": row.purpose, "at": rfc3339(row.created_at)}
                for row in rows
            ]
        }

    def erase(self, resident_id: UUID) -> None:
        """End them; the sweep removes the bytes."""
        ended = "UPDATE file SET deleted_at = :now WHERE resident_id = :id AND deleted_at IS NULL"
        session().execute(text(ended), {"now": clock.now(), "id": resident_id})
