"""HTTP of counters: who a person is, what was lost, and who may be found."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from auth import scopes, staff_schemas
from auth.agreements.errors import AgreementOutdated, GuardianMustAgree, GuardianUnfit, NotUnderFourteen
from auth.agreements.routes import word_of
from auth.errors import (
    AccountHoldsMoney,
    CitizenNumberInvalid,
    DocumentExpired,
    IdentityAlreadyHeld,
    IdentityAlreadyProven,
    IdentityMismatch,
    PhoneInvalid,
    RegisterUnavailable,
    RequestOver,
    WrongCode,
)
from auth.installing import parts
from auth.residents import Revealed
from auth.routes import language
from auth.schemas import EndedOut, SignInCodeOut
from auth.sign_in_codes import DIGITS
from auth.staff import finding
from auth.verification import counter
from auth.verification.chips import ChipRead
from core.actors import Actor
from core.errors import NotFound, Throttled
from core.ports import Call
from core.web import Routes, staff

routes = Routes("counter")
# What may be wrong with a chip on the reader, besides whose it is.
CHIP_REFUSALS = (DocumentExpired, IdentityMismatch, RegisterUnavailable)


@routes.post(
    "/api/counter/phone-codes",
    operation="sendCounterCode",
    access=staff(scopes.Permission.IDENTITY_CHECK),
    takes=staff_schemas.CounterCodeIn,
    gives=SignInCodeOut,
    mode="calls",
    status=202,
    errors=(PhoneInvalid, Throttled),
)
def send_counter_code(actor: Actor, body: dict[str, Any], call: Call) -> dict[str, int]:
    """Send a code to the phone of the person at the counter, who reads it out."""
    counter.send_code(actor, phone=body["phone"], address=call.address, language=language(call))
    policy = parts().policy
    return {
        "digits": DIGITS,
        "expires_in": int(policy.code_lifetime.total_seconds()),
        "resend_after": int(policy.resend_after.total_seconds()),
    }


@routes.post(
    "/api/counter/identity-checks",
    operation="proveIdentityAtCounter",
    access=staff(scopes.Permission.IDENTITY_CHECK),
    takes=staff_schemas.CounterIdentityIn,
    gives=staff_schemas.CounterResidentOut,
    mode="calls",
    idempotent=True,
    status=201,
    errors=(
        WrongCode,
        PhoneInvalid,
        DocumentExpired,
        IdentityMismatch,
        IdentityAlreadyHeld,
        AccountHoldsMoney,
        IdentityAlreadyProven,
        GuardianMustAgree,
        GuardianUnfit,
        NotUnderFourteen,
        AgreementOutdated,
        RegisterUnavailable,
    ),
)
def prove_identity_at_counter(actor: Actor, body: dict[str, Any], call: Call) -> counter.Proven:
    """Prove the person at the counter by the chip of their card, without a face: identity level L4.

    A child under fourteen is named with what a guardian agrees to in the same visit: the terms, the privacy policy and the consent
    to the citizen number.
    """
    word = word_of(body["agreed"]) if body["agreed"] else None
    chip = ChipRead(**body["chip"])
    return counter.prove(actor, phone=body["phone"], code=body["code"], chip=chip, address=call.address, word=word)


@routes.post(
    '/api/counter/sign-in-requests/<id("signin"):request>/approval',
    operation="approveSignInAtCounter",
    access=staff(scopes.Permission.SIGN_IN_APPROVE),
    takes=staff_schemas.CounterChipIn,
    gives=staff_schemas.CounterResidentOut,
    mode="calls",
    errors=(NotFound, RequestOver, *CHIP_REFUSALS),
)
def approve_sign_in_at_counter(actor: Actor, request: UUID, body: dict[str, Any]) -> counter.Proven:
    """Let a new device in for the person at the counter, by the chip of their card."""
    return counter.approve_sign_in(actor, request, ChipRead(**body["chip"]))


@routes.post(
    "/api/counter/sign-outs",
    operation="signOutAtCounter",
    access=staff(scopes.Permission.SIGN_IN_APPROVE),
    takes=staff_schemas.CounterChipIn,
    gives=EndedOut,
    mode="calls",
    errors=(NotFound, *CHIP_REFUSALS),
)
def sign_out_at_counter(actor: Actor, body: dict[str, Any]) -> dict[str, int]:
    """End every session of the person at the counter, who lost their phone, and the trust in every device."""
    return {"ended": counter.sign_out_everywhere(actor, ChipRead(**body["chip"]))}


@routes.post(
    "/api/counter/resident-searches",
    operation="findResident",
    access=staff(scopes.Permission.RESIDENT_FIND),
    takes=staff_schemas.ResidentSearchIn,
    gives=staff_schemas.CounterResidentOut,
    errors=(NotFound, PhoneInvalid, CitizenNumberInvalid, Throttled),
)
def find_resident(actor: Actor, body: dict[str, Any]) -> dict[str, Any]:
    """Find a resident of the clerk's city by phone or citizen number, masked."""
    found = finding.find(actor, phone=body.get("phone"), citizen_number=body.get("citizen_number"))
    return {"resident": found.id, "identity_level": found.identity_level, "masked_name": found.masked_name}


@routes.post(
    "/api/counter/residents/<id:resident>/reveals",
    operation="revealResident",
    access=staff(scopes.Permission.PERSON_REVEAL),
    takes=staff_schemas.RevealIn,
    gives=staff_schemas.RevealedOut,
    errors=(NotFound, Throttled),
)
def reveal_resident(actor: Actor, resident: UUID, body: dict[str, Any]) -> Revealed:
    """Open what names a resident, for a purpose that the resident can read."""
    return finding.reveal(actor, resident, purpose=body["purpose"], fields=body["fields_"])
