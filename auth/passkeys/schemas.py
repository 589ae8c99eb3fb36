"""The shape of passkeys on the wire: the standard's own JSON (WebAuthn level 3, sections 5.1.8 to 5.1.10), our words around it."""

from __future__ import annotations

import base64
import re
from enum import Enum
from typing import Any

import marshmallow as ma
from marshmallow import validate

from auth.schemas import DeviceKeyIn
from core.fields import Count, Id, Moment, OneOf, Schema, Text

_ALPHABET = re.compile(r"[A-Za-z0-9_-]*")


class Bytes(ma.fields.String):
    """Bytes as base64url without padding, in their one canonical spelling."""

    def __init__(self, *, most: int = 4096, **options: Any) -> None:
        self.most = most
        described = {"pattern": "^[A-Za-z0-9_-]+$", "minLength": 2, "maxLength": (most * 4 + 2) // 3}
        super().__init__(metadata=described, **options)

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return None if value is None else base64.urlsafe_b64encode(value).decode().rstrip("=")

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if not isinstance(value, str) or not _ALPHABET.fullmatch(value) or len(value) % 4 == 1:
            raise self.make_error("invalid")
        raw = base64.urlsafe_b64decode(value + "=" * (-len(value) % 4))
        if not 1 <= len(raw) <= self.most or base64.urlsafe_b64encode(raw).decode().rstrip("=") != value:
            raise self.make_error("invalid")
        return raw


class Word(ma.fields.String):
    """A word of the standard, which the package holds as a member of an enum."""

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return str(value.value) if isinstance(value, Enum) else super()._serialize(value, attr, obj, **kwargs)


class FromBrowser(Schema):
    """What a browser makes; the standard lets it add members, so that others than ours are passed over instead of refused."""

    class Meta:
        unknown = ma.EXCLUDE


class AttestationIn(FromBrowser):
    """An authenticator's answer with a new key."""

    client_data = Bytes(data_key="clientDataJSON", required=True)
    attestation_object = Bytes(data_key="attestationObject", required=True)
    transports = ma.fields.List(Text(most=40), validate=validate.Length(0, 10), load_default=list)


class AssertionIn(FromBrowser):
    """An authenticator's answer with a use of its key."""

    client_data = Bytes(data_key="clientDataJSON", required=True)
    authenticator_data = Bytes(data_key="authenticatorData", required=True)
    signature = Bytes(most=1024, required=True)
    user_handle = Bytes(most=64, data_key="userHandle", allow_none=True, load_default=None)


class CreatedCredentialIn(FromBrowser):
    """``RegistrationResponseJSON``: what ``toJSON()`` gives after ``navigator.credentials.create``."""

    id = Bytes(most=1023, required=True)
    raw_id = Bytes(most=1023, data_key="rawId", required=True)
    type = OneOf("public-key", required=True)
    response = ma.fields.Nested(AttestationIn, required=True)


class UsedCredentialIn(FromBrowser):
    """``AuthenticationResponseJSON``: what ``toJSON()`` gives after ``navigator.credentials.get``."""

    id = Bytes(most=1023, required=True)
    raw_id = Bytes(most=1023, data_key="rawId", required=True)
    type = OneOf("public-key", required=True)
    response = ma.fields.Nested(AssertionIn, required=True)


class PasskeyIn(Schema):
    """A new passkey, and what its holder calls it."""

    name = Text(most=60, required=True)
    credential = ma.fields.Nested(CreatedCredentialIn, required=True)


class PasskeySignInOptionsIn(Schema):
    """The key of the device that wants to sign in."""

    device_key = ma.fields.Nested(DeviceKeyIn, required=True)
    city = Count(least=1, most=999_999, load_default=None)


class PasskeySignInIn(Schema):
    """A use of a passkey; the DPoP header holds the proof of the device key that asked."""

    credential = ma.fields.Nested(UsedCredentialIn, required=True)
    device_name = Text(least=0, most=60, load_default="")


class PasskeyStepUpIn(Schema):
    """A use of a passkey within a session."""

    credential = ma.fields.Nested(UsedCredentialIn, required=True)


class RelyingPartyOut(Schema):
    """For whom the key is."""

    id = ma.fields.String(required=True)
    name = ma.fields.String(required=True)


class HolderOut(Schema):
    """Whose key it is, as the authenticator keeps and shows it: masked."""

    id = Bytes(required=True)
    name = ma.fields.String(required=True)
    display_name = ma.fields.String(data_key="displayName", required=True)


class AlgorithmOut(Schema):
    """A kind of key that is taken (COSE numbers; -7 is ES256)."""

    type = Word(required=True)
    alg = ma.fields.Integer(required=True)


class KnownKeyOut(Schema):
    """A key that is registered already."""

    type = Word(required=True)
    id = Bytes(required=True)
    transports = ma.fields.List(Word(), required=True)


class SelectionOut(Schema):
    """What the authenticator must be able to do."""

    resident_key = Word(data_key="residentKey", required=True)
    require_resident_key = ma.fields.Boolean(data_key="requireResidentKey", required=True)
    user_verification = Word(data_key="userVerification", required=True)


class CreationOut(Schema):
    """``PublicKeyCredentialCreationOptionsJSON``, for ``parseCreationOptionsFromJSON``."""

    rp = ma.fields.Nested(RelyingPartyOut, required=True)
    user = ma.fields.Nested(HolderOut, required=True)
    challenge = Bytes(required=True)
    pub_key_cred_params = ma.fields.List(ma.fields.Nested(AlgorithmOut), data_key="pubKeyCredParams", required=True)
    timeout = Count(required=True)
    exclude_credentials = ma.fields.List(ma.fields.Nested(KnownKeyOut), data_key="excludeCredentials", required=True)
    authenticator_selection = ma.fields.Nested(SelectionOut, data_key="authenticatorSelection", required=True)
    attestation = Word(required=True)


class RequestOut(Schema):
    """``PublicKeyCredentialRequestOptionsJSON``, for ``parseRequestOptionsFromJSON``."""

    challenge = Bytes(required=True)
    timeout = Count(required=True)
    rp_id = ma.fields.String(data_key="rpId", required=True)
    allow_credentials = ma.fields.List(ma.fields.Nested(KnownKeyOut), data_key="allowCredentials", required=True)
    user_verification = Word(data_key="userVerification", required=True)


class CreationOptionsOut(Schema):
    """What to hand to ``navigator.credentials.create``."""

    public_key = ma.fields.Nested(CreationOut, required=True)


class RequestOptionsOut(Schema):
    """What to hand to ``navigator.credentials.get``."""

    public_key = ma.fields.Nested(RequestOut, required=True)


class PasskeyOut(Schema):
    """One passkey of the caller; ``synced`` ones live on several of their devices."""

    id = Id("passkey", required=True)
    name = ma.fields.String(required=True)
    synced = ma.fields.Boolean(attribute="backed_up", required=True)
    created_at = Moment(required=True)
    used_at = Moment(required=True, allow_none=True)


class PasskeysOut(Schema):
    """The caller's passkeys, newest first."""

    items = ma.fields.List(ma.fields.Nested(PasskeyOut), required=True)
