"""A partner's counter scans a pay code: who stands there, as far as scope and purpose allow."""

from __future__ import annotations

from typing import Any

from auth import PartnerOff, PartnerScope, PurposeUnknown, partner_living, partner_purpose, subject_if_consented
from cards import presenting
from cards.routes import CODES, STOPPED
from cards.schemas import PartnerPresentationIn, PartnerPresentationOut
from core.actors import Actor
from core.db import transaction
from core.web import Routes, partner

routes = Routes("cards")


@routes.post(
    "/api/partner/presentations",
    operation="presentToPartner",
    access=partner(PartnerScope.VERIFY),
    takes=PartnerPresentationIn,
    gives=PartnerPresentationOut,
    status=201,
    mode="calls",
    errors=(*CODES, *STOPPED, PurposeUnknown, PartnerOff),
)
def present_to_partner(actor: Actor, body: dict[str, Any]) -> dict[str, Any]:
    """Verify a pay code that is shown to a partner: it is consumed, and names the resident only if they consented to the purpose."""
    with transaction():
        if partner_living(actor.id) is None:
            raise PartnerOff()
        partner_purpose(actor.id, body["purpose"])
    given = presenting.present(actor, body["code"], purpose=body["purpose"])
    with transaction():
        subject = subject_if_consented(actor, given.resident_id, body["purpose"])
    card = {"tail": given.card_tail, "form": given.form, "product": given.product, "concession": given.concession}
    return {"id": given.id, "expires_at": given.expires_at, "masked_name": given.masked_name, "card": card, "subject": subject}
