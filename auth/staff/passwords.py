"""Passwords of staff: scrypt (RFC 7914), few at a time, because each costs a fifth of a second of a core."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from auth.errors import PasswordWeak
from core.errors import Busy

LEAST = 12
MOST = 200
_N, _R, _P = 2**15, 8, 1
_MEMORY = 64 * 1024 * 1024
# A flood of sign-ins must not take every core: beyond this many the next ones wait a little and are then sent away.
_in_flight = threading.BoundedSemaphore(2)
_WAIT = 3.0
_COMMON = frozenset(
    {
        "passwordpassword",
        "password1234",
        "123456789012",
        "111111111111",
        "qwertyuiop12",
        "qwertyuiopas",
        "1q2w3e4r5t6y",
        "abcdefghijkl",
        "administrator",
        "citycard1234",
        "woaini1314520",
    }
)


def check_strength(password: str, *, login: str) -> None:
    """PasswordWeak for one that is short, common, of few different characters, or made of the login (SP 800-63B)."""
    plain = password.lower()
    if not LEAST <= len(password) <= MOST or plain in _COMMON or len(set(plain)) < 5 or login.lower() in plain:
        raise PasswordWeak()


def hashed(password: str) -> str:
    """A new salted hash with its parameters."""
    salt = secrets.token_bytes(16)
    return f"scrypt${_N}${_R}${_P}${_text(salt)}${_text(_scrypt(password, salt, _N, _R, _P))}"


def matches(password: str, stored: str) -> bool:
    """Whether a password belongs to a hash; Busy when too many are being checked."""
    _, n, r, p, salt, digest = stored.split("$")
    with _turn():
        return hmac.compare_digest(_scrypt(password, _bytes(salt), int(n), int(r), int(p)), _bytes(digest))


def waste(password: str) -> None:
    """Do the work of a check for a login that does not exist, so that both take as long."""
    with _turn():
        _scrypt(password, b"0123456789abcdef", _N, _R, _P)


@contextmanager
def _turn() -> Iterator[None]:
    if not _in_flight.acquire(timeout=_WAIT):
        raise Busy()
    try:
        yield
    finally:
        _in_flight.release()


def _scrypt(password: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=n, r=r, p=p, maxmem=_MEMORY, dklen=32)


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text)
