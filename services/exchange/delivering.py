"""Delivery after the commit: claimed, sent outside any transaction, and written down; tried again by a published schedule.

A claim moves the next attempt a minute away before anything is sent. A worker that dies in between leaves a delivery whose time comes
again: a receiver may hear a thing twice, under the same id, and never not at all.
"""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from uuid import UUID

import structlog
from sqlalchemy import delete, select, update

import auth
from core import audit, clock, ids, jobs
from core.actors import system
from core.db import session, transaction
from core.vocabulary import AuditEvent
from services.exchange import secret_keeping, signing
from services.exchange.installing import sender
from services.exchange.models import WebhookDelivery, WebhookEndpoint
from services.exchange.sending import Outcome

log = structlog.get_logger("webhooks")
# How long after each attempt the next one comes; after the last the delivery is dead. Published in docs/webhooks.md.
SCHEDULE = tuple(dt.timedelta(seconds=seconds) for seconds in (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400))
LEASE = dt.timedelta(seconds=60)
SILENT_PAUSE = dt.timedelta(seconds=60)
MOST_AT_ONCE = 100
DISABLED_AFTER = dt.timedelta(days=5)
KEPT = dt.timedelta(days=30)
TEST = "citycard.endpoint.test"
_RESTS_ON_CONSENT = ("citycard.card.lost", "citycard.card.found")


@dataclass(frozen=True, slots=True)
class _Claimed:
    """All that sending needs, so that no transaction is open meanwhile."""

    id: UUID
    attempts: int
    url: str
    secrets: list[bytes]
    body: bytes


@jobs.job("exchange:webhook:attempt", lane=jobs.STRANGERS)
def attempt(delivery: str) -> None:
    """Try one delivery if its time has come; harmless when it was done, or is being done, by somebody else."""
    with transaction():
        claimed = _claim(UUID(delivery))
    if claimed is None:
        return
    shown, timestamp = ids.show("delivery", claimed.id), int(clock.timestamp())
    headers = {
        "Content-Type": "application/cloudevents+json; charset=utf-8",
        "User-Agent": "citycard-webhooks/1",
        **signing.headers(shown, timestamp, claimed.body, claimed.secrets),
    }
    outcome = sender().post(claimed.url, headers, claimed.body)
    log.info("webhook", delivery=shown, attempt=claimed.attempts, status=outcome.status, fault=outcome.fault)
    with transaction():
        _write_down(claimed, outcome)


@jobs.every("exchange:webhook:sweep", seconds=30)
def sweep() -> None:
    """Want every delivery whose time came and whose own job was lost with its worker."""
    with transaction():
        due = select(WebhookDelivery.id).where(WebhookDelivery.state == "waiting", WebhookDelivery.next_at <= clock.now())
        for identity in session().scalars(due.order_by(WebhookDelivery.next_at).limit(MOST_AT_ONCE)):
            jobs.defer(attempt, key=f"webhook:{identity}", delivery=str(identity))


@jobs.every("exchange:webhook:forget", daily_at=dt.time(3, 50))
def forget() -> None:
    """Delete the deliveries that are older than a month."""
    with transaction():
        session().execute(delete(WebhookDelivery).where(WebhookDelivery.created_at < clock.now() - KEPT))


