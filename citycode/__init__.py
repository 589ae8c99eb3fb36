"""The city code: a QR code that a gate proves without network, with its maker and its verifier (docs/city-code.md).

A package of its own for makers of gates: it needs `cryptography` and nothing of the platform.
"""

from citycode.layout import Authorisation, SignedAuthorisation, read_authorisation
from citycode.making import authorise, make, make_signed
from citycode.refusals import Reason, Refused
from citycode.signatures import key_from, x_and_parity
from citycode.verifying import IssuerKey, TrustList, Verified, read, verify

__all__ = [
    "Authorisation",
    "IssuerKey",
    "Reason",
    "Refused",
    "SignedAuthorisation",
    "TrustList",
    "Verified",
    "authorise",
    "key_from",
    "make",
    "make_signed",
    "read",
    "read_authorisation",
    "verify",
    "x_and_parity",
]
