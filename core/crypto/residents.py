"""A key for each resident, under which the columns that name the person are sealed; destroying it destroys them all.

A copy of the database holds wrapped keys, and whoever restores one must destroy again what was destroyed since:
`shredded_since` names those residents.
"""

from __future__ import annotations

import datetime as dt
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from sqlalchemy import insert, select, update

from core import clock
from core.crypto.envelope import disclose, enclose, header_of
from core.crypto.errors import ResidentKeyMissing, Unreadable
from core.crypto.root_keys import keyring, suite_numbered
from core.crypto.suites import KEY_BYTES, Cipher
from core.db import session
from core.models import ResidentKey

KEPT_SECONDS: Final = 300.0
KEPT_AT_MOST: Final = 10_000


@dataclass(slots=True)
class _Unwrapped:
    """A resident's data key in memory, with the wrapped form it came from and the ciphers made of it."""

    wrapped: bytes
    secret: bytes
    until: float
    ciphers: dict[int, Cipher] = field(default_factory=dict)

    def cipher(self, number: int) -> Cipher:
        found = self.ciphers.get(number)
        if found is None:
            suite = suite_numbered(number)
            found = self.ciphers[number] = suite.cipher(suite.expand(self.secret, b"column"))
        return found


_kept: OrderedDict[UUID, _Unwrapped] = OrderedDict()
_guard = threading.Lock()


def make_resident_key(resident_id: UUID, city_id: int) -> None:
    """Give a new resident a data key, in the current transaction; before anything of theirs is sealed."""
    make_resident_keys(city_id, [resident_id])


def make_resident_keys(city_id: int, resident_ids: Iterable[UUID]) -> None:
    """Give many new residents of a city their data keys in one statement."""
    ring = keyring()
    rows = [
        {
            "resident_id": resident_id,
            "city_id": city_id,
            "wrapped": ring.wrap(city_id, _place(resident_id), os.urandom(KEY_BYTES)),
            "key_version": ring.version,
        }
        for resident_id in resident_ids
    ]
    if rows:
        session().execute(insert(ResidentKey), rows)


def seal(resident_id: UUID, column: str, text: str) -> bytes:
    """Seal one column of a resident; it opens only for the same resident and column."""
    return seal_bytes(resident_id, column, text.encode())


def seal_bytes(resident_id: UUID, column: str, data: bytes) -> bytes:
    """Seal bytes of a resident, such as a file."""
    key = _read({resident_id})[resident_id]
    return _enclose(key, resident_id, column, data)


def seal_many(values: Sequence[tuple[UUID, str, str]]) -> list[bytes]:
    """Seal many (resident, column, text) in order, reading all keys at once."""
    keys = _read({resident_id for resident_id, _, _ in values})
    return [_enclose(keys[resident_id], resident_id, column, text.encode()) for resident_id, column, text in values]


def open_sealed(resident_id: UUID, column: str, blob: bytes) -> str:
    """Open what `seal` made; raises Unreadable for another place and ResidentKeyMissing after shredding."""
    return open_bytes(resident_id, column, blob).decode()


def open_bytes(resident_id: UUID, column: str, blob: bytes) -> bytes:
    """Open what `seal_bytes` made."""
    number, _ = header_of(blob)
    known = _remembered(resident_id)
    if known is not None:
        try:
            return disclose(known.cipher(number), _at(resident_id, column), blob)
        except Unreadable:
            # Remembered from a transaction that never committed, perhaps: ask the table once.
            _forget(resident_id)
    key = _read({resident_id})[resident_id]
    return disclose(key.cipher(number), _at(resident_id, column), blob)


def blind(purpose: str, text: str) -> bytes:
    """32 bytes by which a sealed text is found again; equal texts give equal bytes, whatever their width or case."""
    return keyring().blind(purpose, text)


def shred(resident_id: UUID) -> None:
    """Destroy the resident's data key in the current transaction; other processes forget it within five minutes."""
    session().execute(
        update(ResidentKey)
        .where(ResidentKey.resident_id == resident_id, ResidentKey.shredded_at.is_(None))
        .values(wrapped=None, shredded_at=clock.now())
    )
    _forget(resident_id)


def shredded_since(moment: dt.datetime) -> list[UUID]:
    """Residents whose key was destroyed since a moment; to be destroyed again in a database restored from before it."""
    rows = session().scalars(select(ResidentKey.resident_id).where(ResidentKey.shredded_at >= moment))
    return list(rows)


def rewrap(at_most: int = 1000) -> int:
    """Wrap up to `at_most` data keys anew under the newest root key, in the current transaction; returns how many."""
    ring = keyring()
    rows = session().execute(
        select(ResidentKey.resident_id, ResidentKey.city_id, ResidentKey.wrapped)
        .where(ResidentKey.key_version < ring.version, ResidentKey.shredded_at.is_(None))
        .limit(at_most)
        # Two workers may run this; each takes rows the other has not.
        .with_for_update(skip_locked=True)
    )
    changed = [
        {
            "resident_id": resident_id,
            "wrapped": ring.wrap(city_id, _place(resident_id), ring.unwrap(city_id, _place(resident_id), wrapped or b"")),
            "key_version": ring.version,
        }
        for resident_id, city_id, wrapped in rows
    ]
    if changed:
        session().execute(update(ResidentKey), changed)
    return len(changed)


def forget() -> None:
    """Drop every unwrapped key from memory; for tests and after a root key is replaced."""
    with _guard:
        _kept.clear()


def _place(resident_id: UUID) -> str:
    return f"resident_key|{resident_id}"


def _at(resident_id: UUID, column: str) -> bytes:
    return f"{column}|".encode() + resident_id.bytes


def _enclose(key: _Unwrapped, resident_id: UUID, column: str, data: bytes) -> bytes:
    ring = keyring()
    return enclose(ring.suite, ring.version, key.cipher(ring.suite.number), _at(resident_id, column), data)


def _read(resident_ids: set[UUID]) -> dict[UUID, _Unwrapped]:
    """The stored keys, unwrapped; raises ResidentKeyMissing if one is absent or destroyed.

    Sealing always comes here: a key remembered from a transaction that was rolled back must not seal anything.
    """
    found: dict[UUID, _Unwrapped] = {}
    rows = session().execute(
        select(ResidentKey.resident_id, ResidentKey.city_id, ResidentKey.wrapped).where(
            ResidentKey.resident_id.in_(resident_ids), ResidentKey.shredded_at.is_(None)
        )
    )
    for resident_id, city_id, wrapped in rows:
        if wrapped is None:
            continue
        known = _remembered(resident_id)
        if known is None or known.wrapped != wrapped:
            secret = keyring().unwrap(city_id, _place(resident_id), wrapped)
            known = _Unwrapped(wrapped, secret, time.monotonic() + KEPT_SECONDS)
        found[resident_id] = known
    if len(found) < len(resident_ids):
        raise ResidentKeyMissing
    _remember(found)
    return found


def _remembered(resident_id: UUID) -> _Unwrapped | None:
    with _guard:
        known = _kept.get(resident_id)
        if known is None or known.until < time.monotonic():
            _kept.pop(resident_id, None)
            return None
        _kept.move_to_end(resident_id)
        return known


def _remember(keys: dict[UUID, _Unwrapped]) -> None:
    with _guard:
        _kept.update(keys)
        while len(_kept) > KEPT_AT_MOST:
            _kept.popitem(last=False)


def _forget(resident_id: UUID) -> None:
    with _guard:
        _kept.pop(resident_id, None)
