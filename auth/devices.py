"""Devices of residents: known by a key that never leaves them; removing one takes its trust back everywhere."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, select, update

from auth import sessions
from auth.installing import parts
from auth.models import Device
from auth.proofs import Proof
from auth.rules import Strength
from core import audit, clock, ids, outbox, revocation
from core.actors import Actor
from core.db import session
from core.errors import Conflict, NotFound, StepUpNeeded
from core.vocabulary import AuditEvent, Event


class TooManyDevices(Conflict):
    code = "too_many_devices"
    zh, en = "已登录的设备过多，请先移除一台不用的设备", "Too many devices are signed in; remove one that is not used"


def known(resident_id: UUID, thumbprint: str) -> Device | None:
    """The living device of a resident with this key, locked."""
    wanted = select(Device).where(Device.resident_id == resident_id, Device.thumbprint == thumbprint, Device.revoked_at.is_(None))
    # The row is locked: a sign-in beside a removal either ends with it or finds the device gone, and none opens a session on it after.
    return session().scalar(wanted.with_for_update())


def stands_for(resident_id: UUID) -> bool:
    """Whether some living device stands for this resident: a factor stronger than a text message.

    A device that came in by text message alone stands for nobody until a second proof was given on it; otherwise whoever
    reads one message could lock the resident out, and come back as a known device.
    """
    wanted = select(Device.id).where(Device.resident_id == resident_id, Device.revoked_at.is_(None), Device.proved_at.is_not(None))
    return session().scalar(wanted.limit(1)) is not None


def ever_stood_for(resident_id: UUID) -> bool:
    """Whether some device stood for this resident at any time; a device that was taken away says nothing of who holds the number now."""
    wanted = select(Device.id).where(Device.resident_id == resident_id, Device.proved_at.is_not(None))
    return session().scalar(wanted.limit(1)) is not None


def note_proof(device_id: UUID) -> None:
    """A second proof was given on this device: from now on it stands for its resident."""
    session().execute(update(Device).where(Device.id == device_id, Device.proved_at.is_(None)).values(proved_at=clock.now()))


def register(actor: Actor, *, resident_id: UUID, city_id: int, proof: Proof, name: str) -> Device:
    """Remember a new device of a resident and tell their other ones."""
    count = session().scalar(select(func.count()).where(Device.resident_id == resident_id, Device.revoked_at.is_(None))) or 0
    if count >= parts().policy.devices_per_resident:
        raise TooManyDevices()
    now = clock.now()
    made = Device(
        id=ids.new_id(),
        city_id=city_id,
        resident_id=resident_id,
        thumbprint=proof.thumbprint,
        public_jwk=dict(proof.public_jwk),
        name=name,
        created_at=now,
        used_at=now,
    )
    session().add(made)
    session().flush()
    if count:
        payload = {"resident": ids.show("resident", resident_id), "device": ids.show("device", made.id), "name": name}
        outbox.emit(Event.SIGNED_IN_ELSEWHERE, city_id=city_id, subject=ids.show("resident", resident_id), payload=payload)
    return made


def living(actor: Actor) -> Sequence[Device]:
    """The caller's own devices, newest first."""
    wanted = select(Device).where(Device.resident_id == actor.id, Device.revoked_at.is_(None)).order_by(Device.id.desc())
    return list(session().scalars(wanted))


def remove(actor: Actor, device_id: UUID) -> None:
    """Take the trust back from one of the caller's own devices, its sessions and its pay keys; NotFound for another's.

    A session that rests on a text message alone cannot remove a device that stands for the resident (StepUpNeeded): whoever
    reads one message could otherwise shut the resident out.
    """
    found = session().get(Device, device_id, with_for_update=True)
    if found is None or found.resident_id != actor.id or found.revoked_at is not None:
        raise NotFound()
    if found.proved_at is not None and actor.strength < Strength.TWO:
        raise StepUpNeeded(level=actor.identity_level, strength=int(Strength.TWO), max_age_seconds=None)
    _take_trust_back(actor, found)


def remove_all(actor: Actor, resident_id: UUID) -> int:
    """Take the trust back from every living device of a resident, in the current transaction; returns how many sessions that ended."""
    theirs = select(Device).where(Device.resident_id == resident_id, Device.revoked_at.is_(None)).order_by(Device.id)
    return sum(_take_trust_back(actor, device) for device in session().scalars(theirs.with_for_update()).all())


def _take_trust_back(actor: Actor, found: Device) -> int:
    found.revoked_at = clock.now()
    session().flush()
    ended = sessions.end_of_device(found.id, "device_removed")
    revocation.revoke(f"device:{found.id}")
    subject, owner = ids.show("device", found.id), ids.show("resident", found.resident_id)
    audit.record(actor, AuditEvent.DEVICE_REMOVED, city_id=found.city_id, subject=subject, resident_id=found.resident_id)
    outbox.emit(Event.DEVICE_REMOVED, city_id=found.city_id, subject=owner, payload={"resident": owner, "device": subject})
    return ended
