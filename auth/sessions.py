"""Sessions: a sign-in with a refresh token that turns at every use and is bound to a key of the device (RFC 9449, 9700 4.14).

The refresh token names its session and carries our own seal, so that a text somebody made up is told from a token that was
genuine once: only the second is a sign of theft and ends the session.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select, update

from auth import proofs, residents
from auth.errors import RefreshRefused, RefreshReused
from auth.installing import parts
from auth.models import Device, Resident, SignIn, StaffMember
from auth.scopes import permissions
from auth.tokens import Issued
from core import audit, clock, crypto, ids, revocation
from core.actors import Actor, ActorKind
from core.db import session, transaction
from core.errors import CityError, NotFound
from core.ports import Call
from core.vocabulary import AuditEvent

_FORM = re.compile(r"rt_[A-Za-z0-9_-]{64}")


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a caller takes away from signing in or refreshing."""

    access_token: str
    expires_in: int
    refresh_token: str | None
    session: UUID
    device: UUID | None
    identity_level: int
    strength: int
    token_type: str = "Bearer"  # the name of the scheme


def open_for_resident(resident: Resident, *, device_id: UUID, thumbprint: str, strength: int, passkey_id: UUID | None = None) -> Tokens:
    """A new session of a resident on a device; an older one on the same device ends."""
    policy = parts().policy
    older = select(SignIn).where(SignIn.device_id == device_id, SignIn.ended_at.is_(None))
    for old in session().scalars(older):
        end(old, "signed_in_again")
    made = _new(resident.city_id, thumbprint, strength, idle=policy.resident_idle, absolute=policy.resident_absolute)
    made.resident_id, made.device_id, made.passkey_id = resident.id, device_id, passkey_id
    return _begin(made)


def open_for_staff(member: StaffMember, *, thumbprint: str, strength: int) -> Tokens:
    """A new session of a staff member; without a key (an empty thumbprint) it cannot be refreshed."""
    policy = parts().policy
    made = _new(member.city_id, thumbprint, strength, idle=policy.staff_idle, absolute=policy.staff_absolute)
    made.staff_id = member.id
    return _begin(made)


def _new(city_id: int, thumbprint: str, strength: int, *, idle: dt.timedelta, absolute: dt.timedelta) -> SignIn:
    now = clock.now()
    return SignIn(
        id=ids.new_id(),
        city_id=city_id,
        thumbprint=thumbprint,
        strength=strength,
        proved_at=now,
        started_at=now,
        used_at=now,
        idle_until=now + idle,
        expires_at=now + absolute,
        rotated_at=now,
        rotations=0,
        current_digest=b"",
    )


def _begin(made: SignIn) -> Tokens:
    token = _new_token(made.id)
    made.current_digest = _digest(token)
    session().add(made)
    session().flush()
    return _tokens(made, token if made.thumbprint else None)


def refresh(call: Call, token: str) -> Tokens:
    """Exchange a refresh token for the next one, by the key it is bound to.

    RefreshRefused for anything that is not valid (any more). A genuine token that was used before, or comes with another
    key, ends the session (RefreshReused), except that the last token may come again within 60 s: its answer was lost on the way.
    """
    session_id = _session_of(token)
    if session_id is None:
        raise RefreshRefused()
    proof = proofs.of_call(call)
    with transaction():
        turned = _turn(session_id, token, proof.thumbprint)
    # Raised only now: the end of a session must be committed, not rolled back with the refusal.
    if isinstance(turned, CityError):
        raise turned
    return turned


def _turn(session_id: UUID, token: str, thumbprint: str) -> Tokens | CityError:
    """Turn the token over, or give the refusal; a session whose token was stolen is ended first."""
    # The row is locked: of two holders of one token the second sees what the first left.
    held = session().get(SignIn, session_id, with_for_update=True)
    now = clock.now()
    if held is None or held.ended_at is not None:
        return RefreshRefused()
    if now >= held.idle_until or now >= held.expires_at:
        end(held, "expired")
        return RefreshRefused()
    digest = _digest(token)
    current = hmac.compare_digest(digest, held.current_digest)
    again = held.previous_digest is not None and hmac.compare_digest(digest, held.previous_digest)
    lost_answer = again and now - held.rotated_at <= parts().policy.lost_answer
    if thumbprint != held.thumbprint or not (current or lost_answer):
        end(held, "reused")
        actor = _actor(held)
        audit.record(actor, AuditEvent.SESSION_REUSED, city_id=held.city_id, subject=show(held.id), resident_id=held.resident_id)
        return RefreshReused()
    if not _owner_may(held):
        end(held, "account_closed")
        return RefreshRefused()
    return _next(held, now, turned_before=lost_answer and not current)


def _next(held: SignIn, now: dt.datetime, *, turned_before: bool) -> Tokens:
    token = _new_token(held.id)
    if not turned_before:
        held.previous_digest, held.rotated_at = held.current_digest, now
    held.current_digest = _digest(token)
    held.rotations += 1
    held.used_at = now
    idle = parts().policy.resident_idle if held.resident_id else parts().policy.staff_idle
    held.idle_until = now + idle
    session().flush()
    return _tokens(held, token)


def _owner_may(held: SignIn) -> bool:
    if held.resident_id is not None:
        owner = session().get(Resident, held.resident_id)
        return owner is not None and owner.state == "active"
    member = session().get(StaffMember, held.staff_id)
    return member is not None and member.disabled_at is None


