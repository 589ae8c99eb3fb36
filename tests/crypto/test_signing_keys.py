"""Signing keys: one for a purpose, changed with an overlap."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import jwt
import pytest

from core import clock
from core.crypto import jwks, rotate, signing, signing_key, verification_keys, verify

pytestmark = pytest.mark.usefixtures("rollback")
PURPOSE = "access-token"


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    signing.forget()
    yield
    signing.forget()
    clock.learn(dt.timedelta())


def test_a_key_is_made_once_and_read_again() -> None:
    first = signing_key(PURPOSE)
    signing.forget()
    again = signing_key(PURPOSE)
    assert (first.kid, first.public) == (again.kid, again.public)
    assert first.secret == again.secret


def test_each_purpose_has_its_own_key() -> None:
    assert signing_key(PURPOSE).kid != signing_key("seal").kid
    assert signing_key(PURPOSE).kid not in verification_keys("seal")


def test_a_token_signed_with_the_private_half_is_verified_by_the_published_one() -> None:
    key = signing_key(PURPOSE)
    assert key.private is not None
    token = jwt.encode({"sub": "resident_1"}, key.private, algorithm="ES256", headers={"kid": key.kid})
    published = {entry["kid"]: jwt.PyJWK(entry) for entry in jwks(PURPOSE)["keys"]}
    assert jwt.decode(token, published[key.kid], algorithms=["ES256"])["sub"] == "resident_1"
    assert jwt.decode(token, verification_keys(PURPOSE)[key.kid], algorithms=["ES256"])["sub"] == "resident_1"


def test_nothing_private_is_published() -> None:
    signing_key(PURPOSE)
    for entry in jwks(PURPOSE)["keys"]:
        assert set(entry) == {"kty", "crv", "x", "y", "kid", "use", "alg"}


def test_a_new_key_is_published_before_it_signs_and_the_old_one_verifies_after() -> None:
    old = signing_key(PURPOSE).kid
    new = rotate(PURPOSE)
    assert signing_key(PURPOSE).kid == old
    assert set(verification_keys(PURPOSE)) == {old, new}
    clock.learn(signing.LEAD + dt.timedelta(seconds=1))
    assert signing_key(PURPOSE).kid == new
    assert set(verification_keys(PURPOSE)) == {old, new}
    clock.learn(signing.LEAD + signing.OVERLAP + dt.timedelta(seconds=1))
    assert set(verification_keys(PURPOSE)) == {new}


def test_a_seal_is_proved_long_after_its_key_retired() -> None:
    key = signing_key("seal")
    signature = key.sign(b"head 1")
    rotate("seal")
    clock.learn(dt.timedelta(days=400))
    assert signing_key("seal").kid != key.kid
    assert verify("seal", key.kid, b"head 1", signature)
    assert not verify("seal", key.kid, b"head 2", signature)
    assert not verify("seal", signing_key("seal").kid, b"head 1", signature)
    assert not verify(PURPOSE, key.kid, b"head 1", signature)
