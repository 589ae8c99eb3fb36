"""The secrets of an endpoint: sealed at rest, shown once, two of them while the partner replaces one."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from core import clock, crypto
from services.exchange import signing
from services.exchange.models import WebhookEndpoint

BOTH_HOLD = dt.timedelta(hours=24)


def sealed(city_id: int, endpoint_id: UUID, secret: bytes) -> bytes:
    """A secret as it is stored."""
    return crypto.keyring().wrap(city_id, _place(endpoint_id), secret)


def rotate(endpoint: WebhookEndpoint) -> bytes:
    """Make a new secret; the one before it holds for another day.

    Within that day a further call replaces the new secret alone: whoever lost our answer asks again and still has one that holds.
    """
    made, now = signing.new_secret(), clock.now()
    if endpoint.earlier_until is None or endpoint.earlier_until <= now:
        endpoint.earlier_secret_sealed, endpoint.earlier_until = endpoint.secret_sealed, now + BOTH_HOLD
    endpoint.secret_sealed = sealed(endpoint.city_id, endpoint.id, made)
    return made


def held(endpoint: WebhookEndpoint) -> list[bytes]:
    """The secrets that hold now, the newest first."""
    kept = [endpoint.secret_sealed]
    if endpoint.earlier_secret_sealed is not None and endpoint.earlier_until is not None and endpoint.earlier_until > clock.now():
        kept.append(endpoint.earlier_secret_sealed)
    return [crypto.keyring().unwrap(endpoint.city_id, _place(endpoint.id), each) for each in kept]


def _place(endpoint_id: UUID) -> str:
    return f"webhook-secret|{endpoint_id}"
