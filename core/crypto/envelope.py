"""The one shape of a sealed value: suite (1 byte), key version (2), nonce (12), ciphertext with tag."""

from __future__ import annotations

import os
import struct
from typing import Final

from cryptography.exceptions import InvalidTag

from core.crypto.errors import Unreadable
from core.crypto.suites import NONCE_BYTES, Cipher, Suite

_HEADER: Final = struct.Struct(">BH")
_LEAST_BYTES: Final = _HEADER.size + NONCE_BYTES + 16


def enclose(suite: Suite, version: int, cipher: Cipher, place: bytes, secret: bytes) -> bytes:
    """Seal `secret` for one place; suite, version and place are authenticated with it."""
    header = _HEADER.pack(suite.number, version)
    nonce = os.urandom(NONCE_BYTES)
    return header + nonce + cipher.encrypt(nonce, secret, header + place)


def disclose(cipher: Cipher, place: bytes, sealed: bytes) -> bytes:
    """Open what `enclose` made for the same place and key."""
    start = _HEADER.size + NONCE_BYTES
    try:
        return cipher.decrypt(sealed[_HEADER.size : start], sealed[start:], sealed[: _HEADER.size] + place)
    except (InvalidTag, ValueError):
        raise Unreadable from None


def header_of(sealed: bytes) -> tuple[int, int]:
    """Suite number and key version of a sealed value."""
    if len(sealed) < _LEAST_BYTES:
        raise Unreadable
    suite, version = _HEADER.unpack_from(sealed)
    return suite, version
