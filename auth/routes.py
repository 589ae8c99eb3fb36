"""HTTP of signing in: codes, sessions, new devices that ask for approval, and the published keys."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from auth import jwk, proofs, schemas, sessions, sign_in_codes, signing_in, tokens
from auth.access import any_staff
from auth.agreements.errors import GuardianMustAgree, SeparateConsentNeeded
from auth.errors import (
    AccountClosed,
    CityUnknown,
    FaceCheckFailed,
    FaceCheckOver,
    IdentityNeeded,
    KeyInvalid,
    NotYetApproved,
    PhoneInvalid,
    ProofRefused,
    RefreshRefused,
    RefreshReused,
    RegisterUnavailable,
    RequestOver,
    SignInPaused,
    StrongerFactorRequired,
    WrongCode,
)
from auth.installing import parts
from auth.oauth import tokens as oauth_tokens
from auth.verification import live_face
from core import audit, crypto, gateway, ids
from core.actors import Actor, ActorKind
from core.errors import NotFound, Throttled
from core.ports import Call
from core.vocabulary import AuditEvent
from core.web import Routes, anyone, either, resident

routes = Routes("auth")
_SIGNING_IN = "nobody is known before signing in"


@routes.post(
    "/api/sign-in-codes",
    operation="sendSignInCode",
    access=anyone(reason=_SIGNING_IN),
    takes=schemas.SignInCodeIn,
    gives=schemas.SignInCodeOut,
    mode="calls",
    status=202,
    errors=(PhoneInvalid, CityUnknown, KeyInvalid, SignInPaused, Throttled),
    per_minute=30,
)
def send_sign_in_code(actor: Actor, body: dict[str, Any], call: Call) -> dict[str, int]:
    """Send a one-time code to a phone; the answer is the same for every number."""
    binding = jwk.thumbprint(jwk.public(jwk.read(body["device_key"])))
    asked = sign_in_codes.asker(city_id=body["city"], phone=body["phone"], binding=binding, address=call.address)
    sign_in_codes.send(asked, language=language(call))
    policy = parts().policy
    return {
        "digits": sign_in_codes.DIGITS,
        "expires_in": int(policy.code_lifetime.total_seconds()),
        "resend_after": int(policy.resend_after.total_seconds()),
    }


@routes.post(
    "/api/sessions",
    operation="signIn",
    access=anyone(reason=_SIGNING_IN),
    takes=schemas.SignInIn,
    gives=schemas.TokensOut,
    mode="calls",
    status=201,
    errors=(WrongCode, ProofRefused, StrongerFactorRequired, AccountClosed, SignInPaused, PhoneInvalid, CityUnknown, Throttled),
    per_minute=60,
)
def sign_in(actor: Actor, body: dict[str, Any], call: Call) -> sessions.Tokens:
    """Sign in with a phone's code; the DPoP header proves the device key that asked for it."""
    return signing_in.sign_in(actor, call, city_id=body["city"], phone=body["phone"], code=body["code"], device_name=body["device_name"])


@routes.post(
    "/api/sessions/refresh",
    operation="refreshSession",
    access=anyone(reason="the refresh token and the proof of its key say who it is"),
    takes=schemas.RefreshIn,
    gives=schemas.TokensOut,
    mode="calls",
    errors=(RefreshRefused, RefreshReused, ProofRefused),
    per_minute=60,
)
def refresh_session(actor: Actor, body: dict[str, Any], call: Call) -> sessions.Tokens:
    """Exchange a refresh token for the next one; the DPoP header proves the key it is bound to."""
    return sessions.refresh(call, body["refresh_token"])


@routes.get("/api/sessions", operation="listSessions", access=either(resident(), any_staff()), gives=schemas.SessionsOut)
def list_sessions(actor: Actor) -> dict[str, Any]:
    """List the caller's living sessions."""
    return {"current": actor.session_id, "items": sessions.living(actor)}


@routes.delete("/api/sessions/current", operation="signOut", access=either(resident(), any_staff()))
def sign_out(actor: Actor) -> None:
    """End the session of this token."""
    if actor.session_id is None:
        raise NotFound()
    sessions.end_own(actor, actor.session_id)


