"""Standard Webhooks 1.0: three headers by which a receiver knows that we sent this, now."""

from __future__ import annotations

import base64
import secrets

from core import crypto

PREFIX = "whsec_"
SECRET_BYTES = 32


def new_secret() -> bytes:
    """A new symmetric secret."""
    return secrets.token_bytes(SECRET_BYTES)


def shown(secret: bytes) -> str:
    """A secret as the partner puts it into a library of Standard Webhooks."""
    return PREFIX + base64.b64encode(secret).decode()


def headers(identity: str, timestamp: int, body: bytes, held: list[bytes]) -> dict[str, str]:
    """The headers of one attempt, with a signature by each secret that holds."""
    signed = f"{identity}.{timestamp}.".encode() + body
    macs = [crypto.suite_named("international").mac(secret, signed) for secret in held]
    return {
        "webhook-id": identity,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join("v1," + base64.b64encode(mac).decode() for mac in macs),
    }
