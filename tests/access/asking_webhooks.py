"""What is asked of webhooks: endpoints of the partner of the owner's city."""

from __future__ import annotations

import secrets

from auth.scopes import PartnerScope
from core import clock, db, ids
from core.actors import Actor, ActorKind
from services.exchange import endpoints
from tests.access.asking import ASKED, Ask, Scene, asks, plain
from tests.access.whole import YUNCHUAN

AT = "/api/partner/webhook-endpoints"
WANTED = ("citycard.card.lost",)


def endpoint(scene: Scene) -> tuple[str, str]:
    """The partner's endpoint and a delivery to it."""
    scopes = frozenset(str(scope) for scope in PartnerScope)
    actor = Actor(kind=ActorKind.PARTNER, id=scene.partner, city_id=YUNCHUAN, scopes=scopes, signed_in_at=clock.now())
    with db.transaction():
        for old in endpoints.all_of(actor):
            endpoints.remove(actor, old.id)
        made = endpoints.add(actor, new_url(), WANTED).endpoint.id
        return ids.show("endpoint", made), ids.show("delivery", endpoints.test(actor, made).id)


def new_url() -> str:
    """An address that nobody has."""
    return f"https://h{secrets.token_hex(5)}.library.cn/hook"


@asks("createWebhookEndpoint")
def _create(scene: Scene) -> Ask:
    endpoint(scene)
    return Ask(AT, {"url": new_url(), "events": list(WANTED)})


plain("listWebhookEndpoints", AT)


def on_endpoint(operation: str, path: str) -> None:
    """An operation about the partner's endpoint."""

    def ask(scene: Scene) -> Ask:
        shown, delivery = endpoint(scene)
        return Ask(AT + path.format(shown, delivery), None, shown)

    ASKED[operation] = ask


on_endpoint("deleteWebhookEndpoint", "/{0}")
on_endpoint("rotateWebhookSecret", "/{0}/secret")
on_endpoint("listWebhookDeliveries", "/{0}/deliveries")
on_endpoint("replayWebhookDelivery", "/{0}/deliveries/{1}/replay")
on_endpoint("testWebhookEndpoint", "/{0}/test")
