"""Files of residents: sealed under the resident's own key, kept outside the database, named by what they hold.

The name on disk is the SHA-256 of the sealed bytes, so a changed file no longer fits its name, and destroying the
resident's key destroys the files with the columns.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import os
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final
from uuid import UUID

from sqlalchemy import select

from core import audit, clock, ids, limits
from core.actors import Actor
from core.crypto import open_bytes, seal_bytes
from core.db import session
from core.errors import NotFound
from core.files.content import made_safe
from core.files.errors import FileDamaged
from core.models import File
from core.vocabulary import AuditEvent

# A file without a row belongs to an upload that was rolled back, unless its transaction is still open.
_ORPHAN_SECONDS: Final = 3600.0


# Disk is finite: a resident sends this many files a day at most.
_A_DAY: Final = 100


class Purpose(StrEnum):
    """What a resident may send a file for."""

    EVIDENCE = "evidence"
    PHOTO = "photo"


@dataclass(frozen=True, slots=True)
class Content:
    """A file as it is handed out."""

    id: UUID
    media_type: str
    data: bytes

    @property
    def name(self) -> str:
        """A name of ours; the one it came with is never kept."""
        return f"{ids.show('file', self.id)}.{self.media_type.rpartition('/')[2]}"


_folder: list[Path] = []


def install(folder: Path) -> None:
    """Say where files are kept; app.py calls it once with a folder of its own."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _folder[:] = [folder]


def store(actor: Actor, data: bytes, *, resident_id: UUID, city_id: int, purpose: str) -> File:
    """Keep a file for a resident in the current transaction; raises FileTooLarge, FileTypeRefused or PictureRefused."""
    media_type, clean = made_safe(data)
    file_id = ids.new_id()
    sealed = seal_bytes(resident_id, _place(file_id), clean)
    name = _write(sealed)
    row = File(
        id=file_id,
        city_id=city_id,
        resident_id=resident_id,
        media_type=media_type.value,
        size=len(clean),
        sha256=name,
        purpose=purpose,
        created_at=clock.now(),
        deleted_at=None,
    )
    session().add(row)
    session().flush()
    audit.record(actor, AuditEvent.FILE_STORED, city_id=city_id, subject=ids.show("file", file_id), resident_id=resident_id)
    return row


def store_own(actor: Actor, data: bytes, *, purpose: str) -> File:
    """Keep a file of the resident who sends it."""
    limits.count("file:store", str(actor.id), per=dt.timedelta(days=1), at_most=_A_DAY)
    return store(actor, data, resident_id=actor.id, city_id=actor.city_id, purpose=purpose)


def own(actor: Actor, file_id: UUID) -> Content:
    """A file of the resident who asks; anybody else's does not exist for them."""
    row = session().scalar(select(File).where(File.id == file_id, File.resident_id == actor.id, File.deleted_at.is_(None)))
    if row is None or row.city_id != actor.city_id:
        raise NotFound
    return read(row)


def read(row: File) -> Content:
    """The content of a file that the caller may see; who asks here has decided that already."""
    path = _path(row.sha256)
    try:
        sealed = path.read_bytes()
    except FileNotFoundError:
        raise FileDamaged from None
    if _digest(sealed) != row.sha256:
        raise FileDamaged
    return Content(row.id, row.media_type, open_bytes(row.resident_id, _place(row.id), sealed))


def delete(row: File) -> None:
    """Take a file away in the current transaction; `sweep` removes its bytes after the commit."""
    row.deleted_at = clock.now()
    session().flush()


def sweep(*, older_than: float = _ORPHAN_SECONDS) -> int:
    """Remove bytes that no file holds any more, and drafts of a process that died; returns how many."""
    # The disk stamps files with the machine's time, not with the city's.
    removed, now = 0, clock.real(clock.now()).timestamp()
    for path in _folder[0].glob("??/*"):
        if now - path.stat().st_mtime >= older_than and not _held(path.name):
            path.unlink(missing_ok=True)
            removed += 1
    return removed


def _held(name: str) -> bool:
    if len(name) != 64:
        return False
    found = session().scalar(select(File.id).where(File.sha256 == bytes.fromhex(name), File.deleted_at.is_(None)))
    return found is not None


def _place(file_id: UUID) -> str:
    return f"file|{file_id}"


def _digest(sealed: bytes) -> bytes:
    return hashlib.sha256(sealed).digest()


def _path(name: bytes) -> Path:
    text = name.hex()
    return _folder[0] / text[:2] / text


def _write(sealed: bytes) -> bytes:
    """Write the bytes whole or not at all, and durably before the row that names them is committed."""
    name = _digest(sealed)
    path = _path(name)
    path.parent.mkdir(mode=0o700, exist_ok=True)
    draft = path.with_suffix(f".{os.getpid()}.draft")
    with open(draft, "wb", opener=lambda at, flags: os.open(at, flags, 0o600)) as out:
        out.write(sealed)
        out.flush()
        os.fsync(out.fileno())
    draft.rename(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return name
