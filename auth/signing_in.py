"""Signing in by phone: a code proves the number, a key proves the device, and a stronger factor guards whoever has one (D28)."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

from auth import devices, proofs, residents, sessions, sign_in_codes
from auth.errors import AccountClosed, NotYetApproved, RequestOver, StrongerFactorRequired
from auth.installing import parts
from auth.models import Resident, SignInRequest
from auth.passkeys import keeping
from auth.proofs import Proof
from auth.rules import Level, Strength
from auth.sessions import Tokens
from auth.sign_in_codes import Asker
from core import audit, clock, ids, outbox
from core.actors import Actor
from core.db import session, transaction
from core.errors import CityError, NotFound
from core.ports import Call
from core.vocabulary import AuditEvent, Event


def sign_in(actor: Actor, call: Call, *, city_id: int | None, phone: str, code: str, device_name: str) -> Tokens:
    """Sign a number in on the device whose key signed the request; a number that is new to the city becomes a resident at L1.

    Raises WrongCode for whatever is wrong with the code, and StrongerFactorRequired with the request to be approved.
    """
    proof = proofs.of_call(call)
    asked = sign_in_codes.asker(city_id=city_id, phone=phone, binding=proof.thumbprint, address=call.address)
    mac = sign_in_codes.check(asked, code)
    with transaction():
        entered = _enter(actor, asked, mac, proof, device_name)
    # Raised only now: the used code and the request for approval must be committed, not rolled back with the refusal.
    if isinstance(entered, CityError):
        raise entered
    return entered


def _enter(actor: Actor, asked: Asker, mac: bytes, proof: Proof, device_name: str) -> Tokens | CityError:
    sign_in_codes.use(asked, mac)
    resident = residents.admit(actor, asked.city_id, asked.phone)
    if resident.state != "active":
        return AccountClosed()
    device = devices.known(resident.id, proof.thumbprint)
    if device is not None:
        device.used_at = clock.now()
        return start(actor, resident, device.id, proof, Strength.TWO if device.proved_at else Strength.SMS)
    if resident.identity_level >= Level.NAMED and (ways := stronger_ways(resident.id)):
        asked_for = ask(actor, resident, thumbprint=proof.thumbprint, device_name=device_name)
        return StrongerFactorRequired(request=ids.show("signin", asked_for.id), ways=ways)
    made = devices.register(actor, resident_id=resident.id, city_id=resident.city_id, proof=proof, name=device_name)
    return start(actor, resident, made.id, proof, Strength.SMS)


def stronger_ways(resident_id: UUID) -> list[str]:
    """How a new device may enter an account that has, or ever had, more than a phone number; empty for one that never had.

    Taking the last device away must not open the account to whoever reads the next text message: it was taken away because it was lost.
    """
    own = [way for way, stands in (("device", devices.stands_for), ("passkey", keeping.stands_for)) if stands(resident_id)]
    return [*own, "face", "counter"] if own or devices.ever_stood_for(resident_id) else []


def start(actor: Actor, resident: Resident, device_id: UUID, proof: Proof, strength: Strength, *, passkey_id: UUID | None = None) -> Tokens:
    """Open the session of somebody who was let in, in the current transaction."""
    tokens = sessions.open_for_resident(
        resident, device_id=device_id, thumbprint=proof.thumbprint, strength=int(strength), passkey_id=passkey_id
    )
    subject = sessions.show(tokens.session)
    detail = {"strength": int(strength), "device": ids.show("device", device_id)}
    if passkey_id is not None:
        detail["passkey"] = ids.show("passkey", passkey_id)
    audit.record(actor, AuditEvent.SIGNED_IN, city_id=resident.city_id, subject=subject, resident_id=resident.id, detail=detail)
    return tokens


def ask(actor: Actor, resident: Resident, *, thumbprint: str, device_name: str) -> SignInRequest:
    """Put a request before the resident's other devices; ``thumbprint`` names the key, or the browser, that may come in by it."""
    now = clock.now()
    asked = SignInRequest(
        id=ids.new_id(),
        city_id=resident.city_id,
        resident_id=resident.id,
        thumbprint=thumbprint,
        device_name=device_name,
        state="waiting",
        created_at=now,
        expires_at=now + parts().policy.sign_in_request_lifetime,
    )
    session().add(asked)
    session().flush()
    shown, owner = ids.show("signin", asked.id), ids.show("resident", resident.id)
    audit.record(actor, AuditEvent.SIGN_IN_ASKED, city_id=resident.city_id, subject=shown, resident_id=resident.id)
    outbox.emit(Event.SIGN_IN_ASKED, city_id=resident.city_id, subject=owner, payload={"resident": owner, "request": shown})
    return asked


