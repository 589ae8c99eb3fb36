"""What a partner reads of a resident: the consented fields for a named purpose, checked at the moment of reading and written down."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, select

from auth import residents, rules
from auth.consents import ledger, subjects
from auth.consents.errors import ConsentMissing
from auth.consents.models import Consent
from auth.models import Resident
from auth.partners import registering
from auth.partners.errors import PartnerOff
from core import audit, clock, crypto
from core.actors import Actor
from core.db import session
from core.errors import NotFound


def read(actor: Actor, subject: str, purpose: str) -> dict[str, Any]:
    """The consented fields of the resident whom this partner knows by ``subject``.

    NotFound for a subject this partner was never given, PurposeUnknown, and ConsentMissing without a consent that holds now.
    """
    if registering.living(actor.id) is None:
        raise PartnerOff()
    registering.purpose(actor.id, purpose)
    resident_id = subjects.resident_of(actor.id, subject)
    if resident_id is None:
        raise NotFound()
    consent = ledger.living(resident_id, actor.id, purpose, lock=True)
    if consent is None:
        raise ConsentMissing()
    given = open_fields(actor, resident_id, consent.fields, purpose=purpose)
    return {"subject": subject, "purpose": purpose, "text_version": consent.text_version, "fields": given}


def open_fields(actor: Actor, resident_id: UUID, fields: Sequence[str], *, purpose: str) -> dict[str, Any]:
    """Open these fields of a resident for a partner, and write the line that the resident can read; unknown facts are None."""
    found = session().get(Resident, resident_id)
    if found is None or found.state != "active":
        raise NotFound()
    opened = {name: _value(found, name) for name in fields}
    audit.data_use(actor, city_id=found.city_id, resident_id=resident_id, purpose=purpose, fields=sorted(opened))
    return opened


def subject_if_consented(actor: Actor, resident_id: UUID, purpose: str) -> str | None:
    """The partner's own name for a resident, if the resident consented to this purpose; otherwise nobody."""
    consent = ledger.living(resident_id, actor.id, purpose)
    return None if consent is None else subjects.subject_for(actor.id, resident_id, consent.city_id)


def partners_with_consent(resident_id: UUID) -> list[UUID]:
    """The partners that hold any consent of a resident now."""
    return list(session().scalars(select(Consent.partner_id).where(Consent.resident_id == resident_id, *_holds()).distinct()))


def consent_stands(partner_id: UUID, subject: str) -> bool:
    """Whether the resident whom a partner knows by this subject still consents to anything there."""
    resident_id = subjects.resident_of(partner_id, subject)
    held = select(Consent.id).where(Consent.resident_id == resident_id, Consent.partner_id == partner_id, *_holds())
    return session().scalar(held.limit(1)) is not None


def _holds() -> tuple[ColumnElement[bool], ...]:
    return Consent.withdrawn_at.is_(None), Consent.expires_at > clock.now()


def _value(resident: Resident, name: str) -> Any:
    if name in residents.COLUMNS:
        blob: bytes | None = getattr(resident, residents.COLUMNS[name])
        return None if blob is None else crypto.open_sealed(resident.id, name, blob)
    if name == "age_band":
        if resident.birth_date_sealed is None:
            return None
        born = dt.date.fromisoformat(crypto.open_sealed(resident.id, "birth_date", resident.birth_date_sealed))
        return str(rules.age_band(born, clock.today()))
    return resident.masked_name or None if name == "masked_name" else resident.identity_level
