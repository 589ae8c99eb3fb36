"""SM4-GCM, SM3 and SM2 (GM/T 0002, 0004 and 0003); SM2 needs the extra `national-crypto`."""

from __future__ import annotations

import hashlib
import hmac
import importlib
from functools import cache
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher as BlockCipher
from cryptography.hazmat.primitives.ciphers import algorithms, modes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from core.crypto.errors import NationalCryptoMissing
from core.crypto.suites import KEY_BYTES, Cipher, der_signature, raw_signature

_SALT: Final = b"citycard"
_TAG_BYTES: Final = 16
_SM4_KEY_BYTES: Final = 16


class SM4GCM:
    """SM4 in Galois/Counter mode (GM/T 0002; RFC 8998 section 2), keyed by the first 16 bytes."""

    def __init__(self, key: bytes) -> None:
        self._algorithm = algorithms.SM4(key[:_SM4_KEY_BYTES])

    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes:
        encryptor = BlockCipher(self._algorithm, modes.GCM(nonce)).encryptor()
        encryptor.authenticate_additional_data(associated_data or b"")
        return encryptor.update(data) + encryptor.finalize() + encryptor.tag

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes:
        if len(data) < _TAG_BYTES:
            raise InvalidTag
        text, tag = data[:-_TAG_BYTES], data[-_TAG_BYTES:]
        decryptor = BlockCipher(self._algorithm, modes.GCM(nonce, tag)).decryptor()
        decryptor.authenticate_additional_data(associated_data or b"")
        return decryptor.update(text) + decryptor.finalize()


class National:
    """The national suite; only signing needs the extra, reading and writing columns do not."""

    number: int = 2
    name: str = "national"
    algorithm: str = "SM2"
    curve: str = "SM2"

    def cipher(self, key: bytes) -> Cipher:
        return SM4GCM(key)

    def digest(self, message: bytes) -> bytes:
        return hashlib.new("sm3", message).digest()

    def mac(self, key: bytes, message: bytes) -> bytes:
        return hmac.digest(key, message, "sm3")

    def expand(self, key: bytes, purpose: bytes) -> bytes:
        return HKDF(hashes.SM3(), KEY_BYTES, _SALT, purpose).derive(key)

    def make_signer(self) -> tuple[bytes, bytes]:
        public, private = require_sm2().sm2_key_generate()
        return bytes(private), bytes(public)

    def sign(self, private: bytes, message: bytes) -> bytes:
        sm2 = require_sm2()
        der = sm2.sm2_sign(private, sm2_public(private), message)
        return raw_signature(bytes(der))

    def verify(self, public: bytes, message: bytes, signature: bytes) -> bool:
        sm2 = require_sm2()
        if len(signature) != 64:
            return False
        try:
            point = sm2.normalize_sm2_public_key(public)
            return bool(sm2.sm2_verify(point, message, der_signature(signature)))
        except sm2.GmsslInnerError:
            return False


@cache
def require_sm2() -> Any:
    """The module that knows SM2, or a refusal that says what to install."""
    try:
        return importlib.import_module("gmssl_pyx")
    except ImportError:
        raise NationalCryptoMissing from None


_P: Final = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
_A: Final = _P - 3
_G: Final = (
    0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7,
    0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0,
)
_Point = tuple[int, int] | None


@cache
def sm2_public(private: bytes) -> bytes:
    """The public point of a private scalar on the curve of GB/T 32918.5; the extra offers no such call.

    Computed once for each key at its loading, never while a caller waits for a signature.
    """
    scalar, total, step = int.from_bytes(private, "big"), None, _G
    addend: _Point = step
    result: _Point = total
    while scalar:
        if scalar & 1:
            result = _add(result, addend)
        addend = _add(addend, addend)
        scalar >>= 1
    if result is None:
        raise ValueError("the private key is zero")
    return result[0].to_bytes(32, "big") + result[1].to_bytes(32, "big")


def _add(left: _Point, right: _Point) -> _Point:
    if left is None or right is None:
        return left or right
    (x1, y1), (x2, y2) = left, right
    if x1 == x2 and (y1 + y2) % _P == 0:
        return None
    if left == right:
        slope = (3 * x1 * x1 + _A) * pow(2 * y1, -1, _P)
    else:
        slope = (y2 - y1) * pow(x2 - x1, -1, _P)
    x3 = (slope * slope - x1 - x2) % _P
    return x3, (slope * (x1 - x3) - y1) % _P


NATIONAL: Final = National()
