"""The hotlist: which authorisations are refused before their end, as short hashes in one sorted snapshot with a version.

An entry is the first five bytes of a hash of the authorisation's id. Two ids share an entry with probability 2^-40, so a list of n
entries refuses a good code with probability n / 2^40: for a hundred thousand entries, once in ten million scans.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

ENTRY_BYTES: Final = 5
_MAGIC: Final = b"CCH1"
# Magic, version, when it was made (seconds of Unix time), how many entries follow.
_HEADER: Final = struct.Struct(">4sQII")


def entry(authorisation_id: bytes) -> bytes:
    """What the list holds of an authorisation."""
    return hashlib.sha256(b"citycode hotlist" + authorisation_id).digest()[:ENTRY_BYTES]


def false_refusals(entries: int) -> float:
    """The probability with which a list of this length refuses a code that is not on it."""
    return entries / (1 << 8 * ENTRY_BYTES)


@dataclass(frozen=True, slots=True)
class Hotlist:
    """A list at one version; ``made_at`` is when the centre last said that it is the newest (seconds of Unix time)."""

    version: int
    made_at: int
    entries: frozenset[bytes]

    def lists(self, authorisation_id: bytes) -> bool:
        """Whether a code of this authorisation is refused."""
        return entry(authorisation_id) in self.entries

    def after(self, *, version: int, made_at: int, added: Iterable[bytes], removed: Iterable[bytes]) -> Hotlist:
        """The list with a delta applied."""
        if version < self.version:
            raise ValueError("a delta to an older version")
        return replace(self, version=version, made_at=made_at, entries=self.entries - frozenset(removed) | frozenset(added))


EMPTY: Final = Hotlist(0, 0, frozenset())


def pack(hotlist: Hotlist) -> bytes:
    """The snapshot as it is stored and sent."""
    header = _HEADER.pack(_MAGIC, hotlist.version, hotlist.made_at, len(hotlist.entries))
    return header + b"".join(sorted(hotlist.entries))


def unpack(data: bytes) -> Hotlist:
    """A snapshot read; ValueError unless it is whole, sorted and without doubles."""
    if len(data) < _HEADER.size:
        raise ValueError("a snapshot is cut off")
    magic, version, made_at, count = _HEADER.unpack_from(data)
    if magic != _MAGIC or len(data) != _HEADER.size + count * ENTRY_BYTES:
        raise ValueError("not a snapshot, or cut off")
    entries = split(data[_HEADER.size :])
    if any(first >= second for first, second in pairwise(entries)):
        raise ValueError("a snapshot out of order")
    return Hotlist(version, made_at, frozenset(entries))


def split(data: bytes) -> list[bytes]:
    """Entries that stand one after the other."""
    if len(data) % ENTRY_BYTES:
        raise ValueError("entries are cut off")
    return [data[at : at + ENTRY_BYTES] for at in range(0, len(data), ENTRY_BYTES)]
