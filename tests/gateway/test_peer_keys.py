"""Reading another system's public keys."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from core.gateway import PeerKeys
from core.gateway.peer_keys import keys_of
from core.gateway.transport import Incoming, NotSent, Outgoing, Patience


def jwk(kid: str = "police-1", **changes: Any) -> dict[str, Any]:
    numbers = ec.generate_private_key(ec.SECP256R1()).public_key().public_numbers()
    x, y = (base64.urlsafe_b64encode(part.to_bytes(32, "big")).rstrip(b"=").decode() for part in (numbers.x, numbers.y))
    return {"kty": "EC", "crv": "P-256", "kid": kid, "x": x, "y": y, "use": "sig", **changes}


class Shelf:
    """A transport that gives out whatever stands on it, and counts."""

    def __init__(self, *keys: dict[str, Any]) -> None:
        self.keys, self.asked, self.away = list(keys), 0, False

    def send(self, request: Outgoing, patience: Patience) -> Incoming:
        self.asked += 1
        if self.away:
            raise NotSent("away")
        return Incoming(200, {}, json.dumps({"keys": self.keys}).encode())


def test_keys_are_asked_for_once_and_found_by_id() -> None:
    shelf = Shelf(jwk("police-1"), jwk("police-2"))
    keys = PeerKeys("http://x", transport=shelf, clock=lambda: 0.0)
    assert keys("police-1") is not None
    assert keys("police-2") is not None
    assert shelf.asked == 1


def test_a_key_of_another_agency_is_not_found() -> None:
    keys = PeerKeys("http://x", prefix="police-", transport=Shelf(jwk("yunpay-1")), clock=lambda: 0.0)
    assert keys("yunpay-1") is None
    assert keys(None) is None


def test_unknown_ids_do_not_make_us_ask_all_the_time_but_a_new_key_is_found() -> None:
    now = [0.0]
    shelf = Shelf(jwk("police-1"))
    keys = PeerKeys("http://x", transport=shelf, clock=lambda: now[0])
    for number in range(100):
        assert keys(f"made-up-{number}") is None
    assert shelf.asked == 1
    shelf.keys.append(jwk("police-2"))
    now[0] = 6.0
    assert keys("police-2") is not None


def test_a_withdrawn_key_is_forgotten_and_an_absent_peer_keeps_the_last_good_ones() -> None:
    now = [0.0]
    shelf = Shelf(jwk("police-1"))
    keys = PeerKeys("http://x", transport=shelf, clock=lambda: now[0])
    assert keys("police-1") is not None
    now[0], shelf.away = 400.0, True
    assert keys("police-1") is not None
    now[0], shelf.away, shelf.keys = 500.0, False, [jwk("police-2")]
    assert keys("police-1") is None


@pytest.mark.parametrize(
    "bad",
    [
        None,
        [],
        {},
        {"keys": {}},
        {"keys": [jwk()] * 101},
        {"keys": [jwk(x="AA")]},
        {"keys": [jwk(x="!" * 43)]},
        {"keys": [jwk(y="A" * 43)]},
    ],
)
def test_a_broken_list_is_refused_whole(bad: Any) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # each member fails in its own way
        keys_of(bad)


def test_keys_of_other_kinds_are_passed_over() -> None:
    others = [jwk("a", kty="RSA"), jwk("b", crv="P-384"), jwk("c", use="enc"), {**jwk("d"), "kid": 7}, "text"]
    assert list(keys_of({"keys": [*others, jwk("e")]})) == ["e"]
