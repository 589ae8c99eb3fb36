"""The passkeys of a resident: added only from a fresh proof as strong as they are, told of at once, taken back whole (threat 10)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import IntegrityError
from webauthn.helpers.structs import AuthenticatorTransport, PublicKeyCredentialCreationOptions, PublicKeyCredentialDescriptor

from auth import residents, sessions
from auth.installing import parts
from auth.models import Resident
from auth.passkeys import ceremony, challenges
from auth.passkeys.ceremony import Registered, Unproven
from auth.passkeys.challenges import Purpose
from auth.passkeys.errors import PasskeyChallengeOver, PasskeyKnown, PasskeyNotAccepted, TooManyPasskeys
from auth.passkeys.models import Passkey, PasskeyChallenge
from auth.policy import DAY
from core import audit, clock, ids, limits, outbox
from core.actors import Actor
from core.db import session, transaction
from core.errors import NotFound
from core.fields import rfc3339
from core.vocabulary import AuditEvent, Event

_TRANSPORTS = frozenset(AuthenticatorTransport)


@dataclass(frozen=True, slots=True)
class Kept:
    """A passkey that was just registered."""

    id: UUID
    name: str
    backed_up: bool
    created_at: dt.datetime
    used_at: dt.datetime | None = None


def stands_for(resident_id: UUID) -> bool:
    """Whether a passkey stands for this resident: then a text message alone enters their account no more (D28)."""
    return session().scalar(_living(resident_id).with_only_columns(Passkey.id).limit(1)) is not None


def living(resident_id: UUID) -> Sequence[Passkey]:
    """The passkeys of a resident that count, newest first."""
    return list(session().scalars(_living(resident_id).order_by(Passkey.id.desc())))


def described(resident_id: UUID) -> list[PublicKeyCredentialDescriptor]:
    """The same as browsers are told of them."""
    return [
        PublicKeyCredentialDescriptor(id=known.credential_id, transports=[AuthenticatorTransport(way) for way in known.transports])
        for known in living(resident_id)
    ]


def begin(actor: Actor) -> PublicKeyCredentialCreationOptions:
    """What the caller's browser is asked to make; TooManyPasskeys, and Throttled beyond the day's tries."""
    limits.count("passkey_adding", str(actor.id), per=DAY, at_most=parts().policy.passkey_tries_per_resident_day)
    with transaction():
        owner = residents.get(actor.id)
        _leave_room(owner)
        challenge = challenges.give(Purpose.ADD, city_id=owner.city_id, binding=binding_of(actor), resident_id=owner.id)
        return ceremony.creation(
            challenge,
            city_id=owner.city_id,
            handle=owner.id.bytes,
            name=residents.own_phone(owner) or owner.masked_name,
            display_name=owner.masked_name,
            known=described(owner.id),
        )


def add(actor: Actor, credential: dict[str, Any], *, name: str) -> Kept:
    """Keep a new passkey of the caller, whose session asked for it within five minutes.

    PasskeyChallengeOver, PasskeyNotAccepted with the reason, PasskeyKnown for one that anybody holds, TooManyPasskeys.
    """
    try:
        challenge = ceremony.challenge_of(credential)
        if not challenges.take(Purpose.ADD, challenge, binding=binding_of(actor)):
            raise PasskeyChallengeOver()
        made = ceremony.check_registration(credential, challenge)
    except Unproven as fault:
        raise PasskeyNotAccepted(reason=fault.reason) from fault
    ways = [way for way in credential["response"]["transports"] if way in _TRANSPORTS]
    with transaction():
        # The owner's row is locked: two new passkeys at once are counted one after the other.
        owner = residents.get(actor.id, lock=True)
        _leave_room(owner)
        kept = _keep(owner, made, ways=ways, name=name)
        _tell(actor, kept, AuditEvent.PASSKEY_ADDED, Event.PASSKEY_ADDED)
        return Kept(kept.id, kept.name, kept.backed_up, kept.created_at)


def _keep(owner: Resident, made: Registered, *, ways: list[str], name: str) -> Passkey:
    kept = Passkey(
        id=ids.new_id(),
        city_id=owner.city_id,
        resident_id=owner.id,
        credential_id=made.credential_id,
        public_key=made.public_key,
        sign_count=made.sign_count,
        backup_eligible=made.backup_eligible,
        backed_up=made.backed_up,
        transports=ways,
        name=name,
        created_at=clock.now(),
    )
    try:
        with session().begin_nested():
            session().add(kept)
            session().flush()
    except IntegrityError as fault:
        raise PasskeyKnown() from fault
    return kept


def remove(actor: Actor, passkey_id: UUID) -> None:
    """Take the trust back from one of the caller's own passkeys and the other sessions it opened; NotFound for another's."""
    found = session().get(Passkey, passkey_id, with_for_update=True)
    if found is None or found.resident_id != actor.id or found.revoked_at is not None:
        raise NotFound()
    _revoke(actor, found, "removed")
    _tell(actor, found, AuditEvent.PASSKEY_REMOVED, Event.PASSKEY_REMOVED)


def stop(actor: Actor, found: Passkey) -> None:
    """Stop a locked passkey whose counter went back: two authenticators hold what one should, and nobody knows which is the holder's."""
    _revoke(actor, found, "counter_back")
    _tell(actor, found, AuditEvent.PASSKEY_STOPPED, Event.PASSKEY_STOPPED)


def export(resident_id: UUID) -> list[dict[str, Any]]:
    """What is known of a resident's passkeys, those taken back included, for the resident alone."""
    every = session().scalars(select(Passkey).where(Passkey.resident_id == resident_id).order_by(Passkey.id))
    return [
        {
            "name": known.name,
            "created_at": rfc3339(known.created_at),
            "used_at": rfc3339(known.used_at) if known.used_at else None,
            "revoked_at": rfc3339(known.revoked_at) if known.revoked_at else None,
        }
        for known in every
    ]


def erase(resident_id: UUID) -> None:
    """Forget a resident's passkeys, in the current transaction; nothing requires keeping them."""
    for table in (Passkey, PasskeyChallenge):
        session().execute(delete(table).where(table.resident_id == resident_id))


def _living(resident_id: UUID) -> Any:
    return select(Passkey).where(Passkey.resident_id == resident_id, Passkey.revoked_at.is_(None))


def _leave_room(owner: Resident) -> None:
    counted = select(func.count()).select_from(Passkey).where(Passkey.resident_id == owner.id, Passkey.revoked_at.is_(None))
    if (session().scalar(counted) or 0) >= parts().policy.passkeys_per_resident:
        raise TooManyPasskeys()


def _revoke(actor: Actor, found: Passkey, because: str) -> None:
    values = {"revoked_at": clock.now(), "revoked_because": because}
    session().execute(update(Passkey).where(Passkey.id == found.id).values(**values))
    sessions.end_of_passkey(found.id, f"passkey_{because}", but=actor.session_id)


def _tell(actor: Actor, found: Passkey, happened: AuditEvent, told: Event) -> None:
    """Audit what became of a passkey, and tell its holder on every way there is."""
    subject, owner = ids.show("passkey", found.id), ids.show("resident", found.resident_id)
    audit.record(actor, happened, city_id=found.city_id, subject=subject, resident_id=found.resident_id)
    payload = {"resident": owner, "passkey": subject, "name": found.name}
    outbox.emit(told, city_id=found.city_id, subject=owner, payload=payload)


def binding_of(actor: Actor) -> str:
    """A challenge given to a signed-in resident is good in that session alone."""
    if actor.session_id is None:
        raise NotFound()
    return f"session:{actor.session_id}"
