"""What the ledger holds of a resident, and how it forgets (PIPL articles 45 and 47)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select

from auth.consents import ledger
from auth.consents.models import Consent
from auth.oauth.models import AuthorizationRequest, Browser, Grant
from core import ids
from core.db import session
from core.fields import rfc3339


class SharingData:
    """Consents and sign-ins at partners."""

    @property
    def tables(self) -> Iterable[str]:
        """The names of the tables with a resident in them."""
        return ("consent", "partner_subject", "oauth_browser", "oauth_grant")

    def export(self, resident_id: UUID) -> dict[str, Any]:
        """Every consent and every sign-in at a partner."""
        consents = session().scalars(select(Consent).where(Consent.resident_id == resident_id).order_by(Consent.id))
        grants = session().scalars(select(Grant).where(Grant.resident_id == resident_id).order_by(Grant.id))
        return {
            "consents": [
                {
                    "partner": ids.show("partner", each.partner_id),
                    "purpose": each.purpose,
                    "text_version": each.text_version,
                    "fields": list(each.fields),
                    "offline": each.offline,
                    "granted_at": rfc3339(each.granted_at),
                    "withdrawn_at": rfc3339(each.withdrawn_at) if each.withdrawn_at else None,
                }
                for each in consents
            ],
            "partner_sign_ins": [
                {"partner": ids.show("partner", each.partner_id), "scopes": list(each.scopes), "at": rfc3339(each.created_at)}
                for each in grants
            ],
        }

    def erase(self, resident_id: UUID) -> None:
        """Withdraw every consent and forget every sign-in; the consents themselves are the proof that sharing was lawful, and stay."""
        ledger.withdraw_all(resident_id, "account_closed")
        browsers = select(Browser.id).where(Browser.resident_id == resident_id)
        session().execute(delete(AuthorizationRequest).where(AuthorizationRequest.browser_id.in_(browsers)))
        session().execute(delete(Browser).where(Browser.resident_id == resident_id))
