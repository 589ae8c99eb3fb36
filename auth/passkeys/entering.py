"""Signing in and stepping up with a passkey: no name is given, the key says who it is, the device's own key binds the session."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select, update
from webauthn.helpers.structs import PublicKeyCredentialRequestOptions

from auth import devices, networks, proofs, sessions, signing_in
from auth.errors import CityUnknown
from auth.installing import parts
from auth.models import Resident
from auth.passkeys import ceremony, challenges, keeping
from auth.passkeys.ceremony import Asserted, Unproven
from auth.passkeys.challenges import Purpose
from auth.passkeys.errors import PasskeyRefused
from auth.passkeys.models import Passkey
from auth.policy import HOUR
from auth.proofs import Proof
from auth.rules import Strength
from auth.sessions import Tokens
from auth.tokens import Issued
from core import audit, clock, ids, limits
from core.actors import Actor
from core.db import session, transaction
from core.ports import Call
from core.vocabulary import AuditEvent

_FAILURES = "passkey_failures_network"


def begin(call: Call, *, city_id: int | None, thumbprint: str) -> PublicKeyCredentialRequestOptions:
    """What a browser is asked before anybody is known; the answer is good with this device's key alone."""
    limits.count("passkey_challenges", networks.key(call.address), per=HOUR, at_most=parts().policy.passkey_challenges_per_network_hour)
    city = parts().default_city if city_id is None else city_id
    if city not in parts().cities:
        raise CityUnknown()
    with transaction():
        return ceremony.request(challenges.give(Purpose.SIGN_IN, city_id=city, binding=thumbprint))


def sign_in(actor: Actor, call: Call, *, credential: dict[str, Any], device_name: str) -> Tokens:
    """Sign the holder of a passkey in on the device whose key signed the request, new or not: S3.

    PasskeyRefused says the same for every cause, so that nobody learns which passkeys there are; the audit log says more.
    """
    proof = proofs.of_call(call)
    network = networks.key(call.address)
    limits.check(_FAILURES, network, at_most=parts().policy.passkey_failures_per_network_hour)
    challenge = _challenge(Purpose.SIGN_IN, credential, binding=proof.thumbprint)
    entered = None
    if challenge is not None:
        with transaction():
            entered = _enter(actor, credential, challenge, proof, device_name)
    # Raised outside: a passkey that was stopped must stay so, and not be rolled back with the refusal.
    if entered is None:
        limits.count(_FAILURES, network, per=HOUR, at_most=2**31 - 1)
        raise PasskeyRefused()
    return entered


def _enter(actor: Actor, credential: dict[str, Any], challenge: bytes, proof: Proof, device_name: str) -> Tokens | None:
    used = _used(actor, credential, challenge)
    if used is None:
        return None
    resident = session().get_one(Resident, used.resident_id)
    device = devices.known(resident.id, proof.thumbprint)
    if device is None:
        device = devices.register(actor, resident_id=resident.id, city_id=resident.city_id, proof=proof, name=device_name)
    device.used_at = clock.now()
    devices.note_proof(device.id)
    return signing_in.start(actor, resident, device.id, proof, Strength.STRONG, passkey_id=used.id)


def begin_step_up(actor: Actor) -> PublicKeyCredentialRequestOptions:
    """What the caller's browser is asked for a fresh proof within their session."""
    limits.count("passkey_step_ups", str(actor.id), per=HOUR, at_most=parts().policy.passkey_step_ups_per_resident_hour)
    with transaction():
        binding = keeping.binding_of(actor)
        challenge = challenges.give(Purpose.STEP_UP, city_id=actor.city_id, binding=binding, resident_id=actor.id)
        return ceremony.request(challenge, keeping.described(actor.id))


def step_up(actor: Actor, credential: dict[str, Any]) -> Issued | None:
    """Prove the caller anew within their session by one of their own passkeys: S3, and fresh."""
    challenge = _challenge(Purpose.STEP_UP, credential, binding=keeping.binding_of(actor))
    used, issued = None, None
    if challenge is not None:
        with transaction():
            used = _used(actor, credential, challenge, step_up=True)
            if used is not None:
                subject, detail = ids.show("passkey", used.id), {"strength": int(Strength.STRONG)}
                audit.record(actor, AuditEvent.PASSKEY_USED, city_id=used.city_id, subject=subject, resident_id=actor.id, detail=detail)
                issued = sessions.raise_strength(actor, int(Strength.STRONG))
    if used is None:
        raise PasskeyRefused()
    return issued


def _challenge(purpose: Purpose, credential: dict[str, Any], *, binding: str) -> bytes | None:
    """The challenge that is answered, used up by this; None where it was not given to this caller for this, or before."""
    try:
        challenge = ceremony.challenge_of(credential)
    except Unproven:
        return None
    return challenge if challenges.take(purpose, challenge, binding=binding) else None


def _used(actor: Actor, credential: dict[str, Any], challenge: bytes, *, step_up: bool = False) -> Passkey | None:
    """The passkey behind a genuine answer, locked and with its use written down; None, audited, for any other."""
    wanted = select(Passkey).where(Passkey.credential_id == credential["raw_id"], Passkey.revoked_at.is_(None))
    # The row is locked: of two answers with one count the second is seen to go back.
    found = session().scalar(wanted.with_for_update())
    if found is None:
        return None
    try:
        asserted = _judge(actor, found, credential, challenge, step_up=step_up)
    except Unproven as fault:
        subject, detail = ids.show("passkey", found.id), {"by": "passkey", "reason": fault.reason}
        audit.record(
            actor,
            AuditEvent.SIGN_IN_FAILED,
            city_id=found.city_id,
            subject=subject,
            resident_id=found.resident_id,
            outcome="failed",
            detail=detail,
        )
        return None
    if not ceremony.counts_on(found.sign_count, asserted.sign_count):
        keeping.stop(actor, found)
        return None
    values = {"sign_count": asserted.sign_count, "backed_up": asserted.backed_up, "used_at": clock.now()}
    session().execute(update(Passkey).where(Passkey.id == found.id).values(**values))
    return found


def _judge(actor: Actor, found: Passkey, credential: dict[str, Any], challenge: bytes, *, step_up: bool) -> Asserted:
    """Whether the answer is this passkey's and its owner may come in; Unproven with the reason otherwise."""
    handle = credential["response"]["user_handle"]
    if handle != found.resident_id.bytes and not (step_up and handle is None):
        raise Unproven("user handle")
    if step_up and found.resident_id != actor.id:
        raise Unproven("other resident")
    asserted = ceremony.check_assertion(credential, challenge, public_key=found.public_key, backup_eligible=found.backup_eligible)
    if session().get_one(Resident, found.resident_id).state != "active":
        raise Unproven("account closed")
    return asserted
