"""Who agreed to what, and what still has to be agreed to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert

from auth import residents
from auth.agreements import texts
from auth.agreements.errors import AgreementOutdated, GuardianMustAgree, SeparateConsentNeeded
from auth.agreements.models import Acceptance
from auth.agreements.texts import AT_FIRST_START, Kind
from auth.rules import AgeBand
from core import audit, clock, ids
from core.actors import Actor
from core.db import session
from core.errors import NotFound
from core.fields import rfc3339
from core.paging import Page, page
from core.vocabulary import AuditEvent

# What a guardian agrees to before the name and number of a child are kept.
TO_NAME_A_CHILD = (*AT_FIRST_START, Kind.IDENTITY_DATA)


@dataclass(frozen=True, slots=True)
class Guardian:
    """Who agrees for which child, both residents, and the document by which a clerk saw that they may."""

    child_id: UUID
    id: UUID
    document: str


def agree(actor: Actor, wanted: Iterable[tuple[Kind, str]], *, by: Guardian | None = None) -> None:
    """Write down that the caller, or before a clerk a guardian, agrees to these texts; once for each version.

    AgreementOutdated unless all are the present ones; GuardianMustAgree for a caller under fourteen (PIPL article 31).
    """
    if by is None and _is_child(actor.id):
        raise GuardianMustAgree()
    for kind, version in dict.fromkeys(wanted):
        text = texts.present()[kind]
        if text.version != version:
            raise AgreementOutdated(kind=str(kind), version=text.version)
        _keep(actor, text, by)


def _is_child(resident_id: UUID) -> bool:
    return residents.age_band(resident_id) is AgeBand.UNDER_14


def _keep(actor: Actor, text: texts.Text, by: Guardian | None) -> None:
    resident_id = by.child_id if by else actor.id
    values = {
        "id": ids.new_id(),
        "city_id": actor.city_id,
        "resident_id": resident_id,
        "kind": str(text.kind),
        "text_version": text.version,
        "text_sha256": text.sha256,
        "device_id": actor.device_id,
        "agreed_at": clock.now(),
        "guardian_id": by.id if by else None,
        "guardian_document": by.document if by else None,
    }
    made = session().scalar(insert(Acceptance).values(values).on_conflict_do_nothing().returning(Acceptance.id))
    if made is not None:  # else the same was agreed to before, and that moment stays
        beside = {"guardian": ids.show("resident", by.id), "document": by.document} if by else {}
        _note(actor, AuditEvent.AGREEMENT_ACCEPTED, made, resident_id, kind=str(text.kind), text_version=text.version, **beside)


def withdraw(actor: Actor, acceptance_id: UUID) -> None:
    """Take an agreement back; NotFound for another's. What rests on it asks again."""
    found = session().get(Acceptance, acceptance_id, with_for_update=True)
    if found is None or found.resident_id != actor.id:
        raise NotFound()
    if found.withdrawn_at is not None:
        return
    found.withdrawn_at = clock.now()
    session().flush()
    _note(actor, AuditEvent.AGREEMENT_WITHDRAWN, found.id, actor.id, kind=found.kind, text_version=found.text_version)


def due(resident_id: UUID) -> list[str]:
    """The kinds of which the resident has not agreed to the present version, of those that everybody agrees to."""
    agreed = _counts(resident_id)
    return [str(kind) for kind in AT_FIRST_START if (str(kind), texts.present()[kind].version) not in agreed]


def need(actor: Actor, kind: Kind) -> None:
    """SeparateConsentNeeded unless the caller agreed to the present version of a text about sensitive information."""
    version = texts.present()[kind].version
    if (str(kind), version) not in _counts(actor.id):
        raise SeparateConsentNeeded(kind=str(kind), version=version)


def need_said(resident_id: UUID, kind: Kind, version: str) -> None:
    """SeparateConsentNeeded unless this is the present version: at the door, where nobody is signed in whose word could be kept.

    GuardianMustAgree for a child whose guardian has not agreed (PIPL article 31).
    """
    present = texts.present()[kind].version
    if version != present:
        raise SeparateConsentNeeded(kind=str(kind), version=present)
    if _is_child(resident_id) and (str(kind), present) not in _counts(resident_id):
        raise GuardianMustAgree()


def need_guardian(child_id: UUID) -> None:
    """GuardianMustAgree unless a guardian agreed to the present versions that a child's name and number rest on (PIPL article 31)."""
    if not _live(child_id, of_guardian=True) >= {(str(kind), texts.present()[kind].version) for kind in TO_NAME_A_CHILD}:
        raise GuardianMustAgree()


def of_resident(actor: Actor, *, cursor: str | None, limit: int) -> Page:
    """What the caller agreed to, newest first, withdrawn ones too."""
    return page(select(Acceptance).where(Acceptance.resident_id == actor.id), Acceptance.id, cursor=cursor, limit=limit)


def export(resident_id: UUID) -> list[dict[str, Any]]:
    """Everything the resident agreed to, for the resident alone."""
    mine = session().scalars(select(Acceptance).where(Acceptance.resident_id == resident_id).order_by(Acceptance.id))
    return [
        {
            "kind": each.kind,
            "text_version": each.text_version,
            "text_sha256": each.text_sha256.hex(),
            "agreed_at": rfc3339(each.agreed_at),
            "withdrawn_at": rfc3339(each.withdrawn_at) if each.withdrawn_at else None,
            "by_guardian": each.guardian_id is not None,
        }
        for each in mine
    ]


def end_all(resident_id: UUID) -> None:
    """End every agreement, as closing the account does; the lines stay, because they prove that the data were held lawfully."""
    mine = update(Acceptance).where(Acceptance.resident_id == resident_id, Acceptance.withdrawn_at.is_(None))
    session().execute(mine.values(withdrawn_at=clock.now()))


def _counts(resident_id: UUID) -> set[tuple[str, str]]:
    """What counts today: under fourteen what a guardian agreed to, and from the birthday on what the resident did."""
    return _live(resident_id, of_guardian=_is_child(resident_id))


def _live(resident_id: UUID, *, of_guardian: bool) -> set[tuple[str, str]]:
    mine = select(Acceptance.kind, Acceptance.text_version).where(Acceptance.resident_id == resident_id, Acceptance.withdrawn_at.is_(None))
    said = Acceptance.guardian_id.is_not(None) if of_guardian else Acceptance.guardian_id.is_(None)
    return {(kind, version) for kind, version in session().execute(mine.where(said))}


def _note(actor: Actor, event: AuditEvent, acceptance: UUID, resident_id: UUID, **detail: str) -> None:
    shown = ids.show("agreement", acceptance)
    audit.record(actor, event, city_id=actor.city_id, subject=shown, resident_id=resident_id, detail=dict(detail))
