"""The platform's public keys, read from its JWKS."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import jwt
import urllib3
from cryptography.hazmat.primitives.asymmetric import ec

from core.http_signatures import EcdsaPublicKey

_KEEP, _ASK_AGAIN = 300.0, 1.0  # seconds; an unknown key id may make us ask, but not at every request
_LARGEST = 64 * 1024


class PlatformKeys:
    """Finds the platform's key by id; keys that were handed in (tests) are never asked for."""

    def __init__(
        self,
        platform_url: str,
        *,
        given: dict[str, EcdsaPublicKey] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url, self._clock = f"{platform_url}/.well-known/jwks.json", clock
        self._given = given is not None
        self._keys = dict(given or {})
        self._read_at = self._tried_at = float("-inf")
        self._lock = threading.Lock()
        self._pool = urllib3.PoolManager(retries=False, timeout=urllib3.Timeout(total=3))

    def __call__(self, keyid: str | None) -> EcdsaPublicKey | None:
        """The key of this id, or nothing."""
        with self._lock:
            now = self._clock()
            wanting = keyid not in self._keys or now - self._read_at > _KEEP
            if not self._given and wanting and now - self._tried_at > _ASK_AGAIN:
                self._tried_at = now
                self._refresh(now)
            return self._keys.get(keyid or "")

    def _refresh(self, now: float) -> None:
        try:
            answer = self._pool.request("GET", self._url, redirect=False)
            if answer.status != 200 or len(answer.data) > _LARGEST:
                return
            found = jwt.PyJWKSet.from_json(answer.data.decode())
        except (urllib3.exceptions.HTTPError, jwt.PyJWKSetError, jwt.PyJWKError, UnicodeDecodeError, ValueError):
            return
        self._keys = {
            key.key_id: EcdsaPublicKey(key.key)
            for key in found.keys
            if key.key_id and isinstance(key.key, ec.EllipticCurvePublicKey) and isinstance(key.key.curve, ec.SECP256R1)
        }
        self._read_at = now
