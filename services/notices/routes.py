"""Notices over HTTP."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from core.actors import Actor
from core.errors import NotFound
from core.paging import Page
from core.web import PageQuery, Routes, page_of, resident
from services.notices import telling
from services.notices.models import NoticeRow
from services.notices.schemas import NoticeOut
from services.notices.wording import worded

routes = Routes("notices")


@routes.get("/api/notices", operation="listNotices", access=resident(strength=2), query=PageQuery, gives=page_of(NoticeOut))
def list_notices(actor: Actor, query: dict[str, Any]) -> Page:
    """List what the resident was told, newest first."""
    found = telling.notices_of(actor.id, cursor=query["cursor"], limit=query["limit"])
    return Page([shown(row) for row in found.items], found.next_cursor)


@routes.post("/api/notices/<id:notice>/reading", operation="readNotice", access=resident(strength=2), gives=NoticeOut)
def read_notice(actor: Actor, notice: UUID) -> dict[str, Any]:
    """Note that a notice was read; harmless when it was before."""
    row = telling.mark_read(actor.id, notice)
    if row is None:
        raise NotFound()
    return shown(row)


def shown(row: NoticeRow) -> dict[str, Any]:
    """A notice in words."""
    words = {name: {"zh_cn": said["zh-CN"], "en": said["en"]} for name, said in worded(row.kind, row.facts).items()}
    subject = row.facts.get("subject", "")
    return {"id": row.id, "kind": row.kind, **words, "subject": subject, "created_at": row.created_at, "read_at": row.read_at}
