"""Verifying a code without network: issuer keys come from a trust list that the verifier holds, never from the code."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric import ec

from citycode import base45, signatures
from citycode.layout import FAST, LIFE, LONGEST, PREFIX, Code, read_code
from citycode.refusals import Reason, Refused


@dataclass(frozen=True, slots=True)
class IssuerKey:
    """A key that a verifier trusts, and from when until when (seconds of Unix time; no end: None)."""

    id: bytes
    key: ec.EllipticCurvePublicKey
    starts_at: int
    ends_at: int | None = None


@dataclass(frozen=True, slots=True)
class Verified:
    """What a verifier learns: nothing of it says who shows the code, and nothing but the class is shared by two codes."""

    id: bytes
    concession: int
    limit_fen: int
    starts_at: int
    expires_at: int
    generated_at: int
    key_id: bytes


class TrustList:
    """The issuer keys that a verifier trusts, by their ids."""

    def __init__(self, keys: Iterable[IssuerKey]) -> None:
        self._keys: Mapping[bytes, IssuerKey] = {key.id: key for key in keys}

    def at(self, key_id: bytes, now: int) -> ec.EllipticCurvePublicKey:
        """The key of this id, if it is trusted now."""
        found = self._keys.get(key_id)
        if found is None:
            raise Refused(Reason.UNKNOWN_ISSUER)
        if now < found.starts_at or (found.ends_at is not None and now >= found.ends_at):
            raise Refused(Reason.ISSUER_OUT_OF_TIME)
        return found.key


def read(text: str) -> Code:
    """Take a scanned text apart without proving anything."""
    if len(text) > LONGEST:
        raise Refused(Reason.TOO_LONG)
    if not text.startswith(PREFIX):
        raise Refused(Reason.OTHER_FORMAT)
    return read_code(base45.decode(text[len(PREFIX) :]))


def verify(text: str, trust: TrustList, *, now: int) -> Verified:
    """Prove a scanned text at ``now`` (seconds of Unix time), or raise Refused. Whether it was seen or listed is the gate's to say."""
    code = read(text)
    authorisation, terms = code.authorisation, code.authorisation.terms
    issuer = trust.at(authorisation.key_id, now)
    if not signatures.verify(issuer, authorisation.signature, authorisation.signed):
        raise Refused(Reason.BAD_ISSUER_SIGNATURE)
    if now < terms.starts_at:
        raise Refused(Reason.NOT_YET_VALID)
    if now >= terms.expires_at:
        raise Refused(Reason.EXPIRED)
    if not signatures.verify(signatures.key_from(terms.x, terms.odd), code.signature, code.signed):
        raise Refused(Reason.BAD_DEVICE_SIGNATURE)
    if code.generated_at > now + FAST:
        raise Refused(Reason.FROM_THE_FUTURE)
    if code.generated_at < now - LIFE:
        raise Refused(Reason.STALE)
    return Verified(terms.id, terms.concession, terms.limit_fen, terms.starts_at, terms.expires_at, code.generated_at, authorisation.key_id)
