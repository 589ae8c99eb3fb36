"""Residents' own files over HTTP."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from core import files
from core.actors import Actor
from core.files.content import MediaType
from core.files.errors import FileDamaged, FileTooLarge, FileTypeRefused, PictureRefused
from core.files.schemas import FileOut, FileQuery
from core.models import File
from core.ports import Call
from core.web import Answer, Routes, resident

routes = Routes("files")

# Whatever a file holds, a browser saves it and runs nothing of it (threat 31).
HARMLESS = {
    "Content-Disposition": "attachment",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "same-site",
}


@routes.post(
    "/api/files",
    operation="storeFile",
    access=resident(level=1),
    query=FileQuery,
    gives=FileOut,
    status=201,
    idempotent=True,
    errors=(FileTooLarge, FileTypeRefused, PictureRefused),
    most_bytes=files.MOST_BYTES + 1,
)
def store_file(actor: Actor, query: dict[str, Any], call: Call) -> File:
    """Keep a picture or PDF: the body is the file itself; pictures are drawn anew without their metadata."""
    return files.store_own(actor, call.body, purpose=query["purpose"])


@routes.get(
    "/api/files/<id:file>",
    operation="readFile",
    access=resident(level=1, strength=2),
    errors=(FileDamaged,),
    media=", ".join(sorted({MediaType.JPEG, MediaType.PNG, MediaType.PDF})),
)
def read_file(actor: Actor, file: UUID) -> Answer:
    """Read a file of one's own, as an attachment."""
    content = files.own(actor, file)
    name = f'attachment; filename="{content.name}"'
    return Answer(content.data, headers={**HARMLESS, "Content-Type": content.media_type, "Content-Disposition": name})
