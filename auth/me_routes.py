"""HTTP of the caller's own account: devices, requests of new devices, and proving who they are."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from auth import devices, residents, schemas, signing_in
from auth.agreements import keeping as agreements
from auth.agreements.errors import SeparateConsentNeeded
from auth.errors import (
    CitizenNumberInvalid,
    FaceCheckFailed,
    FaceCheckOver,
    IdentityAlreadyHeld,
    IdentityAlreadyProven,
    IdentityMismatch,
    IdentityNeeded,
    NameInvalid,
    NotForMinors,
    RegisterUnavailable,
    RequestOver,
)
from auth.installing import parts
from auth.rules import Strength
from auth.tokens import Issued
from auth.verification import live_face, two_elements
from core.actors import Actor
from core.errors import NotFound, StepUpNeeded, Throttled
from core.web import Routes, resident

routes = Routes("auth")


@routes.get("/api/me/sign-in-requests", operation="listSignInRequests", access=resident(strength=2), gives=schemas.SignInRequestsOut)
def list_sign_in_requests(actor: Actor) -> dict[str, Any]:
    """List new devices that wait for the caller's word."""
    return {"items": signing_in.waiting(actor)}


@routes.post(
    '/api/me/sign-in-requests/<id("signin"):request>/decision',
    operation="decideSignIn",
    access=resident(strength=2),
    takes=schemas.DecisionIn,
    gives=schemas.ApprovalOut,
    errors=(RequestOver, NotFound),
)
def decide_sign_in(actor: Actor, request: UUID, body: dict[str, Any]) -> dict[str, str]:
    """Let a new device in, or keep it out."""
    signing_in.decide_own(actor, request, approve=body["approve"])
    return {"state": "approved" if body["approve"] else "refused"}


@routes.get("/api/me", operation="getMe", access=resident(), gives=schemas.MeOut)
def get_me(actor: Actor) -> dict[str, Any]:
    """Show the caller's own account, masked, with the evidence list."""
    found = residents.get(actor.id)
    return {
        "id": found.id,
        "city": found.city_id,
        "masked_name": found.masked_name,
        "masked_phone": residents.own_phone(found),
        "identity_level": found.identity_level,
        "strength": actor.strength,
        "age_band": residents.age_band(found.id),
        "evidence": residents.evidence(found.id),
        "agreements_due": agreements.due(found.id),
    }


@routes.post(
    "/api/me/identity",
    operation="proveIdentity",
    access=resident(),
    takes=schemas.IdentityIn,
    gives=schemas.StepUpOut,
    mode="calls",
    errors=(
        NameInvalid,
        CitizenNumberInvalid,
        IdentityMismatch,
        IdentityAlreadyHeld,
        IdentityAlreadyProven,
        NotForMinors,
        SeparateConsentNeeded,
        RegisterUnavailable,
        Throttled,
    ),
)
def prove_identity(actor: Actor, body: dict[str, Any]) -> dict[str, Any]:
    """Prove name and citizen number against the police register: identity level L2."""
    return stepped_up(actor, two_elements.prove(actor, name=body["name"], citizen_number=body["citizen_number"]))


@routes.post(
    "/api/me/face-checks",
    operation="beginFaceCheck",
    access=resident(level=2, strength=1),
    gives=schemas.FaceCheckOut,
    mode="calls",
    status=201,
    errors=(IdentityNeeded, IdentityMismatch, SeparateConsentNeeded, RegisterUnavailable, Throttled),
)
def begin_face_check(actor: Actor) -> live_face.Begun:
    """Begin a live face check; a counter gives the same level without a face."""
    return live_face.begin(actor, actor.id)


@routes.post(
    '/api/me/face-checks/<id("face"):check>/result',
    operation="finishFaceCheck",
    access=resident(level=2, strength=1),
    takes=schemas.FaceResultIn,
    gives=schemas.StepUpOut,
    mode="calls",
    errors=(FaceCheckOver, FaceCheckFailed, RegisterUnavailable),
)
def finish_face_check(actor: Actor, check: UUID, body: dict[str, Any]) -> dict[str, Any]:
    """Take the verdict on the face: identity level L4."""
    return stepped_up(actor, live_face.finish(actor, check, body["face_token"]))


@routes.get("/api/me/devices", operation="listDevices", access=resident(), gives=schemas.DevicesOut)
def list_devices(actor: Actor) -> dict[str, Any]:
    """List the caller's devices."""
    return {"current": actor.device_id, "items": devices.living(actor)}


@routes.delete("/api/me/devices/<id:device>", operation="removeDevice", access=resident(), errors=(NotFound, StepUpNeeded))
def remove_device(actor: Actor, device: UUID) -> None:
    """Take the trust back from one of the caller's devices, with its sessions and pay keys."""
    devices.remove(actor, device)


def stepped_up(actor: Actor, issued: Issued | None) -> dict[str, Any]:
    """The levels after a step-up."""
    bearer = parts().tokens.verify(issued.access_token).actor if issued else actor
    return {
        "identity_level": bearer.identity_level,
        "strength": bearer.strength or int(Strength.SMS),
        "access_token": issued.access_token if issued else None,
        "expires_in": issued.expires_in if issued else 0,
    }
