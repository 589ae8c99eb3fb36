"""A live face against the police photo: L4. Voluntary: whatever it opens, a counter opens too (D27)."""

from __future__ import annotations

import datetime as dt
import secrets
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import update

from auth import residents, rules, sessions, signing_in
from auth.agreements import keeping as agreements
from auth.agreements.texts import Kind
from auth.errors import FaceCheckFailed, FaceCheckOver, IdentityMismatch, IdentityNeeded
from auth.installing import parts
from auth.models import FaceCheck
from auth.policy import DAY
from auth.rules import Method
from auth.tokens import Issued
from auth.verification import evidence
from auth.verification.police import FaceCapture, FaceResult
from core import clock, ids, limits
from core.actors import Actor
from core.db import session, transaction
from core.errors import NotFound


@dataclass(frozen=True, slots=True)
class Begun:
    """A face check that waits for its face: where to hold it, and until when."""

    id: UUID
    capture_url: str
    expires_at: dt.datetime


def begin(actor: Actor, resident_id: UUID, *, request_id: UUID | None = None, agreed: str = "") -> Begun:
    """Announce a check for a named resident, for a step-up or for a sign-in request; IdentityNeeded before L2, SeparateConsentNeeded.

    For a request, `agreed` is the version of the text that was agreed to on the device; the app hands it in once inside.
    """
    limits.count("face_checks", str(resident_id), per=DAY, at_most=parts().policy.face_checks_per_resident_day)
    with transaction():
        if request_id is None:
            agreements.need(actor, Kind.FACE_DATA)
        else:
            agreements.need_said(resident_id, Kind.FACE_DATA, agreed)
        if residents.get(resident_id).citizen_number_sealed is None:
            raise IdentityNeeded()
        person = residents.reveal(actor, resident_id, purpose="live_face_check", fields=("name", "citizen_number"))
    nonce = secrets.token_urlsafe(24)
    announced = parts().police.start_face_check(nonce=nonce, name=person.name or "", citizen_number=person.citizen_number or "")
    if announced is None:
        raise IdentityMismatch()
    with transaction():
        return _keep(resident_id, request_id, nonce, announced)


def _keep(resident_id: UUID, request_id: UUID | None, nonce: str, announced: FaceCapture) -> Begun:
    now = clock.now()
    made = FaceCheck(
        id=ids.new_id(),
        city_id=residents.get(resident_id).city_id,
        resident_id=resident_id,
        request_id=request_id,
        nonce=nonce,
        state="open",
        opened_at=now,
        expires_at=now + parts().policy.face_check_lifetime,
    )
    session().add(made)
    session().flush()
    return Begun(made.id, announced.capture_url, made.expires_at)


def finish(actor: Actor, check_id: UUID, face_token: str, *, request_id: UUID | None = None) -> Issued | None:
    """Ask for the verdict once and act on it: a step-up of the caller, or the approval of a sign-in request.

    FaceCheckOver for a check that was decided or ran out, FaceCheckFailed with the reason for a face that was not the one.
    """
    nonce, resident_id, city_id = _take(actor, check_id, request_id)
    try:
        verdict = parts().police.face_result(nonce=nonce, face_token=face_token)
    except BaseException:
        _settle(check_id, "open", "")
        raise
    if verdict is FaceResult.PENDING:
        _settle(check_id, "open", "")
        raise FaceCheckFailed(reason=str(verdict))
    if verdict is not FaceResult.SAME_PERSON:
        _settle(check_id, "failed", str(verdict))
        evidence.note_failure(actor, resident_id, city_id, Method.LIVE_FACE, str(verdict))
        raise FaceCheckFailed(reason=str(verdict))
    with transaction():
        return _passed(actor, check_id, resident_id, request_id)


def _take(actor: Actor, check_id: UUID, request_id: UUID | None) -> tuple[str, UUID, int]:
    """Claim an open check, so that one verdict is used once."""
    with transaction():
        check = session().get(FaceCheck, check_id, with_for_update=True)
        if check is None or check.request_id != request_id or (request_id is None and check.resident_id != actor.id):
            raise NotFound()
        if check.state != "open" or clock.now() >= check.expires_at:
            raise FaceCheckOver()
        check.state = "deciding"
        return check.nonce, check.resident_id, check.city_id


def _settle(check_id: UUID, state: str, reason: str) -> None:
    with transaction():
        decided = None if state == "open" else clock.now()
        session().execute(update(FaceCheck).where(FaceCheck.id == check_id).values(state=state, reason=reason, decided_at=decided))


def _passed(actor: Actor, check_id: UUID, resident_id: UUID, request_id: UUID | None) -> Issued | None:
    """The same person: raise the level (never lower), note the evidence, and open what was waiting."""
    session().execute(update(FaceCheck).where(FaceCheck.id == check_id).values(state="passed", decided_at=clock.now()))
    resident = residents.get(resident_id, lock=True)
    before = resident.identity_level
    resident.identity_level = max(before, int(rules.GIVES_LEVEL[Method.LIVE_FACE]))
    resident.version += 1
    session().flush()
    reference = ids.show("face", check_id)
    residents.add_evidence(actor, resident, Method.LIVE_FACE, reference=reference)
    residents.tell_proved(actor, resident, before, Method.LIVE_FACE)
    if request_id is not None:
        signing_in.decide(actor, signing_in.living(request_id, lock=True), by="face", approve=True)
        return None
    return sessions.raise_strength(actor, int(rules.GIVES_STRENGTH[Method.LIVE_FACE]))
