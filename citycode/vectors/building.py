"""What the vectors are built of: fixed keys, and a code of which every part can be replaced by a wrong one."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Any, Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from citycode import base45, cbor, layout, signatures
from citycode.cbor import Tagged

START: Final = 1_790_000_000 // 3600 * 3600
NOW: Final = START + 1800
END: Final = START + 24 * 3600


def private(name: str) -> ec.EllipticCurvePrivateKey:
    """A key of a name: published, and good for vectors alone."""
    return ec.derive_private_key(int.from_bytes(hashlib.sha256(name.encode()).digest(), "big") % signatures.ORDER, ec.SECP256R1())


ISSUER, NEXT, RETIRED, DEVICE, OTHER = (private(name) for name in ("issuer", "next issuer", "retired issuer", "device", "somebody"))


def key_id(key: ec.EllipticCurvePrivateKey) -> bytes:
    """A name for a key, for vectors: the platform's own ids are thumbprints."""
    return hashlib.sha256(point(key)).digest()[: layout.KID_BYTES]


def point(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def sign(key: ec.EllipticCurvePrivateKey, message: bytes) -> bytes:
    return signatures.lower(key.sign(message, ec.ECDSA(hashes.SHA256(), deterministic_signing=True)))


def upper(signature: bytes) -> bytes:
    """The other valid form of a signature, which is not taken."""
    s = int.from_bytes(signature[32:], "big")
    return signature[:32] + (signatures.ORDER - s).to_bytes(32, "big")


def heading() -> dict[str, Any]:
    """The trust list under which the vectors hold, with what is public of its keys."""
    trusted = ((ISSUER, 0, None), (NEXT, START + 7200, None), (RETIRED, 0, START))
    return {
        "about": "Vectors of the city code, docs/city-code.md. Keys in here are published: trust none of them.",
        "trust": [
            {"id": key_id(key).hex(), "point": point(key).hex(), "starts_at": starts, "ends_at": ends} for key, starts, ends in trusted
        ],
    }


@dataclass(frozen=True)
class Parts:
    """Everything a code is made of; ``made`` puts it together as it is, right or wrong."""

    issuer: ec.EllipticCurvePrivateKey = ISSUER
    device: ec.EllipticCurvePrivateKey = DEVICE
    key_id: bytes | None = None
    x: bytes | None = None
    odd: bool | None = None
    terms: tuple[int, int] = (0, 2000)
    starts_at: int = START
    expires_at: int = END
    identity: bytes = hashlib.sha256(b"authorisation").digest()[:16]
    generated_at: int = NOW
    nonce: bytes = b"\x01\x02\x03\x04"
    issuer_header: bytes | None = None
    device_header: bytes = layout.DEVICE_HEADER
    claims: bytes | None = None
    authorisation: bytes | None = None
    payload: bytes | None = None
    signature: bytes | None = None
    prefix: str = layout.PREFIX

    def but(self, **changed: Any) -> Parts:
        return replace(self, **changed)

    def claim_members(self, **_: Any) -> dict[Any, Any]:
        """The claims as a map, to be changed."""
        x, odd = signatures.x_and_parity(self.device.public_key())
        key = {1: 2, -1: 1, -2: self.x or x, -3: odd if self.odd is None else self.odd}
        return {4: self.expires_at, 5: self.starts_at, 7: self.identity, 8: {1: key}, layout.TERMS: list(self.terms)}

    def made_authorisation(self) -> bytes:
        if self.authorisation is not None:
            return self.authorisation
        header = self.issuer_header
        if header is None:
            header = layout.issuer_header(self.key_id or key_id(self.issuer))
        payload = self.claims if self.claims is not None else cbor.encode(self.claim_members())
        signature = sign(self.issuer, layout.to_sign(header, payload))
        return cbor.encode(Tagged(18, [header, {}, payload, signature]))

    def made_payload(self) -> bytes:
        if self.payload is not None:
            return self.payload
        return b"\x83" + self.made_authorisation() + cbor.encode(self.generated_at) + cbor.encode(self.nonce)

    def made_signature(self) -> bytes:
        return self.signature or sign(self.device, layout.to_sign(self.device_header, self.made_payload()))

    def data(self) -> bytes:
        """The bytes of the code."""
        return cbor.encode(Tagged(18, [self.device_header, {}, self.made_payload(), self.made_signature()]))

    def made(self) -> str:
        """The text of the code."""
        return show(self.data(), self.prefix)


def show(data: bytes, prefix: str = layout.PREFIX) -> str:
    return prefix + base45.encode(data)


def refused(name: str, code: str, reason: str, *, now: int = NOW) -> dict[str, Any]:
    """A hostile vector."""
    return {"name": name, "code": code, "now": now, "refused": reason}
