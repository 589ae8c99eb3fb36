"""HMAC-SHA256 (RFC 2104, FIPS 198-1) for the paths that compute it for every request.

``hmac.digest`` of the standard library gives up the interpreter's lock for the microsecond it takes. Among many threads each such call
wakes one that then finds the lock taken again, or loses its turn to it: both cost more than the MAC. Here the lock is kept, and the two
pads of a key are absorbed once. The standard library alone, so that the maker of a phone app can read it with the code's reference.
"""

from __future__ import annotations

import hashlib

BLOCK_BYTES = 64
_INNER = bytes(x ^ 0x36 for x in range(256))
_OUTER = bytes(x ^ 0x5C for x in range(256))


class Mac:
    """HMAC-SHA256 under one key, to be used many times."""

    __slots__ = ("_inner", "_outer")

    def __init__(self, key: bytes) -> None:
        block = (key if len(key) <= BLOCK_BYTES else hashlib.sha256(key).digest()).ljust(BLOCK_BYTES, b"\0")
        self._inner = hashlib.sha256(block.translate(_INNER))
        self._outer = hashlib.sha256(block.translate(_OUTER))

    def digest(self, message: bytes) -> bytes:
        """The 32 bytes of HMAC-SHA256 over the message."""
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(message)
        outer.update(inner.digest())
        return outer.digest()

    def number(self, message: bytes, below: int) -> int:
        """The first eight bytes of the digest as a big-endian number, modulo ``below``."""
        return int.from_bytes(self.digest(message)[:8], "big") % below
