"""Pairwise subjects: each partner knows a resident by another name, so that two partners cannot join their lists (OIDC Core 8.1)."""

from __future__ import annotations

import base64
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from auth.consents.models import PartnerSubject
from core import clock, crypto
from core.db import session


def subject_for(partner_id: UUID, resident_id: UUID, city_id: int) -> str:
    """The name under which a partner knows a resident; kept from the first use on, because only the table leads back."""
    subject = name_of(partner_id, resident_id)
    values = {
        "partner_id": partner_id,
        "subject": subject,
        "city_id": city_id,
        "resident_id": resident_id,
        "created_at": clock.now(),
    }
    session().execute(insert(PartnerSubject).values(values).on_conflict_do_nothing())
    return subject


def name_of(partner_id: UUID, resident_id: UUID) -> str:
    """The pairwise name itself: a keyed hash, so that nobody outside can compute or compare it."""
    digest = crypto.keyring().mac("pairwise-subject", partner_id.bytes + resident_id.bytes)
    return base64.b32encode(digest[:20]).decode().lower()


def resident_of(partner_id: UUID, subject: str) -> UUID | None:
    """Whom a partner means by a subject; None for another partner's name as for nonsense."""
    wanted = select(PartnerSubject.resident_id).where(PartnerSubject.partner_id == partner_id, PartnerSubject.subject == subject)
    return session().scalar(wanted)
