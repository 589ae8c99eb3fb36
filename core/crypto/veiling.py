"""Veiled ids: sixteen bytes that look random, are never the same twice, and that only the holder of the key can read back.

One block of AES-256 (FIPS 197) under a key of the purpose is a permutation of all 128-bit numbers: two numbers never meet in one id,
and two ids of neighbouring numbers are as unlike as any. Nothing has to be stored to find the way back.
"""

from __future__ import annotations

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from core.crypto.root_keys import keyring


def veil(purpose: str, number: int) -> bytes:
    """The id of a number below 2^128."""
    encryptor = _cipher(purpose).encryptor()
    return encryptor.update(number.to_bytes(16, "big")) + encryptor.finalize()


def unveil(purpose: str, identity: bytes) -> int:
    """The number behind an id of sixteen bytes; whatever was no id of ours gives a number of no meaning."""
    decryptor = _cipher(purpose).decryptor()
    return int.from_bytes(decryptor.update(identity) + decryptor.finalize(), "big")


def _cipher(purpose: str) -> Cipher[modes.ECB]:
    # Single blocks of different numbers: the mode that repeats itself over a message has no message here to repeat.
    return Cipher(algorithms.AES(keyring().derive(purpose)), modes.ECB())  # noqa: S305 -- one block is all there is
