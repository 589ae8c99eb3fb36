"""Which partner is told of what: a fact becomes a delivery for each endpoint that asked for it, in the transaction that hears the fact.

A partner hears of its own consents, and of the cards of residents whose consent it holds, each under the partner's own name for the
resident. Nothing in a body is the same for two partners: ids of facts and cards stay here, and times are whole seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

import auth
from core import clock, ids, jobs
from core.db import session
from core.outbox import Fact, listens
from core.vocabulary import Event
from services.exchange.delivering import attempt
from services.exchange.installing import source
from services.exchange.models import WebhookDelivery, WebhookEndpoint


class Told(StrEnum):
    """What a partner can be told, as it stands in ``type`` of the CloudEvent."""

    CONSENT_GRANTED = "citycard.consent.granted"
    CONSENT_WITHDRAWN = "citycard.consent.withdrawn"
    CARD_LOST = "citycard.card.lost"
    CARD_FOUND = "citycard.card.found"
    TEST = "citycard.endpoint.test"


TOLD = {
    Event.CONSENT_GRANTED: Told.CONSENT_GRANTED,
    Event.CONSENT_WITHDRAWN: Told.CONSENT_WITHDRAWN,
    Event.CARD_LOST: Told.CARD_LOST,
    Event.CARD_FOUND: Told.CARD_FOUND,
    # To a partner the card is simply no longer lost, whoever ended it.
    Event.CARD_LOSS_LAPSED: Told.CARD_FOUND,
}
WANTED = tuple(dict.fromkeys(str(told) for told in TOLD.values()))
_OF_ITS_OWN = (Event.CONSENT_GRANTED, Event.CONSENT_WITHDRAWN)
_SAID = ("consent", "purpose", "text_version")


@dataclass(frozen=True, slots=True)
class Listener:
    """A partner that may hear of a fact, and its own name for the resident."""

    partner_id: UUID
    subject: str


@listens(*TOLD)
def tell_partners(fact: Fact) -> None:
    """Want a delivery for each endpoint of each partner that may hear this."""
    told = TOLD[fact.event]
    for listener in _listeners(fact):
        for endpoint in _endpoints(listener.partner_id, told):
            data = {"subject": listener.subject}
            if fact.event in _OF_ITS_OWN:
                data |= {name: fact.payload[name] for name in _SAID}
            write(endpoint, told, data, subject=listener.subject, at=_seconds(fact), fact_id=fact.id)


def tell_test(endpoint: WebhookEndpoint) -> UUID:
    """Want a delivery that says only that the way is open."""
    made = write(endpoint, Told.TEST, {"endpoint": ids.show("endpoint", endpoint.id)}, subject=None, at=_second_of_now(), fact_id=None)
    assert made is not None
    return made


def write(
    endpoint: WebhookEndpoint, told: Told, data: dict[str, Any], *, subject: str | None, at: str, fact_id: UUID | None
) -> UUID | None:
    """Write a delivery and the wish to send it; once for each fact and endpoint."""
    identity = ids.new_id()
    body = {
        "specversion": "1.0",
        "id": ids.show("delivery", identity),
        "source": source(),
        "type": str(told),
        "time": at,
        "datacontenttype": "application/json",
        "data": data,
    }
    if subject is not None:
        body["subject"] = subject
    now = clock.now()
    row = {
        "id": identity,
        "city_id": endpoint.city_id,
        "endpoint_id": endpoint.id,
        "fact_id": fact_id,
        "event": str(told),
        "body": body,
        "state": "waiting",
        "next_at": now,
        "created_at": now,
    }
    made = insert(WebhookDelivery).values(row).on_conflict_do_nothing(index_elements=["endpoint_id", "fact_id"])
    written = session().execute(made.returning(WebhookDelivery.id)).scalar()
    if written is not None:
        jobs.defer(attempt, key=f"webhook:{identity}", delivery=str(identity))
    return written


def _listeners(fact: Fact) -> list[Listener]:
    resident_id = _resident(fact)
    if fact.event in _OF_ITS_OWN:
        partner_id = ids.parse("partner", fact.payload["partner"])
        return [Listener(partner_id, auth.partner_subject(partner_id, resident_id, fact.city_id))]
    held = auth.partners_with_consent(resident_id)
    return [Listener(partner_id, auth.partner_subject(partner_id, resident_id, fact.city_id)) for partner_id in held]


def _endpoints(partner_id: UUID, told: Told) -> list[WebhookEndpoint]:
    if auth.partner_living(partner_id) is None:
        return []
    wanted = select(WebhookEndpoint).where(
        WebhookEndpoint.partner_id == partner_id,
        WebhookEndpoint.state == "active",
        WebhookEndpoint.events.contains([str(told)]),
    )
    # Locked, so that an endpoint that is being deleted is either told before or not at all.
    return list(session().scalars(wanted.order_by(WebhookEndpoint.id).with_for_update(read=True, key_share=True)))


def _resident(fact: Fact) -> UUID:
    said = str(fact.payload.get("resident_id") or fact.payload["resident"])
    return ids.parse("resident", said) if said.startswith("resident_") else UUID(said)


def _seconds(fact: Fact) -> str:
    return fact.occurred_at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _second_of_now() -> str:
    return clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
