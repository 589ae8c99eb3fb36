"""What a file is, told from its first bytes and never from its name or a header (threat 31)."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final

from core.files.errors import FileTooLarge, FileTypeRefused
from core.files.pictures import redraw

MOST_BYTES: Final = 10 * 2**20


class MediaType(StrEnum):
    """The kinds of content that are kept."""

    JPEG = "image/jpeg"
    PNG = "image/png"
    WEBP = "image/webp"
    PDF = "application/pdf"


# What makes a PDF act by itself. Compressed parts can hide these from us, so a PDF is served as an attachment in any case.
_ACTIVE_PDF: Final = re.compile(rb"/(?:JavaScript|JS|Launch|EmbeddedFiles?|OpenAction|AA|RichMedia|XFA|SubmitForm|ImportData)\b")


def told(data: bytes) -> MediaType:
    """The kind of content, from its first bytes; raises FileTypeRefused for every other kind."""
    if data.startswith(b"\xff\xd8\xff"):
        return MediaType.JPEG
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return MediaType.PNG
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return MediaType.WEBP
    if data.startswith((b"%PDF-1.", b"%PDF-2.")):
        return MediaType.PDF
    raise FileTypeRefused


def made_safe(data: bytes) -> tuple[MediaType, bytes]:
    """The content as it is kept: pictures drawn anew without their metadata, a PDF only when it shows nothing active."""
    if len(data) > MOST_BYTES:
        raise FileTooLarge(most_bytes=MOST_BYTES)
    kind = told(data)
    if kind is MediaType.PDF:
        if b"%%EOF" not in data[-1024:] or _ACTIVE_PDF.search(data):
            raise FileTypeRefused
        return kind, data
    has_alpha, redrawn = redraw(data, kind.name)
    return (MediaType.PNG if has_alpha or kind is MediaType.PNG else MediaType.JPEG), redrawn
