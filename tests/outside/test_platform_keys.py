"""How the outside world learns the platform's keys, and that its page of instructions is true."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from werkzeug import Response

from outside.faults import PLACES
from outside.platform_keys import PlatformKeys
from tests.outside.conftest import free_port, serve


def jwk(kid: str, curve: str = "P-256") -> dict[str, str]:
    made = ec.generate_private_key(ec.SECP256R1() if curve == "P-256" else ec.SECP384R1()).public_key().public_numbers()
    size = 32 if curve == "P-256" else 48
    x, y = (base64.urlsafe_b64encode(part.to_bytes(size, "big")).rstrip(b"=").decode() for part in (made.x, made.y))
    return {"kty": "EC", "crv": curve, "kid": kid, "x": x, "y": y, "use": "sig"}


class Platform:
    """A platform that publishes keys and counts who asks."""

    def __init__(self) -> None:
        self.keys: Any = [jwk("one"), jwk("big", "P-384")]
        self.asked = 0

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        self.asked += environ["PATH_INFO"] == "/.well-known/jwks.json"
        return Response(json.dumps({"keys": self.keys}), content_type="application/json")(environ, start_response)


@pytest.fixture
def platform() -> Iterator[tuple[Platform, str]]:
    port, found = free_port(), Platform()
    server = serve(found, port)
    yield found, f"http://127.0.0.1:{port}"
    server.shutdown()
    server.server_close()


def test_the_platforms_keys_are_read_once_and_a_new_one_is_found(platform: tuple[Platform, str]) -> None:
    published, url = platform
    now = [0.0]
    keys = PlatformKeys(url, clock=lambda: now[0])
    assert keys("one") is not None
    assert keys("one") is not None
    assert keys("big") is None
    assert published.asked == 1
    published.keys.append(jwk("two"))
    now[0] = 2.0
    assert keys("two") is not None


@pytest.mark.parametrize("broken", [None, [], "x", [{"kty": "EC"}], [1]])
def test_broken_keys_are_no_keys_and_the_last_good_ones_stay(platform: tuple[Platform, str], broken: Any) -> None:
    published, url = platform
    now = [0.0]
    keys = PlatformKeys(url, clock=lambda: now[0])
    assert keys("one") is not None
    published.keys = broken
    now[0] = 400.0
    assert keys("one") is not None


def test_a_platform_that_is_not_there_yet_has_no_keys() -> None:
    assert PlatformKeys(f"http://127.0.0.1:{free_port()}")("one") is None


def test_every_fault_is_in_the_instructions() -> None:
    page = (Path(__file__).parents[2] / "docs" / "outside.md").read_text(encoding="utf-8")
    for place, kinds in PLACES.items():
        assert f"`{place}`" in page
        for kind, what in kinds.items():
            assert f"| `{kind}` |" in page
            assert what in page or place.startswith("line:")
