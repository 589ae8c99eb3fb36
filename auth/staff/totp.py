"""Time-based one-time codes (RFC 6238): SHA-1, 30 seconds, six digits, as every authenticator app knows them."""

from __future__ import annotations

import base64
import hmac
from urllib.parse import quote

STEP = 30


def code(secret: bytes, step: int) -> str:
    """The six digits of a time step (RFC 4226 section 5.3)."""
    mac = hmac.digest(secret, step.to_bytes(8, "big"), "sha1")
    start = mac[-1] & 15
    return f"{(int.from_bytes(mac[start : start + 4], 'big') & 0x7FFFFFFF) % 1_000_000:06d}"


def step_of(secret: bytes, given: str, now: float, *, after: int, set_back: bool = False) -> int | None:
    """The step whose code this is, one step of drift allowed and only steps after the last one used; or None.

    `set_back`: the city's clock may be moved, as in a demo. Elsewhere a machine's clock that jumps back must not bring used codes to life.
    """
    current = int(now) // STEP
    # Nothing beyond the next step is ever taken: a later one was used before a movable clock was set back, and says nothing of now.
    after = 0 if set_back and after > current + 1 else after
    fitting = [step for step in (current - 1, current, current + 1) if hmac.compare_digest(code(secret, step), given)]
    return max((step for step in fitting if step > after), default=None)


def address(secret: bytes, *, login: str, issuer: str) -> str:
    """The ``otpauth`` address that an authenticator app reads."""
    label = quote(f"{issuer}:{login}")
    return f"otpauth://totp/{label}?secret={base64.b32encode(secret).decode()}&issuer={quote(issuer)}"