def claim(actor: Actor, call: Call, request_id: UUID) -> Tokens:
    """Enter through an approved request, with the same key that asked; NotYetApproved while it waits."""
    proof = proofs.of_call(call)
    with transaction():
        asked = of_key(request_id, proof, lock=True)
        if asked.state == "waiting":
            raise NotYetApproved()
        if asked.state != "approved":
            raise RequestOver()
        asked.state = "used"
        resident = residents.get(asked.resident_id)
        device = devices.known(resident.id, proof.thumbprint) or devices.register(
            actor, resident_id=resident.id, city_id=resident.city_id, proof=proof, name=asked.device_name
        )
        devices.note_proof(device.id)
        strength = Strength.TWO if asked.approved_by == "device" else Strength.STRONG
        return start(actor, resident, device.id, proof, strength)


def of_key(request_id: UUID, proof: Proof, *, lock: bool = False) -> SignInRequest:
    """The request that this key made, still in time; NotFound for another's key and RequestOver afterwards."""
    asked = living(request_id, lock=lock)
    if asked.thumbprint != proof.thumbprint:
        raise NotFound()
    return asked


def owner_of(request_id: UUID, proof: Proof) -> UUID:
    """Whose account the request of this key wants to enter, while it waits."""
    with transaction():
        asked = of_key(request_id, proof)
        if asked.state != "waiting":
            raise RequestOver()
        return asked.resident_id


def living(request_id: UUID, *, lock: bool) -> SignInRequest:
    """A request that has not run out; NotFound or RequestOver."""
    asked = session().get(SignInRequest, request_id, with_for_update=lock or None)
    if asked is None:
        raise NotFound()
    if clock.now() >= asked.expires_at:
        raise RequestOver()
    return asked


def refuse_all(actor: Actor, resident_id: UUID) -> None:
    """Refuse every request of a new device that has not entered yet, those approved included, in the current transaction."""
    open_ones = select(SignInRequest).where(SignInRequest.resident_id == resident_id, SignInRequest.state.in_(("waiting", "approved")))
    for asked in session().scalars(open_ones.order_by(SignInRequest.id).with_for_update()):
        _write(actor, asked, by="counter", approve=False)


def waiting(actor: Actor) -> list[SignInRequest]:
    """Requests of new devices that the caller may approve or refuse."""
    wanted = select(SignInRequest).where(
        SignInRequest.resident_id == actor.id, SignInRequest.state == "waiting", SignInRequest.expires_at > clock.now()
    )
    return list(session().scalars(wanted.order_by(SignInRequest.id.desc()).limit(20)))


def decide_own(actor: Actor, request_id: UUID, *, approve: bool) -> None:
    """The resident's word from a device that already stands for them."""
    asked = living(request_id, lock=True)
    if asked.resident_id != actor.id:
        raise NotFound()
    decide(actor, asked, by="device", approve=approve)


def at_counter(actor: Actor, request_id: UUID) -> SignInRequest:
    """A waiting request of the clerk's own city, locked."""
    asked = living(request_id, lock=True)
    if asked.city_id != actor.city_id:
        raise NotFound()
    return asked


def decide(actor: Actor, asked: SignInRequest, *, by: str, approve: bool) -> None:
    """Write the decision of a locked request; RequestOver when it was decided before."""
    if asked.state != "waiting":
        raise RequestOver()
    _write(actor, asked, by=by, approve=approve)


def _write(actor: Actor, asked: SignInRequest, *, by: str, approve: bool) -> None:
    asked.state, asked.decided_at = ("approved" if approve else "refused"), clock.now()
    asked.approved_by = by if approve else None
    session().flush()
    event = AuditEvent.SIGN_IN_APPROVED if approve else AuditEvent.SIGN_IN_DENIED
    subject = ids.show("signin", asked.id)
    audit.record(actor, event, city_id=asked.city_id, subject=subject, resident_id=asked.resident_id, detail={"by": by})
