"""What stands where in a city code: one COSE_Sign1 (RFC 9052) of the phone around one CWT (RFC 8392) of the issuer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from citycode import cbor, signatures
from citycode.cbor import Tagged
from citycode.refusals import Reason, Refused

PREFIX: Final = "CC1:"
# Longer than any code can be (QR version 12 at level M holds 419) and short enough to throw away unread.
LONGEST: Final = 600
SIGN1: Final = 18
ES256: Final = -7
ALG, KID = 1, 4
EXP, NBF, CTI, CNF = 4, 5, 7, 8
# A private claim (RFC 8392 section 9.1): [concession class, limit of one trade in fen].
TERMS: Final = -70001
KID_BYTES, ID_BYTES, NONCE_BYTES = 8, 16, 4

HOUR: Final = 3600
LONGEST_WINDOW: Final = 24 * HOUR
# The phone signs anew every five seconds, and says the time in these steps: a finer clock would tell phones apart.
STEP: Final = 5
LIFE: Final = 30
FAST: Final = 5
MOST_FEN: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Authorisation:
    """What the issuer allows the holder of a one-time key; it names neither resident nor card. Times in seconds of Unix time."""

    id: bytes
    x: bytes
    odd: bool
    concession: int
    limit_fen: int
    starts_at: int
    expires_at: int


@dataclass(frozen=True, slots=True)
class SignedAuthorisation:
    """An authorisation with the issuer's signature, as it stands in the code."""

    key_id: bytes
    terms: Authorisation
    signed: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Code:
    """A code taken apart, of sound form; nothing in it is proved yet."""

    authorisation: SignedAuthorisation
    generated_at: int
    nonce: bytes
    signed: bytes
    signature: bytes


# An array of four, and the first of them: the same in every signature.
_SIGNATURE1: Final = b"\x84" + cbor.encode("Signature1")


def to_sign(protected: bytes, payload: bytes) -> bytes:
    """The Sig_structure of RFC 9052 section 4.4, without outside data."""
    return _SIGNATURE1 + cbor.encode(protected) + b"\x40" + cbor.encode(payload)


def issuer_header(key_id: bytes) -> bytes:
    """The protected header of the authorisation."""
    return cbor.encode({ALG: ES256, KID: key_id})


DEVICE_HEADER: Final = cbor.encode({ALG: ES256})


def claims(terms: Authorisation) -> bytes:
    """The claims set of an authorisation; the key stands in ``cnf`` (RFC 8747) with a short point."""
    key = {1: 2, -1: 1, -2: terms.x, -3: terms.odd}
    return cbor.encode(
        {EXP: terms.expires_at, NBF: terms.starts_at, CTI: terms.id, CNF: {1: key}, TERMS: [terms.concession, terms.limit_fen]}
    )


def read_code(data: bytes) -> Code:
    """Take the bytes of a code apart; Refused for the first thing out of place."""
    protected, payload, signature = _sign1(cbor.decode(data))
    _algorithm(protected, {ALG})
    inside = cbor.decode(payload)
    if not isinstance(inside, list) or len(inside) != 3:
        raise Refused(Reason.WRONG_STRUCTURE)
    authorisation, generated_at, nonce = inside
    if not _time(generated_at, STEP) or not _is_bytes(nonce, NONCE_BYTES):
        raise Refused(Reason.WRONG_STRUCTURE)
    inner = _authorisation(authorisation)
    signatures.check_form(signature)
    return Code(inner, generated_at, nonce, to_sign(protected, payload), signature)


def read_authorisation(data: bytes) -> SignedAuthorisation:
    """Take an authorisation apart, as the phone receives it."""
    return _authorisation(cbor.decode(data))


def _authorisation(item: Any) -> SignedAuthorisation:
    protected, payload, signature = _sign1(item)
    key_id = _algorithm(protected, {ALG, KID})[KID]
    if not _is_bytes(key_id, KID_BYTES):
        raise Refused(Reason.WRONG_STRUCTURE)
    terms = _claims(cbor.decode(payload))
    signatures.check_form(signature)
    return SignedAuthorisation(key_id, terms, to_sign(protected, payload), signature)


def _sign1(item: Any) -> tuple[bytes, bytes, bytes]:
    if not isinstance(item, Tagged) or item.tag != SIGN1 or not isinstance(item.value, list) or len(item.value) != 4:
        raise Refused(Reason.WRONG_STRUCTURE)
    protected, unprotected, payload, signature = item.value
    if not all(isinstance(part, bytes) for part in (protected, payload, signature)) or unprotected != {}:
        raise Refused(Reason.WRONG_STRUCTURE)
    return protected, payload, signature


def _algorithm(protected: bytes, members: set[int]) -> dict[Any, Any]:
    """The members of a protected header: the algorithm is fixed, and nothing else may stand there."""
    header = cbor.decode(protected)
    if not isinstance(header, dict):
        raise Refused(Reason.WRONG_STRUCTURE)
    if not _is(header.get(ALG), ES256):
        raise Refused(Reason.WRONG_ALGORITHM)
    if header.keys() != members:
        raise Refused(Reason.WRONG_STRUCTURE)
    return header


def _claims(found: Any) -> Authorisation:
    if not isinstance(found, dict) or found.keys() != {EXP, NBF, CTI, CNF, TERMS}:
        raise Refused(Reason.WRONG_STRUCTURE)
    x, odd = _key(found[CNF])
    terms = found[TERMS]
    if not isinstance(terms, list) or len(terms) != 2 or not _count(terms[0], 255) or not _count(terms[1], MOST_FEN):
        raise Refused(Reason.WRONG_STRUCTURE)
    if not _is_bytes(found[CTI], ID_BYTES) or not _time(found[NBF], 1) or not _time(found[EXP], 1):
        raise Refused(Reason.WRONG_STRUCTURE)
    starts_at, expires_at = found[NBF], found[EXP]
    # Whole hours for everybody: the minute in which a batch was fetched would tie its codes together.
    if starts_at % HOUR or expires_at % HOUR or not 0 < expires_at - starts_at <= LONGEST_WINDOW:
        raise Refused(Reason.BAD_WINDOW)
    return Authorisation(found[CTI], x, odd, terms[0], terms[1], starts_at, expires_at)


def _key(cnf: Any) -> tuple[bytes, bool]:
    if not isinstance(cnf, dict) or cnf.keys() != {1} or not isinstance(cnf[1], dict):
        raise Refused(Reason.WRONG_STRUCTURE)
    key = cnf[1]
    if not _is(key.get(1), 2) or not _is(key.get(-1), 1):
        raise Refused(Reason.WRONG_CURVE)
    if key.keys() != {1, -1, -2, -3} or not _is_bytes(key[-2], 32) or not isinstance(key[-3], bool):
        raise Refused(Reason.WRONG_STRUCTURE)
    return key[-2], key[-3]


def _is(value: Any, number: int) -> bool:
    """Whether a value is this number; a truth value is none, although Python counts it as one."""
    return type(value) is int and value == number


def _is_bytes(value: Any, length: int) -> bool:
    return isinstance(value, bytes) and len(value) == length


def _count(value: Any, most: int) -> bool:
    return type(value) is int and 0 <= value <= most


def _time(value: Any, step: int) -> bool:
    """Seconds of Unix time until the year 2106."""
    return _count(value, 2**32 - 1) and value % step == 0
