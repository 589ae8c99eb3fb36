"""The two ceremonies of WebAuthn level 3 (W3C, sections 7.1 and 7.2): what is asked of an authenticator, and whether its answer is right.

No database here. Only ES256 is taken, the user is always verified, and nobody is asked to attest which authenticator it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import msgspec
import webauthn
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicNumbers
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url, decode_credential_public_key, parse_attestation_object
from webauthn.helpers.cose import COSECRV, COSEAlgorithmIdentifier
from webauthn.helpers.decode_credential_public_key import DecodedEC2PublicKey
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AttestationFormat,
    AuthenticationCredential,
    AuthenticatorAssertionResponse,
    AuthenticatorAttestationResponse,
    AuthenticatorSelectionCriteria,
    CredentialDeviceType,
    PublicKeyCredentialCreationOptions,
    PublicKeyCredentialDescriptor,
    PublicKeyCredentialRequestOptions,
    RegistrationCredential,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from auth.installing import parts
from auth.passkeys.errors import PasskeysNeedName

_ALGORITHMS = [COSEAlgorithmIdentifier.ECDSA_SHA_256]
_SHORTEST_ID, _LONGEST_ID = 16, 1023
"""Bytes of a credential id; the standard's own bounds."""
# What the package lets through of its own when an answer is not made as it should be.
_FAULTS = (WebAuthnException, ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError)


class Unproven(Exception):
    """An answer that proves nothing, with the reason for the audit log."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class ClientData(msgspec.Struct, frozen=True, rename="camel"):
    """What the browser says of the ceremony (section 5.8.1), as far as it is read here."""

    challenge: str
    cross_origin: bool = False
    top_origin: str | None = None


@dataclass(frozen=True, slots=True)
class Registered:
    """A new key that its authenticator has shown to hold."""

    credential_id: bytes
    public_key: bytes
    sign_count: int
    backup_eligible: bool
    backed_up: bool


@dataclass(frozen=True, slots=True)
class Asserted:
    """A use of a key that was shown to be genuine; the counter is the caller's to judge."""

    sign_count: int
    backed_up: bool


def party() -> str:
    """The relying party's id: the host of the issuer. PasskeysNeedName where that is a bare address."""
    host = urlsplit(parts().issuer).hostname or ""
    try:
        ip_address(host)
    except ValueError:
        return host
    raise PasskeysNeedName()


def origins() -> list[str]:
    """The addresses from which an answer may come: those of this program that lie under the relying party's id."""
    name = party()
    hosts = {origin: urlsplit(origin).hostname or "" for origin in parts().origins}
    return [origin for origin, host in hosts.items() if host == name or host.endswith(f".{name}")]


def creation(
    challenge: bytes, *, city_id: int, handle: bytes, name: str, display_name: str, known: Sequence[PublicKeyCredentialDescriptor]
) -> PublicKeyCredentialCreationOptions:
    """What a browser is asked to make: a key that is found without a name and that knows its holder."""
    return webauthn.generate_registration_options(
        rp_id=party(),
        rp_name=f"{parts().cities[city_id]}市民卡",
        user_id=handle,
        user_name=name,
        user_display_name=display_name,
        challenge=challenge,
        timeout=_milliseconds(),
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
        exclude_credentials=list(known),
        supported_pub_key_algs=_ALGORITHMS,
    )


def request(challenge: bytes, known: Sequence[PublicKeyCredentialDescriptor] = ()) -> PublicKeyCredentialRequestOptions:
    """What a browser is asked to prove; with no key named, whoever is there chooses their own."""
    return webauthn.generate_authentication_options(
        rp_id=party(),
        challenge=challenge,
        timeout=_milliseconds(),
        allow_credentials=list(known),
        user_verification=UserVerificationRequirement.REQUIRED,
    )


