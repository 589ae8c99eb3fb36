"""HTTP of consent: the resident's own ledger, and the reads that rest on it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from auth.consents import ledger, schemas, sharing, uses
from auth.consents.errors import ConsentMissing, GuardianMustConsent, TextOutdated
from auth.consents.models import Consent
from auth.partners import registering
from auth.partners.errors import PartnerOff, PurposeUnknown
from auth.scopes import PartnerScope
from core.actors import Actor
from core.errors import NotFound, StepUpNeeded
from core.paging import Page
from core.web import PageQuery, Routes, page_of, partner, resident

routes = Routes("consents")


@routes.get("/api/me/consent-offers", operation="listConsentOffers", access=resident(strength=2), gives=schemas.OffersOut)
def list_consent_offers(actor: Actor) -> dict[str, Any]:
    """List the partners of the city and the purposes for which each may ask, with the present texts."""
    offers = [
        {"partner": each.id, "zh": each.zh, "en": each.en, "purposes": list(registering.purposes(each.id).values())}
        for each in registering.all_of_city(actor.city_id, on=True)
    ]
    return {"items": offers}


@routes.get("/api/me/consents", operation="listConsents", access=resident(strength=2), query=PageQuery, gives=page_of(schemas.ConsentOut))
def list_consents(actor: Actor, query: dict[str, Any]) -> Page:
    """List the caller's consents, ended ones too."""
    return ledger.of_resident(actor, cursor=query["cursor"], limit=query["limit"])


@routes.post(
    "/api/me/consents",
    operation="grantConsent",
    access=resident(strength=2),
    takes=schemas.ConsentIn,
    gives=schemas.ConsentOut,
    status=201,
    errors=(NotFound, PurposeUnknown, TextOutdated, PartnerOff, GuardianMustConsent, StepUpNeeded),
)
def grant_consent(actor: Actor, body: dict[str, Any]) -> Consent:
    """Consent to a partner's purpose by the text that was read; an older consent for it is replaced."""
    return ledger.grant_by_code(actor, body["partner"], body["purpose"], body["text_version"])


@routes.delete("/api/me/consents/<id:consent>", operation="withdrawConsent", access=resident(), errors=(NotFound,))
def withdraw_consent(actor: Actor, consent: UUID) -> None:
    """Withdraw a consent: the partner's next read is refused."""
    ledger.withdraw(actor, consent)


@routes.get("/api/me/data-uses", operation="listDataUses", access=resident(strength=2), query=PageQuery, gives=page_of(schemas.UseOut))
def list_data_uses(actor: Actor, query: dict[str, Any]) -> Page:
    """List who looked at the caller's data, when, for what, and at which fields."""
    return uses.of_resident(actor, cursor=query["cursor"], limit=query["limit"])


@routes.get(
    "/api/partner/residents/<subject>",
    operation="readSharedResident",
    access=partner(PartnerScope.READ_RESIDENT),
    query=schemas.PurposeQuery,
    gives=schemas.SharedOut,
    mode="transaction",
    errors=(NotFound, PurposeUnknown, ConsentMissing, PartnerOff),
)
def read_shared_resident(actor: Actor, subject: str, query: dict[str, Any]) -> dict[str, Any]:
    """Read what a resident consented to for a purpose; the consent is checked now, and the resident sees the read."""
    return sharing.read(actor, subject, query["purpose"])
