"""Endpoints as their partner arranges them: added, listed, given a new secret, tested, replayed, deleted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError

import auth
from core import audit, clock, ids, jobs
from core.actors import Actor
from core.db import session
from core.errors import NotFound
from core.paging import Page, page
from core.vocabulary import AuditEvent
from services.exchange import secret_keeping, signing
from services.exchange.delivering import attempt
from services.exchange.destinations import Refused
from services.exchange.errors import DestinationInvalid, EndpointTaken, TooManyEndpoints
from services.exchange.installing import sender
from services.exchange.models import WebhookDelivery, WebhookEndpoint
from services.exchange.telling import tell_test

MOST = 10


@dataclass(frozen=True, slots=True)
class Made:
    """An endpoint with the secret that is shown this once."""

    endpoint: WebhookEndpoint
    secret: str


def add(actor: Actor, url: str, events: Sequence[str]) -> Made:
    """Add an endpoint of the calling partner; DestinationInvalid, EndpointTaken, TooManyEndpoints, PartnerOff."""
    # Locked, because the endpoints are counted below: two that are added at once would both see the same number.
    if auth.partner_living(actor.id, lock=True) is None:
        raise auth.PartnerOff()
    try:
        sender().check(url)
    except Refused as fault:
        raise DestinationInvalid() from fault
    if (session().scalar(select(func.count()).where(WebhookEndpoint.partner_id == actor.id)) or 0) >= MOST:
        raise TooManyEndpoints(most=MOST)
    identity, secret = ids.new_id(), signing.new_secret()
    made = WebhookEndpoint(
        id=identity,
        city_id=actor.city_id,
        partner_id=actor.id,
        url=url,
        events=sorted(set(events)),
        state="active",
        secret_sealed=secret_keeping.sealed(actor.city_id, identity, secret),
        created_at=clock.now(),
    )
    try:
        with session().begin_nested():
            session().add(made)
    except IntegrityError as fault:
        raise EndpointTaken() from fault
    _note(actor, AuditEvent.WEBHOOK_ADDED, made, events=made.events)
    return Made(made, signing.shown(secret))


def all_of(actor: Actor) -> list[WebhookEndpoint]:
    """The partner's endpoints, oldest first."""
    return list(session().scalars(select(WebhookEndpoint).where(WebhookEndpoint.partner_id == actor.id).order_by(WebhookEndpoint.id)))


def remove(actor: Actor, endpoint_id: UUID) -> None:
    """Delete an endpoint with its deliveries; nothing more is sent there."""
    found = own(actor, endpoint_id, lock=True)
    _note(actor, AuditEvent.WEBHOOK_REMOVED, found)
    session().delete(found)
    session().flush()


def new_secret(actor: Actor, endpoint_id: UUID) -> Made:
    """Give an endpoint a new secret; the one before it holds for another day."""
    found = own(actor, endpoint_id, lock=True)
    secret = secret_keeping.rotate(found)
    session().flush()
    _note(actor, AuditEvent.WEBHOOK_SECRET, found)
    return Made(found, signing.shown(secret))


def deliveries(actor: Actor, endpoint_id: UUID, *, cursor: str | None, limit: int) -> Page:
    """What was sent to an endpoint in the last month, newest first."""
    found = own(actor, endpoint_id)
    return page(select(WebhookDelivery).where(WebhookDelivery.endpoint_id == found.id), WebhookDelivery.id, cursor=cursor, limit=limit)


def test(actor: Actor, endpoint_id: UUID) -> WebhookDelivery:
    """Want a test delivery; one that arrives puts a disabled endpoint to work again."""
    found = own(actor, endpoint_id, lock=True)
    return session().get_one(WebhookDelivery, tell_test(found))


def replay(actor: Actor, endpoint_id: UUID, delivery_id: UUID) -> WebhookDelivery:
    """Send a delivery again under its own id, by the schedule from the start; one that waits comes at once."""
    found = own(actor, endpoint_id, lock=True)
    mine = WebhookDelivery.id == delivery_id, WebhookDelivery.endpoint_id == found.id
    again = update(WebhookDelivery).where(*mine).values(state="waiting", attempts=0, next_at=clock.now(), last_fault=None)
    if session().execute(again.returning(WebhookDelivery.id)).scalar() is None:
        raise NotFound()
    jobs.defer(attempt, delivery=str(delivery_id))
    _note(actor, AuditEvent.WEBHOOK_REPLAYED, found, delivery=ids.show("delivery", delivery_id))
    return session().get_one(WebhookDelivery, delivery_id, populate_existing=True)


def own(actor: Actor, endpoint_id: UUID, *, lock: bool = False) -> WebhookEndpoint:
    """An endpoint of the calling partner; NotFound for another's."""
    found = session().get(WebhookEndpoint, endpoint_id, with_for_update=lock or None)
    if found is None or found.partner_id != actor.id:
        raise NotFound()
    return found


def _note(actor: Actor, event: AuditEvent, endpoint: WebhookEndpoint, **detail: object) -> None:
    audit.record(actor, event, city_id=endpoint.city_id, subject=ids.show("endpoint", endpoint.id), detail=dict(detail))
