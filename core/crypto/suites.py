"""The two families of algorithms that the city may run on, behind one small interface."""

from __future__ import annotations

import hashlib
from typing import Final, Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from core.macs import Mac

NONCE_BYTES: Final = 12
KEY_BYTES: Final = 32
_SALT: Final = b"citycard"


class Cipher(Protocol):
    """Authenticated encryption under one key; the nonce is 12 bytes and the tag stands at the end."""

    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes: ...

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes: ...


class Suite(Protocol):
    """One family of algorithms: cipher, hash and signature; its number stands in each ciphertext."""

    number: int
    name: str
    algorithm: str
    curve: str

    def cipher(self, key: bytes) -> Cipher: ...

    def digest(self, message: bytes) -> bytes: ...

    def mac(self, key: bytes, message: bytes) -> bytes: ...

    def expand(self, key: bytes, purpose: bytes) -> bytes: ...

    def make_signer(self) -> tuple[bytes, bytes]: ...

    def sign(self, private: bytes, message: bytes) -> bytes: ...

    def verify(self, public: bytes, message: bytes, signature: bytes) -> bool: ...


class International:
    """AES-256-GCM (SP 800-38D), SHA-256 (FIPS 180-4), HKDF (RFC 5869) and ECDSA on P-256 (FIPS 186-5)."""

    number: int = 1
    name: str = "international"
    algorithm: str = "ES256"
    curve: str = "P-256"

    def cipher(self, key: bytes) -> Cipher:
        return AESGCM(key)

    def digest(self, message: bytes) -> bytes:
        return hashlib.sha256(message).digest()

    def mac(self, key: bytes, message: bytes) -> bytes:
        return Mac(key).digest(message)

    def expand(self, key: bytes, purpose: bytes) -> bytes:
        return HKDF(hashes.SHA256(), KEY_BYTES, _SALT, purpose).derive(key)

    def make_signer(self) -> tuple[bytes, bytes]:
        """A new private scalar (32 bytes) and its public point (64 bytes, x then y)."""
        key = ec.generate_private_key(ec.SECP256R1())
        numbers = key.private_numbers()
        return numbers.private_value.to_bytes(32, "big"), point(key.public_key())

    def sign(self, private: bytes, message: bytes) -> bytes:
        der = p256_private(private).sign(message, ec.ECDSA(hashes.SHA256()))
        return raw_signature(der)

    def verify(self, public: bytes, message: bytes, signature: bytes) -> bool:
        if len(signature) != 64:
            return False
        try:
            p256_public(public).verify(der_signature(signature), message, ec.ECDSA(hashes.SHA256()))
        except (InvalidSignature, ValueError):
            return False
        return True


def p256_private(scalar: bytes) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(int.from_bytes(scalar, "big"), ec.SECP256R1())


def p256_public(public: bytes) -> ec.EllipticCurvePublicKey:
    return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), b"\x04" + public)


def point(key: ec.EllipticCurvePublicKey) -> bytes:
    numbers = key.public_numbers()
    return numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big")


def raw_signature(der: bytes) -> bytes:
    """r and s as 32 bytes each, the form of RFC 7518 section 3.4."""
    r, s = decode_dss_signature(der)
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def der_signature(raw: bytes) -> bytes:
    return encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))


INTERNATIONAL: Final = International()
