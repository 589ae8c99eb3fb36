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
        """The signer is the private scalar followed by its public point, which SM2 hashes into each signature."""
        public, private = require_sm2().sm2_key_generate()
        return bytes(private) + bytes(public), bytes(public)

    def sign(self, private: bytes, message: bytes) -> bytes:
        der = require_sm2().sm2_sign(private[:32], private[32:], message)
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


NATIONAL: Final = National()
