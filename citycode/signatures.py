"""ES256 as a city code uses it (RFC 9053 section 2.1): 64 bytes, r then s, with s in the lower half.

ECDSA has two valid signatures for each message, (r, s) and (r, n - s). Only the one with the lower s is taken, so that nobody can
make a second form of a code that was seen.
"""

from __future__ import annotations

from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from citycode.refusals import Reason, Refused

ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
BYTES: Final = 64
_CURVE: Final = ec.SECP256R1()
_ES256: Final = ec.ECDSA(hashes.SHA256())


def sign(key: ec.EllipticCurvePrivateKey, message: bytes) -> bytes:
    """A signature in the one form that is taken."""
    return lower(key.sign(message, _ES256))


def lower(der: bytes) -> bytes:
    """A DER signature as 64 bytes with the lower s."""
    r, s = decode_dss_signature(der)
    return r.to_bytes(32, "big") + min(s, ORDER - s).to_bytes(32, "big")


def lower_raw(signature: bytes) -> bytes:
    """A signature of 64 bytes with the lower s: for signers that do not choose."""
    s = int.from_bytes(signature[32:], "big")
    return signature[:32] + min(s, ORDER - s).to_bytes(32, "big")


def check_form(signature: bytes) -> None:
    """Refuse what is no number pair within bounds, or the upper form of one."""
    if len(signature) != BYTES:
        raise Refused(Reason.BAD_SIGNATURE_FORM)
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    if not 0 < r < ORDER or not 0 < s <= ORDER // 2:
        raise Refused(Reason.BAD_SIGNATURE_FORM)


def verify(key: ec.EllipticCurvePublicKey, signature: bytes, message: bytes) -> bool:
    """Whether the key made this signature, whose form was checked."""
    der = encode_dss_signature(int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big"))
    try:
        key.verify(der, message, _ES256)
    except InvalidSignature:
        return False
    return True


def key_from(x: bytes, odd: bool) -> ec.EllipticCurvePublicKey:
    """The P-256 key with this x and this parity of y; Refused when no point of the curve has that x."""
    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, (b"\x03" if odd else b"\x02") + x)
    except ValueError:
        raise Refused(Reason.WRONG_CURVE) from None


def x_and_parity(key: ec.EllipticCurvePublicKey) -> tuple[bytes, bool]:
    """A P-256 key as COSE writes it short (RFC 9053 section 7.1.1)."""
    if not isinstance(key.curve, ec.SECP256R1):
        raise ValueError("a key on P-256")
    point = key.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    return point[1:], point[0] == 3
