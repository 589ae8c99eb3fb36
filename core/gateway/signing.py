"""The key under which the city speaks to other systems."""

from __future__ import annotations

from core.crypto.signing import signing_key
from core.http_signatures import EcdsaSigner

PURPOSE = "gateway"


def city_signer() -> EcdsaSigner:
    """The gateway key that signs now; asked at every call, so that a rotation needs no restart."""
    key = signing_key(PURPOSE)
    if key.private is None:
        raise RuntimeError("the gateway key must be P-256: other systems verify it")
    return EcdsaSigner(key.kid, key.private)