def challenge_of(credential: dict[str, Any]) -> bytes:
    """The challenge that an answer answers; Unproven where it was spoken inside another site's page, or is not a browser's text at all."""
    try:
        said = msgspec.json.decode(credential["response"]["client_data"], type=ClientData)
        if said.cross_origin or said.top_origin is not None:
            raise Unproven("foreign page")
        return base64url_to_bytes(said.challenge)
    except (ValueError, RecursionError) as fault:
        raise Unproven("client data") from fault


def check_registration(credential: dict[str, Any], challenge: bytes) -> Registered:
    """The key of an answer to ``creation``; Unproven with the reason otherwise."""
    answer, raw_id = credential["response"], credential["raw_id"]
    with _judged("registration"):
        attested = parse_attestation_object(answer["attestation_object"])
        # Nobody was asked for an attestation; the browser may leave one that the key makes of itself, and no other.
        if attested.fmt not in (AttestationFormat.NONE, AttestationFormat.PACKED) or attested.att_stmt.x5c is not None:
            raise Unproven("attestation")
        made = webauthn.verify_registration_response(
            credential=RegistrationCredential(
                id=bytes_to_base64url(credential["id"]),
                raw_id=raw_id,
                response=AuthenticatorAttestationResponse(answer["client_data"], answer["attestation_object"]),
            ),
            expected_challenge=challenge,
            expected_rp_id=party(),
            expected_origin=origins(),
            require_user_verification=True,
            supported_pub_key_algs=_ALGORITHMS,
        )
        _check_key(made.credential_public_key)
        if made.credential_id != raw_id or not _SHORTEST_ID <= len(raw_id) <= _LONGEST_ID:
            raise Unproven("credential id")
        eligible = made.credential_device_type is CredentialDeviceType.MULTI_DEVICE
        return Registered(made.credential_id, made.credential_public_key, made.sign_count, eligible, made.credential_backed_up)


def check_assertion(credential: dict[str, Any], challenge: bytes, *, public_key: bytes, backup_eligible: bool) -> Asserted:
    """The use of a known key in an answer to ``request``; Unproven with the reason otherwise."""
    answer = credential["response"]
    with _judged("assertion"):
        made = webauthn.verify_authentication_response(
            credential=AuthenticationCredential(
                id=bytes_to_base64url(credential["id"]),
                raw_id=credential["raw_id"],
                response=AuthenticatorAssertionResponse(answer["client_data"], answer["authenticator_data"], answer["signature"]),
            ),
            expected_challenge=challenge,
            expected_rp_id=party(),
            expected_origin=origins(),
            credential_public_key=public_key,
            # Not judged there: that comes before the signature is looked at, and a counter means something only after it.
            credential_current_sign_count=0,
            require_user_verification=True,
        )
        if (made.credential_device_type is CredentialDeviceType.MULTI_DEVICE) is not backup_eligible:
            raise Unproven("backup")
        return Asserted(made.new_sign_count, made.credential_backed_up)


def counts_on(before: int, now: int) -> bool:
    """Whether a counter goes on as one authenticator's would (section 6.1.1); both zero means that it does not count."""
    return now > before or (now == 0 and before == 0)


def _check_key(public_key: bytes) -> None:
    """Only a point of P-256, so that what lies in the table can always be verified with."""
    key = decode_credential_public_key(public_key)
    if not isinstance(key, DecodedEC2PublicKey) or key.crv != COSECRV.P256 or len(key.x) != 32 or len(key.y) != 32:
        raise Unproven("public key")
    EllipticCurvePublicNumbers(int.from_bytes(key.x, "big"), int.from_bytes(key.y, "big"), SECP256R1()).public_key()


@contextmanager
def _judged(part: str) -> Iterator[None]:
    try:
        yield
    except Unproven:
        raise
    except _FAULTS as fault:
        raise Unproven(part) from fault


def _milliseconds() -> int:
    return int(parts().policy.passkey_challenge_lifetime.total_seconds() * 1000)
