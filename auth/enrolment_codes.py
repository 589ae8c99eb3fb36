"""One-time enrolment codes, carried by a person to a terminal or to a new colleague; only their digest is kept."""

from __future__ import annotations

import hashlib
import secrets

from core import ids

_LETTERS = ids.ALPHABET.upper()
_LENGTH = 16


def new() -> str:
    """A code of 80 random bits in groups of four."""
    return _grouped("".join(secrets.choice(_LETTERS) for _ in range(_LENGTH)))


def digest(code: str) -> bytes:
    """What is kept of a code; case, hyphens and the letters that look like digits do not matter when it is typed (Crockford)."""
    plain = code.upper().replace("-", "").replace(" ", "").translate(str.maketrans("OIL", "011"))
    # 80 random bits: nothing to guess, so a plain hash is enough.
    return hashlib.sha256(_grouped(plain).encode()).digest()


def _grouped(letters: str) -> str:
    return "-".join(letters[start : start + 4] for start in range(0, len(letters), 4))
