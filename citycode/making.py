"""Making: the issuer's authorisation, and the code that a phone shows for it."""

from __future__ import annotations

import os
from collections.abc import Callable

from cryptography.hazmat.primitives.asymmetric import ec

from citycode import base45, cbor, signatures
from citycode.cbor import Tagged
from citycode.layout import DEVICE_HEADER, NONCE_BYTES, PREFIX, SIGN1, STEP, Authorisation, claims, issuer_header, to_sign

# Signs a message: 64 bytes, r then s. The issuer's key may live in a module that hands out signatures alone.
Signer = Callable[[bytes], bytes]


def authorise(terms: Authorisation, *, key_id: bytes, signer: Signer) -> bytes:
    """The signed authorisation, as the phone keeps it."""
    protected, payload = issuer_header(key_id), claims(terms)
    signature = signatures.lower_raw(signer(to_sign(protected, payload)))
    return cbor.encode(Tagged(SIGN1, [protected, {}, payload, signature]))


def make(authorisation: bytes, key: ec.EllipticCurvePrivateKey, *, now: float, nonce: bytes | None = None) -> str:
    """The text to show at ``now`` (seconds of Unix time): signed with the authorisation's own key, new every five seconds."""
    return make_signed(authorisation, lambda message: signatures.sign(key, message), now=now, nonce=nonce)


def make_signed(authorisation: bytes, signer: Signer, *, now: float, nonce: bytes | None = None) -> str:
    """The same with whatever holds the key."""
    generated_at = int(now) // STEP * STEP
    payload = b"\x83" + authorisation + cbor.encode(generated_at) + cbor.encode(nonce or os.urandom(NONCE_BYTES))
    signature = signatures.lower_raw(signer(to_sign(DEVICE_HEADER, payload)))
    return PREFIX + base45.encode(cbor.encode(Tagged(SIGN1, [DEVICE_HEADER, {}, payload, signature])))
