"""Every list is paged by a cursor: the sort key of the last row, so that a page neither skips nor repeats."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select
from sqlalchemy.orm import InstrumentedAttribute

from core import db
from core.errors import Malformed

MOST = 100
Key = ColumnElement[Any] | InstrumentedAttribute[Any]


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows and where the next ones begin; ``next_cursor`` is None on the last page."""

    items: list[Any]
    next_cursor: str | None


class CursorUnknown(Malformed):
    code = "cursor_unknown"
    zh, en = "分页标记无效，请从第一页重新读取", "This cursor is not valid; start again from the first page"


def page(select: Select[Any], key: Key, *, cursor: str | None, limit: int, descending: bool = True) -> Page:
    """One page of a select of one entity, ordered by a unique key column (usually the id, newest first)."""
    if cursor:
        after = decode(cursor)
        select = select.where(key < after if descending else key > after)
    rows = list(db.session().scalars(select.order_by(key.desc() if descending else key.asc()).limit(limit + 1)))
    return cut(rows, limit, lambda row: getattr(row, key.key or "id"))


def cut(rows: list[Any], limit: int, key: Callable[[Any], Any]) -> Page:
    """A page from rows that were read one beyond ``limit``."""
    more = len(rows) > limit
    rows = rows[:limit]
    return Page(items=rows, next_cursor=encode(key(rows[-1])) if more else None)


def encode(key: UUID | str | int) -> str:
    """A cursor from the sort key of the last row."""
    kind = "u" if isinstance(key, UUID) else "i" if isinstance(key, int) else "s"
    return base64.urlsafe_b64encode(f"{kind}{key}".encode()).decode().rstrip("=")


def decode(cursor: str) -> UUID | str | int:
    """The sort key in a cursor; CursorUnknown for anything we did not make."""
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        if text[:1] == "u":
            return UUID(text[1:])
        if text[:1] == "i":
            return int(text[1:])
    except (binascii.Error, ValueError) as fault:
        raise CursorUnknown() from fault
    if text[:1] != "s":
        raise CursorUnknown()
    return text[1:]