def _claim(identity: UUID) -> _Claimed | None:
    """Take a delivery for a minute; None if it is not due, or no longer to be sent."""
    due = select(WebhookDelivery).where(
        WebhookDelivery.id == identity, WebhookDelivery.state == "waiting", WebhookDelivery.next_at <= clock.now()
    )
    found = session().scalar(due.with_for_update(skip_locked=True))
    if found is None:
        return None
    endpoint = session().get_one(WebhookEndpoint, found.endpoint_id)
    if (reason := _no_longer(found, endpoint)) is not None:
        _end(found, "dropped", reason)
        return None
    if found.attempts > len(SCHEDULE):
        # Claimed for the last time by a worker that died.
        _end(found, "dead", "no_answer")
        return None
    found.attempts += 1
    found.next_at = clock.now() + LEASE
    session().flush()
    body = json.dumps(found.body, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()
    return _Claimed(found.id, found.attempts, endpoint.url, secret_keeping.held(endpoint), body)


def _no_longer(found: WebhookDelivery, endpoint: WebhookEndpoint) -> str | None:
    """Why a delivery is not sent any more: what was true when it was written may have ended since."""
    if auth.partner_living(endpoint.partner_id) is None:
        return "partner_off"
    if endpoint.state != "active" and found.event != TEST:
        return "endpoint_disabled"
    if found.event in _RESTS_ON_CONSENT and not auth.consent_stands(endpoint.partner_id, found.body["subject"]):
        return "consent_ended"
    return None


def _write_down(claimed: _Claimed, outcome: Outcome) -> None:
    """Note what came of an attempt, unless a later one overtook it."""
    mine = select(WebhookDelivery).where(
        WebhookDelivery.id == claimed.id, WebhookDelivery.attempts == claimed.attempts, WebhookDelivery.state == "waiting"
    )
    endpoint_id = session().scalar(select(WebhookDelivery.endpoint_id).where(WebhookDelivery.id == claimed.id))
    if endpoint_id is None:
        return  # the endpoint was deleted meanwhile
    endpoint = session().get(WebhookEndpoint, endpoint_id, with_for_update=True)
    found = session().scalar(mine.with_for_update())
    if endpoint is None or found is None:
        return
    found.last_at, found.last_status, found.last_fault = clock.now(), outcome.status, outcome.fault
    if outcome.done:
        found.state, found.next_at = "delivered", None
        endpoint.failing_since, endpoint.state, endpoint.note = None, "active", None
    else:
        _put_off(found, outcome)
        _note_failure(endpoint, outcome)
        if outcome.status is None:
            _spare(endpoint, found.id)
    session().flush()


def _put_off(found: WebhookDelivery, outcome: Outcome) -> None:
    if outcome.gone or found.attempts > len(SCHEDULE):
        found.state, found.next_at = "dead", None
        return
    found.next_at = clock.now() + SCHEDULE[found.attempts - 1]
    jobs.defer(attempt, at=found.next_at, key=f"webhook:{found.id}", delivery=str(found.id))


def _spare(endpoint: WebhookEndpoint, tried: UUID) -> None:
    """Let the other deliveries of an endpoint that does not answer wait a minute: each would hold a worker for seconds."""
    others = update(WebhookDelivery).where(
        WebhookDelivery.endpoint_id == endpoint.id, WebhookDelivery.state == "waiting", WebhookDelivery.id != tried
    )
    soon = clock.now() + SILENT_PAUSE
    session().execute(others.where(WebhookDelivery.next_at < soon).values(next_at=soon), execution_options={"synchronize_session": False})


def _note_failure(endpoint: WebhookEndpoint, outcome: Outcome) -> None:
    now = clock.now()
    endpoint.failing_since = endpoint.failing_since or now
    if outcome.gone:
        _disable(endpoint, "gone")
    elif now - endpoint.failing_since >= DISABLED_AFTER:
        _disable(endpoint, "failing")


def _disable(endpoint: WebhookEndpoint, note: str) -> None:
    """Send nothing more there until a test succeeds; what waits is dropped when its time comes, and can be replayed."""
    if endpoint.state == "disabled":
        return
    endpoint.state, endpoint.note = "disabled", note
    audit.record(
        system("exchange", endpoint.city_id),
        AuditEvent.WEBHOOK_DISABLED,
        city_id=endpoint.city_id,
        subject=ids.show("endpoint", endpoint.id),
        detail={"partner": ids.show("partner", endpoint.partner_id), "because": note},
    )


def _end(found: WebhookDelivery, state: str, fault: str) -> None:
    session().execute(update(WebhookDelivery).where(WebhookDelivery.id == found.id).values(state=state, next_at=None, last_fault=fault))
