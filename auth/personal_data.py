"""What this floor holds of a resident, and how it forgets (PIPL articles 45 and 47)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select, update

from auth import residents, sessions
from auth.agreements import keeping as agreements
from auth.models import Device, Resident, SignIn, SignInCode
from auth.passkeys import keeping
from core import clock, crypto, ids
from core.db import session
from core.errors import NotFound
from core.fields import rfc3339


class AuthData:
    """The account, its evidence, its devices and its sessions."""

    @property
    def tables(self) -> Iterable[str]:
        """The names of the tables with a resident in them."""
        own = ("resident", "identity_evidence", "device", "session", "sign_in_request", "face_check", "passkey", "passkey_challenge")
        return (*own, "agreement_acceptance", "resident_key", "data_use", "audit")

    def export(self, resident_id: UUID) -> dict[str, Any]:
        """The account in the clear, for the resident alone."""
        found = session().get(Resident, resident_id)
        if found is None:
            raise NotFound()
        columns = {name: getattr(found, column) for name, column in residents.COLUMNS.items()}
        person = {name: crypto.open_sealed(resident_id, name, blob) for name, blob in columns.items() if blob is not None}
        devices = session().scalars(select(Device).where(Device.resident_id == resident_id).order_by(Device.id))
        signed_in = session().scalars(select(SignIn).where(SignIn.resident_id == resident_id).order_by(SignIn.id))
        return {
            "id": ids.show("resident", resident_id),
            **person,
            "identity_level": found.identity_level,
            "created_at": rfc3339(found.created_at),
            "evidence": [
                {"method": e.method, "level": e.level, "proved_at": rfc3339(e.proved_at)} for e in residents.evidence(resident_id)
            ],
            "devices": [{"name": d.name, "created_at": rfc3339(d.created_at), "used_at": rfc3339(d.used_at)} for d in devices],
            "passkeys": keeping.export(resident_id),
            "agreements": agreements.export(resident_id),
            "sessions": [{"started_at": rfc3339(s.started_at), "used_at": rfc3339(s.used_at)} for s in signed_in],
        }

    def erase(self, resident_id: UUID) -> None:
        """Close the account and destroy the key under which the person is named; the evidence keeps methods and times alone."""
        found = session().get(Resident, resident_id, with_for_update=True)
        if found is None:
            raise NotFound()
        sessions.end_all("erased", resident_id=resident_id)
        keeping.erase(resident_id)
        agreements.end_all(resident_id)
        now = clock.now()
        session().execute(update(Device).where(Device.resident_id == resident_id, Device.revoked_at.is_(None)).values(revoked_at=now))
        if found.phone_blind is not None:
            session().execute(delete(SignInCode).where(SignInCode.city_id == found.city_id, SignInCode.phone_blind == found.phone_blind))
        found.state, found.closed_at = "closed", now
        session().flush()
        crypto.shred(resident_id)
