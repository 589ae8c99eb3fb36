"""One P-256 key per played agency, made at the first start and kept in the data folder; and one secret for hashes."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from core.http_signatures import EcdsaSigner
from outside.played import UTILITIES

AGENCIES = ("sms", "police", "yunpay", *UTILITIES)


@dataclass(frozen=True, slots=True)
class Keys:
    """The private halves by agency, and the secret under which this process hides numbers in URLs."""

    signers: dict[str, EcdsaSigner]
    secret: bytes

    def jwks(self) -> dict[str, list[dict[str, str]]]:
        """The public halves (RFC 7517); a key's id begins with its agency's name."""
        return {"keys": [_jwk(signer) for signer in self.signers.values()]}

    def hide(self, purpose: str, text: str) -> str:
        """A name for a text that tells nothing about it: 128 bits of HMAC-SHA256, in hex."""
        return hmac.digest(self.secret, f"{purpose}|{text}".encode(), "sha256")[:16].hex()


def load(data: Path) -> Keys:
    """Read the keys, or make those that are missing."""
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    signers = {}
    for agency in AGENCIES:
        pem = _kept(data / f"{agency}.pem", _new_pem)
        private = load_pem_private_key(pem, None)
        if not isinstance(private, ec.EllipticCurvePrivateKey):
            raise TypeError(f"{agency}.pem is not an EC key")
        x, y = _coordinates(private)
        thumb = json.dumps({"crv": "P-256", "kty": "EC", "x": x, "y": y}, separators=(",", ":"))
        signers[agency] = EcdsaSigner(f"{agency}-{_base64url(hashlib.sha256(thumb.encode()).digest())}", private)
    return Keys(signers, _kept(data / "hiding.key", lambda: secrets.token_bytes(32)))


def _jwk(signer: EcdsaSigner) -> dict[str, str]:
    x, y = _coordinates(signer.private)
    return {"kty": "EC", "crv": "P-256", "x": x, "y": y, "kid": signer.keyid, "use": "sig", "alg": "ES256"}


def _coordinates(private: ec.EllipticCurvePrivateKey) -> tuple[str, str]:
    numbers = private.public_key().public_numbers()
    return _base64url(numbers.x.to_bytes(32, "big")), _base64url(numbers.y.to_bytes(32, "big"))


def _base64url(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def _new_pem() -> bytes:
    return ec.generate_private_key(ec.SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _kept(path: Path, make: Callable[[], bytes]) -> bytes:
    """A file's bytes; made whole beside its place and linked, so that two starts at once agree on one."""
    if not path.exists():
        half = path.with_suffix(f".{os.getpid()}.{secrets.token_hex(4)}")
        half.touch(mode=0o600)
        half.write_bytes(make())
        try:
            os.link(half, path)
        except FileExistsError:
            pass
        finally:
            half.unlink()
    return path.read_bytes()
