"""The one place of the program that encrypts, signs and keeps keys.

`app.py` calls `install` once. Tokens take `signing_key("access-token").private` to PyJWT; every other room seals, opens
and signs through the names below and imports no primitive of its own.
"""

from core.crypto.residents import (
    blind,
    make_resident_key,
    make_resident_keys,
    open_bytes,
    open_sealed,
    rewrap,
    seal,
    seal_bytes,
    seal_many,
    shred,
    shredded_since,
)
from core.crypto.root_keys import Keyring, install, keyring, suite_named
from core.crypto.signing import SigningKey, every_key, jwks, rotate, signing_key, thumbprint, verification_keys, verify
from core.crypto.veiling import unveil, veil

__all__ = [
    "Keyring",
    "SigningKey",
    "blind",
    "every_key",
    "install",
    "jwks",
    "keyring",
    "make_resident_key",
    "make_resident_keys",
    "open_bytes",
    "open_sealed",
    "rewrap",
    "rotate",
    "seal",
    "seal_bytes",
    "seal_many",
    "shred",
    "shredded_since",
    "signing_key",
    "suite_named",
    "thumbprint",
    "unveil",
    "veil",
    "verification_keys",
    "verify",
]
