"""Codes that no verifier accepts, each with the one reason for which it is refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from citycode import cbor, layout
from citycode.cbor import Tagged
from citycode.vectors.building import DEVICE, END, ISSUER, NEXT, NOW, OTHER, RETIRED, START, Parts, key_id, refused, show, sign, upper
from citycode.vectors.flipping import reason_for

PLAIN = Parts()
DATA = PLAIN.data()
Vector = dict[str, Any]


def vectors() -> list[Vector]:
    """All of them."""
    return [*_text(), *_truncated(), *_encoding(), *_structure(), *_keys(), *_signatures(), *_swapped(), *_times(), *_flipped()]


def _text() -> Iterator[Vector]:
    code = PLAIN.made()
    yield refused("nothing at all", "", "other_format")
    yield refused("a pay code", "812345678901234567", "other_format")
    yield refused("another version", PLAIN.but(prefix="CC2:").made(), "other_format")
    yield refused("the prefix in small letters", "cc1:" + code[4:], "other_format")
    yield refused("a link", "HTTPS://CITY.EXAMPLE/" + code, "other_format")
    yield refused("huge", layout.PREFIX + "0" * 4000, "too_long")
    yield refused("one letter beyond the longest", layout.PREFIX + "0" * (layout.LONGEST - 3), "too_long")
    yield refused("the prefix alone", layout.PREFIX, "bad_encoding")
    yield refused("a small letter", code[:-1] + "a", "bad_base45")
    yield refused("a letter that is not of the alphabet", code[:50] + "#" + code[51:], "bad_base45")
    yield refused("a character beyond ASCII", code[:50] + "\u00e9" + code[51:], "bad_base45")
    yield refused("a group of one letter", layout.PREFIX + code[4:][: len(code[4:]) // 3 * 3] + "0", "bad_base45")
    yield refused("a group beyond two bytes", layout.PREFIX + ":::" + code[7:], "bad_base45")
    yield refused("a last group beyond one byte", layout.PREFIX + "::", "bad_base45")
    yield refused("a space at the end", code + " ", "bad_base45")
    yield refused("a byte too many", show(DATA + b"\x00"), "bad_encoding")


def _truncated() -> Iterator[Vector]:
    for kept in (1, 2, 3, 7, 40, 150, 200, len(DATA) - 64, len(DATA) - 1):
        yield refused(f"cut off after {kept} bytes", show(DATA[:kept]), "bad_encoding")


def _encoding() -> Iterator[Vector]:
    header, payload, signature = layout.DEVICE_HEADER, PLAIN.made_payload(), PLAIN.made_signature()
    body = cbor.encode(header) + b"\xa0" + cbor.encode(payload)
    yield refused("an array of indefinite length", show(b"\xd2\x9f" + body + cbor.encode(signature) + b"\xff"), "not_canonical")
    parts = b"\x5f" + cbor.encode(signature[:32]) + cbor.encode(signature[32:]) + b"\xff"
    yield refused("a byte string of indefinite length", show(b"\xd2\x84" + body + parts), "not_canonical")
    yield refused("a map of indefinite length", show(b"\xd2\x84" + cbor.encode(header) + b"\xbf\xff"), "not_canonical")
    yield refused("a length in a longer form", show(b"\xd2\x84" + body + b"\x59\x00\x40" + signature), "not_canonical")
    yield refused("a tag in a longer form", show(b"\xd8\x12" + DATA[1:]), "not_canonical")
    yield refused("a number in a longer form in a header", PLAIN.but(device_header=b"\xa1\x18\x01\x26").made(), "not_canonical")
    yield refused("a member twice in a header", PLAIN.but(device_header=b"\xa2\x01\x26\x01\x26").made(), "not_canonical")
    swapped = b"\xa2\x04\x48" + key_id(ISSUER) + b"\x01\x26"
    yield refused("members of a header out of order", PLAIN.but(issuer_header=swapped).made(), "not_canonical")
    claims = cbor.encode(PLAIN.claim_members())
    twice = b"\xa6" + claims[1:7] + claims[1:]
    yield refused("a claim twice", PLAIN.but(claims=twice).made(), "not_canonical")
    yield refused("a limit in a longer form", PLAIN.but(claims=claims[:-3] + b"\x1a\x00\x00\x07\xd0").made(), "not_canonical")
    yield refused("a limit as a float", PLAIN.but(claims=claims[:-3] + b"\xf9\x67\xd0").made(), "bad_encoding")
    yield refused("a limit as null", PLAIN.but(claims=claims[:-3] + b"\xf6").made(), "bad_encoding")
    yield refused("a byte string said to be endless", show(b"\xd2\x84\x5b" + b"\xff" * 8), "bad_encoding")
    yield refused("an array said to be endless", show(b"\xd2\x9b" + b"\xff" * 8), "bad_encoding")
    yield refused("a thousand arrays in each other", show(b"\x81" * 390), "bad_encoding")
    yield refused("a text that is not UTF-8", PLAIN.but(device_header=b"\x61\xff").made(), "bad_encoding")
    yield refused("a byte string as a member's name", PLAIN.but(device_header=b"\xa1\x41\x01\x26").made(), "bad_encoding")


def _structure() -> Iterator[Vector]:
    whole = cbor.decode(DATA)
    claims = PLAIN.claim_members()
    yield refused("no tag", show(DATA[1:]), "wrong_structure")
    yield refused("another tag (COSE_Sign)", show(cbor.encode(Tagged(98, whole.value))), "wrong_structure")
    yield refused("five parts", show(cbor.encode(Tagged(18, [*whole.value, b""]))), "wrong_structure")
    yield refused("an unprotected header", show(cbor.encode(Tagged(18, [whole.value[0], {4: b"x"}, *whole.value[2:]]))), "wrong_structure")
    yield refused("no payload (detached)", show(cbor.encode(Tagged(18, [whole.value[0], {}, False, whole.value[3]]))), "wrong_structure")
    yield refused("a number alone", show(b"\x00"), "wrong_structure")
    yield refused("a key in the phone's header", PLAIN.but(device_header=cbor.encode({1: -7, 4: b"12345678"})).made(), "wrong_structure")
    yield refused("no key id", PLAIN.but(issuer_header=cbor.encode({1: -7})).made(), "wrong_structure")
    critical = cbor.encode({1: -7, 2: [99], 4: key_id(ISSUER)})
    yield refused("a critical header that nobody knows", PLAIN.but(issuer_header=critical).made(), "wrong_structure")
    yield refused("a short key id", PLAIN.but(key_id=b"1234").made(), "wrong_structure")
    yield refused("a claim too many: a resident", PLAIN.but(claims=cbor.encode({**claims, 2: "resident"})).made(), "wrong_structure")
    without = cbor.encode({name: value for name, value in claims.items() if name != 4})
    yield refused("no end of the window", PLAIN.but(claims=without).made(), "wrong_structure")
    yield refused("a negative limit", PLAIN.but(terms=(0, -1)).made(), "wrong_structure")
    yield refused("a limit beyond all limits", PLAIN.but(terms=(0, 1_000_001)).made(), "wrong_structure")
    yield refused("a truth value as class", PLAIN.but(terms=(True, 2000)).made(), "wrong_structure")
    yield refused("a short id", PLAIN.but(identity=b"short").made(), "wrong_structure")
    yield refused("a clock finer than five seconds", PLAIN.but(generated_at=NOW + 1).made(), "wrong_structure")
    yield refused("a nonce of eight bytes", PLAIN.but(nonce=b"12345678").made(), "wrong_structure")
    yield refused("a time before 1970", PLAIN.but(generated_at=-5).made(), "wrong_structure")
    bare = {**claims, 8: {1: {1: 2, -1: 1, -2: b"\x00" * 32, -3: b"\x00" * 32}}}
    yield refused("a key with a whole y", PLAIN.but(claims=cbor.encode(bare)).made(), "wrong_structure")
    private = {**claims, 8: {1: {**claims[8][1], -4: b"\x01" * 32}}}
    yield refused("a key with its private part", PLAIN.but(claims=cbor.encode(private)).made(), "wrong_structure")


def _keys() -> Iterator[Vector]:
    claims = PLAIN.claim_members()
    key = claims[8][1]
    for name, algorithm in (("none at all (0)", 0), ("ES384", -35), ("EdDSA", -8), ("HS256", 5), ("ES256K", -47), ("RS256", -257)):
        header = cbor.encode({1: algorithm, 4: key_id(ISSUER)})
        yield refused(f"another algorithm of the issuer: {name}", PLAIN.but(issuer_header=header).made(), "wrong_algorithm")
    yield refused("another algorithm of the phone", PLAIN.but(device_header=cbor.encode({1: -35})).made(), "wrong_algorithm")
    yield refused("no algorithm", PLAIN.but(device_header=b"\xa0").made(), "wrong_algorithm")
    yield refused("the algorithm as a name", PLAIN.but(device_header=cbor.encode({1: "ES256"})).made(), "wrong_algorithm")
    for name, curve in (("P-384", 2), ("Ed25519", 6), ("secp256k1", 8), ("truth", True)):
        changed = {**claims, 8: {1: {**key, -1: curve}}}
        yield refused(f"a foreign curve: {name}", PLAIN.but(claims=cbor.encode(changed)).made(), "wrong_curve")
    changed = {**claims, 8: {1: {**key, 1: 1}}}
    yield refused("a key of another kind", PLAIN.but(claims=cbor.encode(changed)).made(), "wrong_curve")
    off = next(x for x in range(1, 99) if not _on_curve(x))
    yield refused("a point that is not on the curve", PLAIN.but(x=off.to_bytes(32, "big")).made(), "wrong_curve")
    yield refused("an x beyond the field", PLAIN.but(x=b"\xff" * 32).made(), "wrong_curve")
    # The hole of a known validator: the issuer's key taken from the code itself.
    yield refused("an issuer of one's own making", PLAIN.but(issuer=OTHER).made(), "unknown_issuer")
    yield refused("one's own key under the issuer's id", PLAIN.but(issuer=OTHER, key_id=key_id(ISSUER)).made(), "bad_issuer_signature")
    yield refused("signed with the one-time key as issuer", PLAIN.but(issuer=DEVICE, key_id=key_id(ISSUER)).made(), "bad_issuer_signature")
    yield refused("an issuer key that has ended", PLAIN.but(issuer=RETIRED).made(), "issuer_out_of_time")
    yield refused("an issuer key that has not begun", PLAIN.but(issuer=NEXT).made(), "issuer_out_of_time")


def _on_curve(x: int) -> bool:
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), b"\x02" + x.to_bytes(32, "big"))
    except ValueError:
        return False
    return True


def _signatures() -> Iterator[Vector]:
    good = PLAIN.made_signature()
    yield refused("the other form of the phone's signature", PLAIN.but(signature=upper(good)).made(), "bad_signature_form")
    tag = cbor.decode(PLAIN.made_authorisation())
    twin = cbor.encode(Tagged(18, [*tag.value[:3], upper(tag.value[3])]))
    yield refused("the other form of the issuer's signature", PLAIN.but(authorisation=twin).made(), "bad_signature_form")
    zero, one = b"\x00" * 32, b"\x00" * 31 + b"\x01"
    yield refused("a signature of zeros", PLAIN.but(signature=zero + zero).made(), "bad_signature_form")
    yield refused("an r of zero", PLAIN.but(signature=zero + one).made(), "bad_signature_form")
    yield refused("an r beyond the order", PLAIN.but(signature=b"\xff" * 32 + one).made(), "bad_signature_form")
    yield refused("a signature of 63 bytes", PLAIN.but(signature=good[:63]).made(), "bad_signature_form")
    der = DEVICE.sign(b"", ec.ECDSA(hashes.SHA256(), deterministic_signing=True))
    yield refused("a signature in DER", PLAIN.but(signature=der).made(), "bad_signature_form")
    yield refused("a signature of ones", PLAIN.but(signature=one + one).made(), "bad_device_signature")
    yield refused("signed by another phone", PLAIN.but(signature=PLAIN.but(device=OTHER).made_signature()).made(), "bad_device_signature")
    yield refused("the issuer's signature in place of the phone's", PLAIN.but(signature=tag.value[3]).made(), "bad_device_signature")
    plain = sign(DEVICE, PLAIN.made_payload())
    yield refused("a signature over the payload alone", PLAIN.but(signature=plain).made(), "bad_device_signature")


def _swapped() -> Iterator[Vector]:
    """Fields taken over from another code, or changed after the signature."""
    signature = PLAIN.made_signature()
    issued = cbor.decode(PLAIN.made_authorisation()).value
    for name, changed in (
        ("a higher limit", {"terms": (0, 900_000)}),
        ("a better class", {"terms": (3, 2000)}),
        ("a later end", {"expires_at": END - 3600}),
        ("an earlier start", {"starts_at": START - 3600, "expires_at": END - 3600}),
        ("another id", {"identity": b"\x07" * 16}),
        ("another key", {"device": OTHER}),
    ):
        parts = PLAIN.but(**changed)
        claims = cbor.encode(parts.claim_members())
        authorisation = cbor.encode(Tagged(18, [issued[0], {}, claims, issued[3]]))
        yield refused(f"after the issuer signed: {name}", parts.but(authorisation=authorisation).made(), "bad_issuer_signature")
    yield refused(
        "after the phone signed: a later time", PLAIN.but(generated_at=NOW + 5, signature=signature).made(), "bad_device_signature"
    )
    yield refused("after the phone signed: another nonce", PLAIN.but(nonce=b"abcd", signature=signature).made(), "bad_device_signature")
    better = PLAIN.but(terms=(3, 2000), identity=b"\x08" * 16, device=OTHER).made_authorisation()
    yield refused("somebody else's authorisation", PLAIN.but(authorisation=better).made(), "bad_device_signature")
    odd = PLAIN.device.public_key().public_numbers().y % 2 == 1
    yield refused("the mirrored key", PLAIN.but(odd=not odd).made(), "bad_device_signature")


def _times() -> Iterator[Vector]:
    yield refused("31 seconds old", PLAIN.made(), "stale", now=NOW + 31)
    yield refused("a day old", PLAIN.but(expires_at=START + 3600).made(), "expired", now=NOW + 86400)
    yield refused("six seconds before its time", PLAIN.made(), "from_the_future", now=NOW - 6)
    yield refused("the window has ended", PLAIN.but(generated_at=END - 5).made(), "expired", now=END)
    yield refused("the window has not begun", PLAIN.but(generated_at=START - 5).made(), "not_yet_valid", now=START - 1)
    yield refused("a window of 25 hours", PLAIN.but(expires_at=END + 3600).made(), "bad_window")
    yield refused("a window of nothing", PLAIN.but(expires_at=START).made(), "bad_window")
    yield refused("a window that ends before it begins", PLAIN.but(starts_at=END, expires_at=START).made(), "bad_window")
    yield refused("a window that does not begin at a full hour", PLAIN.but(starts_at=START + 1).made(), "bad_window")


def _flipped() -> Iterator[Vector]:
    """One bit of every seventh byte; the reason depends on where it stands, and both languages must agree on it."""
    for at in range(0, len(DATA), 7):
        flipped = bytearray(DATA)
        flipped[at] ^= 1 << at % 8
        code = show(bytes(flipped))
        yield refused(f"bit {at % 8} of byte {at} flipped", code, reason_for(code))