def raise_strength(actor: Actor, strength: int) -> Issued | None:
    """Note a step-up in the caller's session and give the token that says so; None when the session has ended meanwhile."""
    held = session().get(SignIn, actor.session_id, with_for_update=True) if actor.session_id else None
    if held is None or held.ended_at is not None:
        return None
    now = clock.now()
    if strength >= held.strength:
        # A weaker proof than the session already has makes it no fresher: otherwise a name and a number would renew a face.
        held.strength, held.proved_at = strength, now
    session().execute(update(Device).where(Device.id == held.device_id, Device.proved_at.is_(None)).values(proved_at=now))
    session().flush()
    return parts().tokens.issue(_actor(held))


def end(held: SignIn, because: str) -> None:
    """End a session in the current transaction; every process refuses its tokens within a second."""
    held.ended_at, held.ended_because = clock.now(), because
    session().flush()
    revocation.revoke(f"session:{held.id}")


def end_all(because: str, *, resident_id: UUID | None = None, staff_id: UUID | None = None, but: UUID | None = None) -> int:
    """End every session of somebody, perhaps but one; returns how many."""
    mine = SignIn.resident_id == resident_id if resident_id else SignIn.staff_id == staff_id
    living = session().scalars(select(SignIn).where(mine, SignIn.ended_at.is_(None)).order_by(SignIn.id).with_for_update())
    ending = [held for held in living if held.id != but]
    for held in ending:
        end(held, because)
    return len(ending)


def end_of_passkey(passkey_id: UUID, because: str, *, but: UUID | None) -> None:
    """End the sessions that a passkey opened, perhaps but one."""
    opened = select(SignIn).where(SignIn.passkey_id == passkey_id, SignIn.ended_at.is_(None)).order_by(SignIn.id).with_for_update()
    for held in session().scalars(opened):
        if held.id != but:
            end(held, because)


def end_of_device(device_id: UUID, because: str) -> int:
    """End the sessions of a device; returns how many."""
    living = session().scalars(select(SignIn).where(SignIn.device_id == device_id, SignIn.ended_at.is_(None))).all()
    for held in living:
        end(held, because)
    return len(living)


def living(actor: Actor) -> Sequence[SignIn]:
    """The caller's own sessions, newest first."""
    mine = SignIn.resident_id == actor.id if actor.kind is ActorKind.RESIDENT else SignIn.staff_id == actor.id
    now = clock.now()
    wanted = select(SignIn).where(mine, SignIn.ended_at.is_(None), SignIn.idle_until > now, SignIn.expires_at > now)
    return list(session().scalars(wanted.order_by(SignIn.id.desc()).limit(50)))


def end_own(actor: Actor, session_id: UUID) -> None:
    """End one of the caller's own sessions; NotFound for somebody else's."""
    held = session().get(SignIn, session_id, with_for_update=True)
    if held is None or actor.id not in (held.resident_id, held.staff_id):
        raise NotFound()
    if held.ended_at is None:
        end(held, "signed_out")
        audit.record(actor, AuditEvent.SESSION_ENDED, city_id=held.city_id, subject=show(held.id), resident_id=held.resident_id)


def forget_old(before: dt.datetime) -> int:
    """Blank the digests of sessions long over, so that nothing of their tokens is kept."""
    old = update(SignIn).where(SignIn.expires_at < before, SignIn.current_digest != b"").values(current_digest=b"", previous_digest=None)
    return session().execute(old).rowcount  # type: ignore[attr-defined,no-any-return]  # CursorResult at run time


def show(session_id: UUID) -> str:
    """``session_…``."""
    return ids.show("session", session_id)


def _tokens(held: SignIn, refresh_token: str | None) -> Tokens:
    actor = _actor(held)
    issued = parts().tokens.issue(actor)
    return Tokens(
        access_token=issued.access_token,
        expires_in=issued.expires_in,
        refresh_token=refresh_token,
        session=held.id,
        device=held.device_id,
        identity_level=actor.identity_level,
        strength=actor.strength,
    )


def _actor(held: SignIn) -> Actor:
    """The owner of a session as their tokens say it, read anew from the tables."""
    if held.resident_id is not None:
        owner = residents.get(held.resident_id)
        return Actor(
            kind=ActorKind.RESIDENT,
            id=owner.id,
            city_id=owner.city_id,
            identity_level=owner.identity_level,
            strength=held.strength,
            signed_in_at=held.proved_at,
            session_id=held.id,
            device_id=held.device_id,
        )
    member = session().get_one(StaffMember, held.staff_id)
    return Actor(
        kind=ActorKind.STAFF,
        id=member.id,
        city_id=member.city_id,
        scopes=permissions(member.roles),
        strength=held.strength,
        signed_in_at=held.proved_at,
        session_id=held.id,
        agency_id=member.agency_id,
        name=member.display_name,
    )


def _new_token(session_id: UUID) -> str:
    body = session_id.bytes + secrets.token_bytes(16)
    return "rt_" + base64.urlsafe_b64encode(body + _seal(body)).decode()


def _session_of(token: str) -> UUID | None:
    """The session of a token that we made, or None."""
    if not _FORM.fullmatch(token):
        return None
    raw = base64.urlsafe_b64decode(token[3:])
    body, seal = raw[:32], raw[32:]
    return UUID(bytes=body[:16]) if hmac.compare_digest(seal, _seal(body)) else None


def _seal(body: bytes) -> bytes:
    return crypto.keyring().mac("refresh-token", body)[:16]


def _digest(token: str) -> bytes:
    # Plain SHA-256 is right here: the token holds 128 random bits, so there is nothing to guess.
    return hashlib.sha256(token.encode()).digest()
