"""Ids: UUIDv7 inside (RFC 9562 section 5.7), a prefix and 26 characters of Crockford base32 outside (D3)."""

from __future__ import annotations

import datetime as dt
import os
import threading
from uuid import UUID, SafeUUID

from core import clock
from core.errors import NotFound

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
# Two characters at a time for showing; for reading, Python's own base 32, with "!" for the four letters that Crockford leaves out.
_PAIRS = [first + second for first in ALPHABET for second in ALPHABET]
_PLACES = tuple(range(120, -1, -10))
_TO_BASE32 = str.maketrans(ALPHABET + "ilou", "0123456789abcdefghijklmnopqrstuv" + "!!!!") | str.maketrans(
    (ALPHABET[10:] + "ilou").upper(), "abcdefghijklmnopqrstuv" + "!!!!"
)
_lock = threading.Lock()
_last = 0
# Random bytes fetched from the kernel in one call for many ids; a child process fetches its own.
_POOL_BYTES = 9 * 256
_pool = b""
SET_BACK = 60_000 << 12


_new, _UNKNOWN = object.__new__, SafeUUID.unknown
_set_int, _set_safety = UUID.int.__set__, UUID.is_safe.__set__  # type: ignore[attr-defined,misc]  # slots, which mypy takes for values


def of_int(value: int) -> UUID:
    """The UUID of a number below 2**128 that the caller made: what its constructor does, without weighing six forms of input."""
    made = _new(UUID)
    _set_int(made, value)
    _set_safety(made, _UNKNOWN)
    return made


def of_text(text: str) -> UUID:
    """The UUID in the 36 characters of RFC 9562 section 4; ValueError for anything that is not 32 hexadecimal digits and four hyphens."""
    digits = text.replace("-", "")
    if len(text) != 36 or len(digits) != 32 or not digits.isalnum():
        raise ValueError("not a UUID")
    return of_int(int(digits, 16))


def new_id() -> UUID:
    """A new UUIDv7, rising within the process, stamped with the city's time so that monthly partitions agree with it."""
    global _last
    stamp = int(clock.timestamp() * 1000) << 12
    with _lock:
        random = _random()
        # 12 bits under the millisecond keep ids of one process in order; a burst beyond 4,096 a millisecond borrows from the next.
        # A clock that was set back for good (a demo's, a test's) is followed: ids of another month would be refused by the ledger.
        fresh = stamp | (random >> 62 & 0x3FF)
        _last = fresh if _last - fresh > SET_BACK else max(fresh, _last + 1)
        ordered = _last
    return of_int((ordered >> 12 << 80) | (7 << 76) | ((ordered & 0xFFF) << 64) | (2 << 62) | (random & ((1 << 62) - 1)))


def _random() -> int:
    """72 random bits, each handed out once."""
    global _pool
    if not _pool:
        _pool = os.urandom(_POOL_BYTES)
    taken, _pool = _pool[:9], _pool[9:]
    return int.from_bytes(taken, "big")


def _forget_pool() -> None:
    global _pool
    _pool = b""


os.register_at_fork(after_in_child=_forget_pool)


def at(identity: UUID) -> dt.datetime:
    """The moment a UUIDv7 was made, to the millisecond."""
    return dt.datetime.fromtimestamp((identity.int >> 80) / 1000, dt.UTC)


def floor_id(moment: dt.datetime) -> UUID:
    """The lowest UUIDv7 of a moment: the border of partitions and time ranges."""
    return of_int((int(moment.timestamp() * 1000) << 80) | (7 << 76) | (2 << 62))


def show(prefix: str, identity: UUID) -> str:
    """``card_01j…``: how an id looks outside."""
    value = identity.int
    return prefix + "_" + "".join([_PAIRS[value >> place & 1023] for place in _PLACES])


def parse(prefix: str, text: str) -> UUID:
    """The id behind a shown one; NotFound for another prefix, another length or a character outside the alphabet."""
    tail = text[len(prefix) + 1 :]
    if not text.startswith(prefix + "_") or len(tail) != 26 or tail[0] not in "01234567" or not (tail.isascii() and tail.isalnum()):
        raise NotFound()
    try:
        return of_int(int(tail.translate(_TO_BASE32), 32))
    except ValueError as fault:
        raise NotFound() from fault
