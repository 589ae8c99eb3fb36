"""The shape of what comes in and goes out of the auth floor."""

from __future__ import annotations

import marshmallow as ma
from marshmallow import validate

from core.fields import Count, Day, Id, Moment, OneOf, Schema, Text


class DeviceKeyIn(Schema):
    """A public P-256 key as WebCrypto exports it (RFC 7517)."""

    kty = OneOf("EC", required=True)
    crv = OneOf("P-256", required=True)
    x = Text(least=43, most=43, required=True)
    y = Text(least=43, most=43, required=True)
    use = OneOf("sig")
    alg = OneOf("ES256")
    kid = Text(most=200)
    key_ops = ma.fields.List(OneOf("verify"), validate=validate.Length(equal=1))
    ext = ma.fields.Boolean()


class ChipIn(Schema):
    """What the reader took from the chip of an identity card."""

    name = Text(most=40, required=True)
    citizen_number = Text(least=18, most=18, required=True)
    valid_until = Day(load_default=None, allow_none=True)
    reader = Text(most=60, required=True)


class SignInCodeIn(Schema):
    """A number that wants a code, and the key of the device that asks."""

    phone = Text(most=20, required=True)
    city = Count(least=1, most=999_999, load_default=None)
    device_key = ma.fields.Nested(DeviceKeyIn, required=True)


class SignInCodeOut(Schema):
    """The same for every number."""

    digits = Count(required=True)
    expires_in = Count(required=True)
    resend_after = Count(required=True)


class SignInIn(Schema):
    """A number with its code; the DPoP header holds the proof of the device key."""

    phone = Text(most=20, required=True)
    code = Text(least=6, most=6, pattern=r"^[0-9]{6}$", required=True)
    city = Count(least=1, most=999_999, load_default=None)
    device_name = Text(least=0, most=60, load_default="")


class TokensOut(Schema):
    """An access token, and a refresh token where there is a key to bind it to."""

    access_token = ma.fields.String(required=True)
    token_type = OneOf("Bearer", required=True)
    expires_in = Count(required=True)
    refresh_token = ma.fields.String(required=True, allow_none=True)
    session = Id("session", required=True)
    device = Id("device", required=True, allow_none=True)
    identity_level = Count(least=0, most=4, required=True)
    strength = Count(least=0, most=3, required=True)


class RefreshIn(Schema):
    """The last refresh token; the DPoP header holds the proof of the key it is bound to."""

    refresh_token = Text(most=200, required=True)


class SessionOut(Schema):
    """One living session of the caller."""

    id = Id("session", required=True)
    device = Id("device", attribute="device_id", required=True, allow_none=True)
    strength = Count(least=1, most=3, required=True)
    started_at = Moment(required=True)
    used_at = Moment(required=True)
    expires_at = Moment(required=True)


class SessionsOut(Schema):
    """Every living session of the caller, newest first."""

    current = Id("session", required=True, allow_none=True)
    items = ma.fields.List(ma.fields.Nested(SessionOut), required=True)


class EndedOut(Schema):
    """How many sessions ended."""

    ended = Count(required=True)


class DeviceOut(Schema):
    """A device of the caller."""

    id = Id("device", required=True)
    name = ma.fields.String(required=True)
    created_at = Moment(required=True)
    used_at = Moment(required=True)
    proved_at = Moment(required=True, allow_none=True)


class DevicesOut(Schema):
    """Every living device of the caller, newest first."""

    current = Id("device", required=True, allow_none=True)
    items = ma.fields.List(ma.fields.Nested(DeviceOut), required=True)


class SignInRequestOut(Schema):
    """A new device that waits for the caller's word."""

    id = Id("signin", required=True)
    device_name = ma.fields.String(required=True)
    created_at = Moment(required=True)
    expires_at = Moment(required=True)


class SignInRequestsOut(Schema):
    """New devices that wait for the caller's word, newest first."""

    items = ma.fields.List(ma.fields.Nested(SignInRequestOut), required=True)


class DecisionIn(Schema):
    """Whether the new device is let in."""

    approve = ma.fields.Boolean(required=True, truthy={True}, falsy={False})


class EvidenceOut(Schema):
    """One proof of who the resident is."""

    method = ma.fields.String(required=True)
    level = Count(least=1, most=4, required=True)
    proved_at = Moment(required=True)


class MeOut(Schema):
    """The caller as the city knows them; names and numbers masked."""

    id = Id("resident", required=True)
    city = Count(required=True)
    masked_name = ma.fields.String(required=True)
    masked_phone = ma.fields.String(required=True)
    identity_level = Count(least=1, most=4, required=True)
    strength = Count(least=1, most=3, required=True)
    age_band = ma.fields.String(required=True, allow_none=True)
    evidence = ma.fields.List(ma.fields.Nested(EvidenceOut), required=True)
    agreements_due = ma.fields.List(ma.fields.String(), required=True)


class IdentityIn(Schema):
    """Name and citizen number as they stand on the identity card."""

    name = Text(most=40, required=True)
    citizen_number = Text(least=18, most=18, required=True)


class StepUpOut(Schema):
    """The levels after a proof, and the token that says so (null when the session ended meanwhile)."""

    identity_level = Count(least=1, most=4, required=True)
    strength = Count(least=1, most=3, required=True)
    access_token = ma.fields.String(required=True, allow_none=True)
    expires_in = Count(required=True)


class FaceAgreedIn(Schema):
    """The version of the text on face data that was agreed to on this device, before anybody is signed in."""

    agreed = Text(most=40, required=True)


class FaceCheckOut(Schema):
    """Where to hold the phone before the face."""

    id = Id("face", required=True)
    capture_url = ma.fields.String(required=True)
    expires_at = Moment(required=True)


class FaceResultIn(Schema):
    """What the capture gave the phone."""

    face_token = Text(most=500, required=True)


class ApprovalOut(Schema):
    """A sign-in request after its decision."""

    state = OneOf("approved", "refused", required=True)


class JwkOut(Schema):
    """A public signing key."""

    kty = ma.fields.String(required=True)
    crv = ma.fields.String(required=True)
    x = ma.fields.String(required=True)
    y = ma.fields.String(required=True)
    kid = ma.fields.String(required=True)
    use = ma.fields.String(required=True)
    alg = ma.fields.String(required=True)


class JwksOut(Schema):
    """The keys under which this platform's tokens are signed (RFC 7517)."""

    keys = ma.fields.List(ma.fields.Nested(JwkOut), required=True)
