"""The shape of what comes in and goes out at counters, from staff and from terminals."""

from __future__ import annotations

import marshmallow as ma
from marshmallow import validate

from auth.agreements.schemas import GuardianAgreementsIn
from auth.schemas import ChipIn, DeviceKeyIn
from core.fields import Count, Id, Moment, OneOf, Schema, Text


class CounterCodeIn(Schema):
    """The number of the person at the counter."""

    phone = Text(most=20, required=True)


class CounterIdentityIn(Schema):
    """The person at the counter: their number, the code they read out, their chip; for a child, what a guardian agrees to."""

    phone = Text(most=20, required=True)
    code = Text(least=6, most=6, pattern=r"^[0-9]{6}$", required=True)
    chip = ma.fields.Nested(ChipIn, required=True)
    agreed = ma.fields.Nested(GuardianAgreementsIn, load_default=None, allow_none=True)


class CounterChipIn(Schema):
    """The chip of the person at the counter."""

    chip = ma.fields.Nested(ChipIn, required=True)


class CounterResidentOut(Schema):
    """A resident as a clerk sees them."""

    resident = Id("resident", required=True)
    identity_level = Count(least=1, most=4, required=True)
    masked_name = ma.fields.String(required=True)


class ResidentSearchIn(Schema):
    """A phone or a citizen number, one of them; in the body, so that no log of addresses holds it."""

    phone = Text(most=20)
    citizen_number = Text(least=18, most=18)

    @ma.validates_schema
    def one_of_them(self, data: dict[str, object], **_: object) -> None:
        """Refuse none and both."""
        if len(data) != 1:
            raise ma.ValidationError("Give phone or citizen_number, one of them.")


class RevealIn(Schema):
    """What is to be opened, and why; the resident can read both."""

    purpose = Text(least=4, most=200, required=True)
    fields_ = ma.fields.List(
        OneOf("name", "phone", "citizen_number", "birth_date"), data_key="fields", required=True, validate=validate.Length(1, 4)
    )


class RevealedOut(Schema):
    """What was opened; null for what was not asked for or is not known."""

    name = ma.fields.String(required=True, allow_none=True)
    phone = ma.fields.String(required=True, allow_none=True)
    citizen_number = ma.fields.String(required=True, allow_none=True)
    birth_date = ma.fields.String(required=True, allow_none=True)


class StaffSignInIn(Schema):
    """A staff member's name, password and one-time code."""

    login = Text(most=60, required=True)
    password = Text(most=200, required=True)
    code = Text(least=6, most=6, pattern=r"^[0-9]{6}$", required=True)
    city = Count(least=1, most=999_999, load_default=None)


class StaffIn(Schema):
    """A staff member to be admitted."""

    login = Text(least=3, most=60, pattern=r"^[a-z][a-z0-9._-]+$", required=True)
    display_name = Text(most=60, required=True)
    roles = ma.fields.List(Text(most=40), required=True, validate=validate.Length(1, 5))


class StaffConfirmedOut(Schema):
    """A newcomer who was confirmed, and the code by which they enrol, shown once."""

    id = Id("staff", required=True)
    login = ma.fields.String(required=True)
    enrolment_code = ma.fields.String(required=True)
    expires_at = Moment(required=True)


class StaffEnrolmentIn(Schema):
    """The newcomer's one-time enrolment code."""

    code = Text(least=16, most=30, required=True)


class StaffEnrolmentOut(Schema):
    """Who enrols, and the address for their authenticator app."""

    login = ma.fields.String(required=True)
    display_name = ma.fields.String(required=True)
    totp_address = ma.fields.String(required=True)
    expires_at = Moment(required=True)


class StaffEnrolledIn(StaffEnrolmentIn):
    """The password that the newcomer chose, and a code of their authenticator app."""

    password = Text(least=12, most=200, required=True)
    one_time_code = Text(least=6, most=6, pattern=r"^[0-9]{6}$", required=True)


class StaffOut(Schema):
    """A staff member; null in `enrolled_at` is one who cannot sign in yet, and `from_console` names who was admitted at the machine."""

    id = Id("staff", required=True)
    login = ma.fields.String(required=True)
    display_name = ma.fields.String(required=True)
    roles = ma.fields.List(ma.fields.String(), required=True)
    admitted_by = Id("staff", required=True, allow_none=True)
    confirmed_by = Id("staff", required=True, allow_none=True)
    from_console = OneOf("first", "replacement", required=True, allow_none=True)
    enrolled_at = Moment(required=True, allow_none=True)
    disabled_at = Moment(required=True, allow_none=True)


class PasswordChangeIn(Schema):
    """The present password and a fresh one-time code, and the password that is to be."""

    present_password = Text(most=200, required=True)
    one_time_code = Text(least=6, most=6, pattern=r"^[0-9]{6}$", required=True)
    new_password = Text(least=12, most=200, required=True)


class TerminalIn(Schema):
    """A terminal to be registered."""

    name = Text(most=60, required=True)
    functions = ma.fields.List(Text(most=60), required=True, validate=validate.Length(1, 10))
    merchant = Id("merchant", load_default=None)
    agency = Id("agency", load_default=None)


class TerminalRegisteredOut(Schema):
    """A new terminal and the code by which it enrols its key, shown once."""

    id = Id("terminal", required=True)
    name = ma.fields.String(required=True)
    enrolment_code = ma.fields.String(required=True)
    expires_at = Moment(required=True)


class TerminalOut(Schema):
    """A terminal."""

    id = Id("terminal", required=True)
    name = ma.fields.String(required=True)
    functions = ma.fields.List(ma.fields.String(), required=True)
    state = OneOf("registered", "active", "disabled", required=True)
    merchant = Id("merchant", attribute="merchant_id", required=True, allow_none=True)
    agency = Id("agency", attribute="agency_id", required=True, allow_none=True)
    enrolled_at = Moment(required=True, allow_none=True)


class TerminalListOut(Schema):
    """The terminals of the caller's city, newest first."""

    items = ma.fields.List(ma.fields.Nested(TerminalOut), required=True)


class EnrolmentIn(Schema):
    """The one-time code and the terminal's public key; the DPoP header holds the proof of that key."""

    code = Text(least=16, most=30, required=True)
    public_key = ma.fields.Nested(DeviceKeyIn, required=True)


class AssertionIn(Schema):
    """A terminal's signed assertion (compact JWS, type `terminal+jwt`)."""

    assertion = Text(most=4096, required=True)


class TerminalSessionOut(Schema):
    """A ten-minute token and the key that signs each request under it."""

    access_token = ma.fields.String(required=True)
    token_type = OneOf("Bearer", required=True)
    expires_in = Count(required=True)
    session_key = ma.fields.String(required=True)