@routes.delete("/api/sessions/<id:session>", operation="endSession", access=either(resident(), any_staff()), errors=(NotFound,))
def end_session(actor: Actor, session: UUID) -> None:
    """End one of the caller's sessions."""
    sessions.end_own(actor, session)


@routes.delete("/api/sessions", operation="signOutEverywhere", access=either(resident(), any_staff()), gives=schemas.EndedOut)
def sign_out_everywhere(actor: Actor) -> dict[str, int]:
    """End every session of the caller, this one included."""
    owner = {"resident_id": actor.id} if actor.kind is ActorKind.RESIDENT else {"staff_id": actor.id}
    ended = sessions.end_all("signed_out_everywhere", **owner)
    subject = ids.show(str(actor.kind), actor.id)
    resident_id = actor.id if actor.kind is ActorKind.RESIDENT else None
    detail = {"ended": ended}
    audit.record(actor, AuditEvent.SESSION_ENDED, city_id=actor.city_id, subject=subject, resident_id=resident_id, detail=detail)
    return {"ended": ended}


@routes.post(
    '/api/sign-in-requests/<id("signin"):request>/session',
    operation="claimSignIn",
    access=anyone(reason="the proof of the key that asked says who it is"),
    gives=schemas.TokensOut,
    mode="calls",
    status=201,
    errors=(NotYetApproved, RequestOver, ProofRefused, NotFound),
    per_minute=60,
)
def claim_sign_in(actor: Actor, request: UUID, call: Call) -> sessions.Tokens:
    """Sign in through a request that was approved; the DPoP header proves the key that asked."""
    return signing_in.claim(actor, call, request)


@routes.post(
    '/api/sign-in-requests/<id("signin"):request>/face-checks',
    operation="beginFaceCheckForSignIn",
    access=anyone(reason="the proof of the key that asked says who it is"),
    takes=schemas.FaceAgreedIn,
    gives=schemas.FaceCheckOut,
    mode="calls",
    status=201,
    errors=(RequestOver, ProofRefused, RegisterUnavailable, IdentityNeeded, SeparateConsentNeeded, GuardianMustAgree, Throttled),
    per_minute=20,
)
def begin_face_check_for_sign_in(actor: Actor, request: UUID, body: dict[str, Any], call: Call) -> live_face.Begun:
    """Begin a live face check that lets a new device in, agreed to by itself; a counter does the same without a face."""
    return live_face.begin(actor, signing_in.owner_of(request, proofs.of_call(call)), request_id=request, agreed=body["agreed"])


@routes.post(
    '/api/sign-in-requests/<id("signin"):request>/face-checks/<id("face"):check>/result',
    operation="finishFaceCheckForSignIn",
    access=anyone(reason="the proof of the key that asked says who it is"),
    takes=schemas.FaceResultIn,
    gives=schemas.ApprovalOut,
    mode="calls",
    errors=(FaceCheckOver, FaceCheckFailed, RequestOver, ProofRefused, RegisterUnavailable),
    per_minute=20,
)
def finish_face_check_for_sign_in(actor: Actor, request: UUID, check: UUID, body: dict[str, Any], call: Call) -> dict[str, str]:
    """Approve a sign-in request by the face that was held before the phone."""
    signing_in.owner_of(request, proofs.of_call(call))
    live_face.finish(actor, check, body["face_token"], request_id=request)
    return {"state": "approved"}


@routes.get(
    "/.well-known/jwks.json",
    operation="getKeys",
    access=anyone(reason="public keys"),
    gives=schemas.JwksOut,
    mode="calls",
)
def get_keys(actor: Actor) -> dict[str, Any]:
    """Publish the keys under which tokens and the messages to other systems are signed."""
    published = (tokens.PURPOSE, gateway.PURPOSE, oauth_tokens.ID_TOKEN, oauth_tokens.ACCESS)
    for purpose in published:
        crypto.signing_key(purpose)  # makes a missing first key, so that nobody reads a list without it
    return dict(crypto.jwks(*published))


def language(call: Call) -> str:
    """The language for a message to the caller's phone: Chinese unless English is named first."""
    return "en" if (call.headers.get("Accept-Language") or "").lower().startswith("en") else "zh-CN"
