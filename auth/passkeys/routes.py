"""HTTP of passkeys: making one, listing and removing them, and signing in or stepping up with one."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

from auth import jwk
from auth.devices import TooManyDevices
from auth.errors import CityUnknown, KeyInvalid, ProofRefused
from auth.me_routes import stepped_up
from auth.passkeys import entering, keeping, schemas
from auth.passkeys.errors import (
    PasskeyChallengeOver,
    PasskeyKnown,
    PasskeyNotAccepted,
    PasskeyRefused,
    PasskeysNeedName,
    TooManyPasskeys,
)
from auth.schemas import StepUpOut, TokensOut
from auth.sessions import Tokens
from core.actors import Actor
from core.errors import NotFound, Throttled
from core.ports import Call
from core.web import Routes, anyone, resident

routes = Routes("passkeys")
# A passkey opens everything, so only a proof as strong and only just given may add one (threat 10): a face, a counter, another passkey.
FRESH = dt.timedelta(minutes=5)


@routes.post(
    "/api/me/passkeys/options",
    operation="beginPasskey",
    access=resident(level=2, strength=3, fresh=FRESH),
    gives=schemas.CreationOptionsOut,
    mode="calls",
    errors=(TooManyPasskeys, PasskeysNeedName, Throttled),
)
def begin_passkey(actor: Actor) -> dict[str, Any]:
    """Begin a new passkey: what the browser is to be asked; good for five minutes, once, in this session."""
    return {"public_key": keeping.begin(actor)}


@routes.post(
    "/api/me/passkeys",
    operation="addPasskey",
    access=resident(level=2, strength=3),
    takes=schemas.PasskeyIn,
    gives=schemas.PasskeyOut,
    mode="calls",
    status=201,
    errors=(PasskeyNotAccepted, PasskeyChallengeOver, PasskeyKnown, TooManyPasskeys, PasskeysNeedName),
)
def add_passkey(actor: Actor, body: dict[str, Any]) -> keeping.Kept:
    """Register the passkey that the browser made; the resident is told at once."""
    return keeping.add(actor, body["credential"], name=body["name"])


@routes.get("/api/me/passkeys", operation="listPasskeys", access=resident(strength=2), gives=schemas.PasskeysOut)
def list_passkeys(actor: Actor) -> dict[str, Any]:
    """List the caller's passkeys."""
    return {"items": keeping.living(actor.id)}


@routes.delete("/api/me/passkeys/<id:passkey>", operation="removePasskey", access=resident(strength=2), errors=(NotFound,))
def remove_passkey(actor: Actor, passkey: UUID) -> None:
    """Take the trust back from one of the caller's passkeys, with the other sessions it opened."""
    keeping.remove(actor, passkey)


@routes.post(
    "/api/passkey-sign-ins/options",
    operation="beginPasskeySignIn",
    access=anyone(reason="nobody is known before signing in"),
    takes=schemas.PasskeySignInOptionsIn,
    gives=schemas.RequestOptionsOut,
    mode="calls",
    errors=(CityUnknown, KeyInvalid, PasskeysNeedName, Throttled),
    per_minute=60,
)
def begin_passkey_sign_in(actor: Actor, body: dict[str, Any], call: Call) -> dict[str, Any]:
    """Begin to sign in with a passkey, without a name; the same for everybody."""
    thumbprint = jwk.thumbprint(jwk.public(jwk.read(body["device_key"])))
    return {"public_key": entering.begin(call, city_id=body["city"], thumbprint=thumbprint)}


@routes.post(
    "/api/passkey-sign-ins",
    operation="signInWithPasskey",
    access=anyone(reason="the passkey says who it is"),
    takes=schemas.PasskeySignInIn,
    gives=TokensOut,
    mode="calls",
    status=201,
    errors=(PasskeyRefused, ProofRefused, TooManyDevices, PasskeysNeedName, Throttled),
    per_minute=60,
)
def sign_in_with_passkey(actor: Actor, body: dict[str, Any], call: Call) -> Tokens:
    """Sign in with a passkey: strength S3; the DPoP header proves the device key that began."""
    return entering.sign_in(actor, call, credential=body["credential"], device_name=body["device_name"])


@routes.post(
    "/api/me/passkey-checks/options",
    operation="beginPasskeyCheck",
    access=resident(),
    gives=schemas.RequestOptionsOut,
    mode="calls",
    errors=(PasskeysNeedName, Throttled),
)
def begin_passkey_check(actor: Actor) -> dict[str, Any]:
    """Begin a fresh proof by passkey within the session."""
    return {"public_key": entering.begin_step_up(actor)}


@routes.post(
    "/api/me/passkey-checks",
    operation="finishPasskeyCheck",
    access=resident(),
    takes=schemas.PasskeyStepUpIn,
    gives=StepUpOut,
    mode="calls",
    errors=(PasskeyRefused, PasskeysNeedName),
)
def finish_passkey_check(actor: Actor, body: dict[str, Any]) -> dict[str, Any]:
    """Take the fresh proof: the session is S3 from here on."""
    return stepped_up(actor, entering.step_up(actor, body["credential"]))
