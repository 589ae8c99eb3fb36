"""Public keys of another system, read from its JWKS (RFC 7517) and kept for a while."""

from __future__ import annotations

import base64
import binascii
import threading
import time
from collections.abc import Callable
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec

from core.gateway.transport import HttpTransport, MaybeDone, NotSent, Outgoing, Patience, Transport
from core.http_signatures import EcdsaPublicKey

_PATIENCE = Patience(connect=2.0, read=2.0, total=3.0, answer_bytes=64 * 1024)
_KEEP = 300.0  # seconds until a key that was withdrawn there is forgotten here
_ASK_AGAIN = 5.0  # an unknown key id makes us look, but not more often: it is the caller who chooses the id


class PeerKeys:
    """Finds keys by id in one JWKS, among the ids that begin with `prefix`: one agency's key never speaks for another."""

    def __init__(
        self,
        url: str,
        *,
        prefix: str = "",
        transport: Transport | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url, self._prefix, self._clock = url, prefix, clock
        self._transport = transport or HttpTransport(connections=1)
        self._lock = threading.Lock()
        self._keys: dict[str, EcdsaPublicKey] = {}
        self._read_at = self._tried_at = float("-inf")

    def __call__(self, keyid: str | None) -> EcdsaPublicKey | None:
        """The key of this id, or nothing; the last good set serves while the other side is away."""
        if keyid is None or not keyid.startswith(self._prefix):
            return None
        with self._lock:
            now = self._clock()
            old = now - self._read_at > _KEEP
            if (keyid not in self._keys or old) and now - self._tried_at > _ASK_AGAIN:
                self._tried_at = now
                self._refresh(now)
            return self._keys.get(keyid)

    def _refresh(self, now: float) -> None:
        try:
            answer = self._transport.send(Outgoing("GET", self._url, {"Accept": "application/json"}, b""), _PATIENCE)
            if answer.status == 200:
                self._keys, self._read_at = keys_of(msgspec.json.decode(answer.body)), now
        except (NotSent, MaybeDone, msgspec.DecodeError, ValueError):
            return


def keys_of(jwks: Any) -> dict[str, EcdsaPublicKey]:
    """The P-256 signature keys of a JWKS by key id; entries of other kinds are passed over, broken ones refused."""
    listed = jwks.get("keys") if isinstance(jwks, dict) else None
    if not isinstance(listed, list) or len(listed) > 100:
        raise ValueError("not a JWKS")
    return {jwk["kid"]: EcdsaPublicKey(_public(jwk)) for jwk in listed if _usable(jwk)}


def _usable(jwk: Any) -> bool:
    return (
        isinstance(jwk, dict)
        and jwk.get("kty") == "EC"
        and jwk.get("crv") == "P-256"
        and jwk.get("use", "sig") == "sig"
        and isinstance(jwk.get("kid"), str)
    )


def _public(jwk: dict[str, Any]) -> ec.EllipticCurvePublicKey:
    """RFC 7518, 6.2.1: two coordinates of 32 bytes; a point that is not on the curve raises ValueError."""
    return ec.EllipticCurvePublicNumbers(_number(jwk.get("x")), _number(jwk.get("y")), ec.SECP256R1()).public_key()


def _number(text: Any) -> int:
    if not isinstance(text, str) or len(text) != 43:
        raise ValueError("a P-256 coordinate is 43 characters of base64url")
    try:
        return int.from_bytes(base64.b64decode(text + "=", altchars=b"-_", validate=True), "big")
    except binascii.Error as fault:
        raise ValueError("a P-256 coordinate is base64url") from fault
