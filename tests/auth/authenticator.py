"""A software authenticator: makes keys and uses them as a phone or a security key would, and can do each thing wrong (WebAuthn, CTAP2)."""

from __future__ import annotations

import hashlib
import json
import os
import struct
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from tests.auth.conftest import ISSUER, pack, unpad

UP, UV, BE, BS, AT = 0x01, 0x04, 0x08, 0x10, 0x40


def cbor(value: Any) -> bytes:
    """The canonical CBOR (RFC 8949) of the few kinds of values that a passkey is made of."""
    if isinstance(value, bool):
        return b"\xf5" if value else b"\xf4"
    if isinstance(value, int):
        return _head(0, value) if value >= 0 else _head(1, -1 - value)
    if isinstance(value, bytes):
        return _head(2, len(value)) + value
    if isinstance(value, str):
        return _head(3, len(value.encode())) + value.encode()
    if isinstance(value, list):
        return _head(4, len(value)) + b"".join(cbor(item) for item in value)
    return _head(5, len(value)) + b"".join(cbor(key) + cbor(item) for key, item in value.items())


def _head(kind: int, number: int) -> bytes:
    if number < 24:
        return bytes([kind << 5 | number])
    for extra, size in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if number < 1 << 8 * size:
            return bytes([kind << 5 | extra]) + number.to_bytes(size, "big")
    raise ValueError(number)


def new_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


@dataclass
class Authenticator:
    """One key of one holder; a ``count`` of None is the authenticator that does not count, as synced ones do."""

    key: ec.EllipticCurvePrivateKey = field(default_factory=new_key)
    credential_id: bytes = field(default_factory=lambda: os.urandom(32))
    count: int | None = 0
    flags: int = UP | UV | BE | BS
    handle: bytes = b""
    rp_id: str = "localhost"
    origin: str = ISSUER

    def cose(self) -> dict[int, Any]:
        """The public key (RFC 9053): EC2, ES256, P-256."""
        numbers = self.key.public_key().public_numbers()
        return {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}

    def create(self, options: dict[str, Any], **wrong: Any) -> dict[str, Any]:
        """The answer to creation options; ``wrong`` replaces a part of it."""
        asked = options["public_key"]
        self.handle = unpad(asked["user"]["id"])
        attested = b"\x00" * 16 + struct.pack(">H", len(self.credential_id)) + self.credential_id + cbor(wrong.get("cose", self.cose()))
        attested = wrong.get("attested", attested)
        data = self._data(wrong.get("flags", self.flags | AT), wrong) + attested + wrong.get("tail", b"")
        said = self._said("webauthn.create", asked["challenge"], wrong)
        statement = wrong.get("statement", {})
        if statement == "self":
            statement = {"alg": -7, "sig": self._sign(data + hashlib.sha256(said).digest())}
        given = {"fmt": wrong.get("fmt", "none"), "attStmt": statement, "authData": data}
        response = {
            "clientDataJSON": pack(said),
            "attestationObject": pack(wrong.get("object", cbor(given))),
            "transports": ["internal", "x"],
        }
        named = pack(wrong.get("id", self.credential_id))
        return {"id": named, "rawId": named, "type": "public-key", "response": response, "clientExtensionResults": {}}

    def get(self, options: dict[str, Any], **wrong: Any) -> dict[str, Any]:
        """The answer to request options; ``wrong`` replaces a part of it."""
        if self.count is not None and "count" not in wrong:
            self.count += 1
        data = self._data(wrong.get("flags", self.flags), wrong) + wrong.get("tail", b"")
        said = self._said("webauthn.get", options["public_key"]["challenge"], wrong)
        signature = wrong.get("signature", self._sign(data + hashlib.sha256(said).digest(), wrong.get("key")))
        response = {"clientDataJSON": pack(said), "authenticatorData": pack(data), "signature": pack(signature)}
        if (handle := wrong.get("handle", self.handle)) is not None:
            response["userHandle"] = pack(handle)
        named = pack(wrong.get("id", self.credential_id))
        return {"id": named, "rawId": named, "type": "public-key", "response": response, "authenticatorAttachment": "platform"}

    def _data(self, flags: int, wrong: dict[str, Any]) -> bytes:
        hashed = hashlib.sha256(wrong.get("rp_id", self.rp_id).encode()).digest()
        return hashed + bytes([flags]) + struct.pack(">I", wrong.get("count", self.count or 0))

    def _said(self, kind: str, challenge: str, wrong: dict[str, Any]) -> bytes:
        said = {"type": wrong.get("type", kind), "challenge": wrong.get("challenge", challenge), "origin": wrong.get("origin", self.origin)}
        given: bytes = wrong.get("said") or json.dumps({**said, "crossOrigin": False, **wrong.get("more", {})}).encode()
        return given

    def _sign(self, data: bytes, key: ec.EllipticCurvePrivateKey | None = None) -> bytes:
        return (key or self.key).sign(data, ec.ECDSA(hashes.SHA256()))
