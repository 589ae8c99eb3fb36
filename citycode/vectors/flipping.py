"""The reason of a vector whose reason depends on the byte that was hit: what the Python verifier says; other languages must agree."""

from __future__ import annotations

from citycode.refusals import Refused
from citycode.vectors.building import ISSUER, NEXT, NOW, RETIRED, START, key_id
from citycode.verifying import IssuerKey, TrustList, verify

TRUST = TrustList(
    [
        IssuerKey(key_id(ISSUER), ISSUER.public_key(), 0),
        IssuerKey(key_id(NEXT), NEXT.public_key(), START + 7200),
        IssuerKey(key_id(RETIRED), RETIRED.public_key(), 0, START),
    ]
)


def reason_for(code: str) -> str:
    """Why the code is refused at the vectors' time; ValueError if it is not."""
    try:
        verify(code, TRUST, now=NOW)
    except Refused as refusal:
        return str(refusal.reason)
    raise ValueError("a flipped bit went unnoticed")
