"""The format of the city code: its size, its parts as other libraries read them, and how it behaves when damaged."""

from __future__ import annotations

import os
import random
from typing import Any

import cbor2
import pytest
import segno
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st
from pycose.headers import KID, Algorithm
from pycose.keys import EC2Key
from pycose.messages import Sign1Message

import citycode
from citycode import base45, cbor, signatures
from citycode.layout import PREFIX
from citycode.vectors.building import DEVICE, ISSUER, NOW, Parts, key_id, point
from citycode.vectors.flipping import TRUST

# ISO 18004, table 7: alphanumeric characters of version 12 at level M.
MOST_LETTERS = 419


def cose_key(key: ec.EllipticCurvePrivateKey) -> EC2Key:
    whole = point(key)
    return EC2Key(crv="P_256", x=whole[1:33], y=whole[33:])


def test_the_longest_code_fits_a_qr_code_of_version_12() -> None:
    longest = Parts().but(terms=(255, 1_000_000)).made()
    assert len(longest) == 394 <= MOST_LETTERS
    drawn = segno.make_qr(longest, error="m", boost_error=False)
    assert (int(drawn.version), drawn.mode, drawn.error) == (12, "alphanumeric", "M")


def foreign(data: bytes) -> Sign1Message:
    """The message as pycose takes it; the tag is read beside it, because inside a tag cbor2 now gives a tuple and a frozen map."""
    tagged = cbor2.loads(data)
    assert tagged.tag == Sign1Message.cbor_tag
    protected, unprotected, payload, signature = tagged.value
    return Sign1Message.from_cose_obj([protected, dict(unprotected), payload, signature], True)


def test_a_foreign_cose_library_reads_and_verifies_both_signatures() -> None:
    outer = foreign(base45.decode(Parts().made()[len(PREFIX) :]))
    assert outer.get_attr(Algorithm).fullname == "ES256"
    outer.key = cose_key(DEVICE)
    assert outer.verify_signature()
    authorisation, generated_at, _nonce = cbor2.loads(outer.payload)
    inner = foreign(cbor2.dumps(authorisation, canonical=True))
    assert inner.get_attr(KID) == key_id(ISSUER)
    inner.key = cose_key(ISSUER)
    assert inner.verify_signature()
    claims = cbor2.loads(inner.payload)
    assert (claims[4] - claims[5], list(claims[-70001]), generated_at) == (24 * 3600, [0, 2000], NOW)
    inner.key = cose_key(DEVICE)
    assert not inner.verify_signature()


def test_a_code_names_neither_resident_nor_card() -> None:
    code = citycode.read(Parts().made())
    held = set(code.authorisation.terms.__slots__)
    assert held == {"id", "x", "odd", "concession", "limit_fen", "starts_at", "expires_at"}


items = st.recursive(
    st.integers(-(2**64), 2**64 - 1) | st.booleans() | st.binary(max_size=40) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.integers(-(2**40), 2**40) | st.text(max_size=4), inner, max_size=5),
    max_leaves=12,
)


@given(items)
def test_what_is_written_is_read_and_is_what_another_library_writes(item: Any) -> None:
    try:
        read = cbor.decode(cbor.encode(item))
    except citycode.Refused:
        return  # deeper than a code ever is
    assert read == item
    assert cbor2.loads(cbor.encode(item)) == item


@given(st.binary(max_size=80))
def test_bytes_have_one_form_or_none(data: bytes) -> None:
    try:
        item = cbor.decode(data)
    except citycode.Refused:
        return
    assert cbor.encode(item) == data


@given(st.binary(max_size=300))
def test_base45_takes_every_byte_there_and_back(data: bytes) -> None:
    assert base45.decode(base45.encode(data)) == data


PUBLISHED = [("BB8", b"AB"), ("%69 VD92EX0", b"Hello!!"), ("UJCLQE7W581", b"base-45"), ("QED8WEX0", b"ietf!")]


@pytest.mark.parametrize(("text", "data"), PUBLISHED)
def test_base45_agrees_with_its_standard(text: str, data: bytes) -> None:
    assert (base45.encode(data), base45.decode(text)) == (text, data)


@given(st.text(max_size=700) | st.text(alphabet=base45.LETTERS, max_size=620).map(PREFIX.__add__))
def test_any_text_is_refused_and_nothing_else_happens(text: str) -> None:
    with pytest.raises(citycode.Refused):
        citycode.verify(text, TRUST, now=NOW)


@settings(max_examples=300)
@given(st.integers(0, len(Parts().data()) * 8 - 1))
def test_no_single_flipped_bit_is_accepted(bit: int) -> None:
    data = bytearray(Parts().data())
    data[bit // 8] ^= 1 << bit % 8
    with pytest.raises(citycode.Refused):
        citycode.verify(PREFIX + base45.encode(bytes(data)), TRUST, now=NOW)


def test_of_two_valid_forms_of_a_signature_one_is_made() -> None:
    for _ in range(50):
        signatures.check_form(signatures.sign(DEVICE, os.urandom(8)))


def test_a_code_is_accepted_inside_its_window_and_nowhere_else() -> None:
    """Issue, scan and clock skew at random: 2,000 codes, accepted exactly when 0..30 s old or at most 5 s early."""
    chance = random.Random(18)
    for _ in range(2_000):
        shift = chance.choice((-3600, -7, -6, -5, -1, 0, 1, 29, 30, 31, 32, 600, 90_000)) + chance.randrange(2)
        found = Parts().made() if shift == 0 else CODE
        try:
            citycode.verify(found, TRUST, now=NOW + shift)
            accepted = True
        except citycode.Refused:
            accepted = False
        assert accepted == (-5 <= shift <= 30)


CODE = Parts().made()
