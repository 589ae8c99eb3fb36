"""HTTP of webhooks: a partner arranges where it is told, in its own name."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from auth import PartnerOff, PartnerScope
from core.actors import Actor
from core.errors import NotFound
from core.paging import Page
from core.web import PageQuery, Routes, page_of, partner
from services.exchange import endpoints, schemas
from services.exchange.endpoints import Made
from services.exchange.errors import DestinationInvalid, EndpointTaken, TooManyEndpoints
from services.exchange.models import WebhookDelivery

routes = Routes("webhooks")
ALLOWED = partner(PartnerScope.WEBHOOKS)
AT = "/api/partner/webhook-endpoints"


@routes.post(
    AT,
    operation="createWebhookEndpoint",
    access=ALLOWED,
    takes=schemas.EndpointIn,
    gives=schemas.SecretOut,
    status=201,
    errors=(DestinationInvalid, EndpointTaken, TooManyEndpoints, PartnerOff),
)
def create_webhook_endpoint(actor: Actor, body: dict[str, Any]) -> Made:
    """Add an address at which the partner is told of events; the secret is shown this once."""
    return endpoints.add(actor, body["url"], body["events"])


@routes.get(AT, operation="listWebhookEndpoints", access=ALLOWED, gives=schemas.EndpointsOut)
def list_webhook_endpoints(actor: Actor) -> dict[str, Any]:
    """List the partner's endpoints."""
    return {"items": endpoints.all_of(actor)}


@routes.delete(f"{AT}/<id:endpoint>", operation="deleteWebhookEndpoint", access=ALLOWED, errors=(NotFound,))
def delete_webhook_endpoint(actor: Actor, endpoint: UUID) -> None:
    """Delete an endpoint with its deliveries."""
    endpoints.remove(actor, endpoint)


@routes.post(
    f"{AT}/<id:endpoint>/secret", operation="rotateWebhookSecret", access=ALLOWED, gives=schemas.SecretOut, status=201, errors=(NotFound,)
)
def rotate_webhook_secret(actor: Actor, endpoint: UUID) -> Made:
    """Make a new secret; for a day every message is signed by both."""
    return endpoints.new_secret(actor, endpoint)


@routes.get(
    f"{AT}/<id:endpoint>/deliveries",
    operation="listWebhookDeliveries",
    access=ALLOWED,
    query=PageQuery,
    gives=page_of(schemas.DeliveryOut),
    errors=(NotFound,),
)
def list_webhook_deliveries(actor: Actor, endpoint: UUID, query: dict[str, Any]) -> Page:
    """List what was sent to an endpoint, newest first, with what came of it."""
    return endpoints.deliveries(actor, endpoint, cursor=query["cursor"], limit=query["limit"])


@routes.post(
    f"{AT}/<id:endpoint>/deliveries/<id:delivery>/replay",
    operation="replayWebhookDelivery",
    access=ALLOWED,
    gives=schemas.DeliveryOut,
    status=202,
    errors=(NotFound,),
)
def replay_webhook_delivery(actor: Actor, endpoint: UUID, delivery: UUID) -> WebhookDelivery:
    """Send a delivery again under the same id."""
    return endpoints.replay(actor, endpoint, delivery)


@routes.post(
    f"{AT}/<id:endpoint>/test", operation="testWebhookEndpoint", access=ALLOWED, gives=schemas.DeliveryOut, status=202, errors=(NotFound,)
)
def test_webhook_endpoint(actor: Actor, endpoint: UUID) -> WebhookDelivery:
    """Send a test event; one that arrives puts a disabled endpoint to work again."""
    return endpoints.test(actor, endpoint)
