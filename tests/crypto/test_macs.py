"""The MAC of the hot paths is the standard library's, for keys of every length."""

from __future__ import annotations

import hmac

from hypothesis import given
from hypothesis import strategies as st

from core.macs import BLOCK_BYTES, Mac


@given(st.binary(max_size=BLOCK_BYTES * 3), st.lists(st.binary(max_size=100), min_size=1, max_size=3))
def test_it_is_hmac_sha256_however_often_it_is_asked(key: bytes, messages: list[bytes]) -> None:
    mac = Mac(key)
    assert [mac.digest(message) for message in messages] == [hmac.digest(key, message, "sha256") for message in messages]
