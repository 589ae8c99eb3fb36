"""One-time authorisations for phones, trusted keys and the hotlist for terminals."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from cards import errors, lifecycle
from cards.authorisations import issuing, listing, trusting
from cards.authorisations.schemas import AckIn, AuthorisationsIn, AuthorisationsOut, HotlistOut, SinceQuery, TrustListOut
from cards.routes import STOPPED
from core.actors import Actor
from core.errors import NotFound
from core.web import Routes, resident, terminal

routes = Routes("city code")
OFFLINE = "offline:accept"


@routes.post(
    "/api/cards/<id:card>/authorisations",
    operation="giveAuthorisations",
    access=resident(level=2),
    takes=AuthorisationsIn,
    gives=AuthorisationsOut,
    status=201,
    idempotent="sealed",
    errors=(errors.DeviceNeeded, errors.OneTimeKeyInvalid, errors.LimitUnknown, errors.TooMuchAtStake, *STOPPED),
)
def give_authorisations(actor: Actor, card: UUID, body: dict[str, Any]) -> Any:
    """Authorise a batch of this phone's one-time keys for city codes, each good for one acceptance within a day."""
    return issuing.give(actor, lifecycle.held(actor, card), **body)


@routes.get("/api/terminals/trust-list", operation="getTrustList", access=terminal(OFFLINE), gives=TrustListOut, etag=True)
def get_trust_list(actor: Actor) -> dict[str, Any]:
    """The issuer keys under which the terminal's city signs authorisations."""
    return {"city_id": actor.city_id, "keys": trusting.trusted(actor.city_id)}


@routes.get("/api/hotlist", operation="getHotlist", access=terminal(OFFLINE), query=SinceQuery, gives=HotlistOut)
def get_hotlist(actor: Actor, query: dict[str, Any]) -> dict[str, Any]:
    """What changed in the hotlist since a version, or all of it."""
    found = listing.changes(actor.city_id, query["since"])
    return {
        "city_id": found.city_id,
        "version": found.version,
        "full": found.full,
        "made_at": found.made_at,
        "added": _joined(found.added),
        "removed": _joined(found.removed),
    }


@routes.post("/api/hotlist/acknowledgements", operation="acknowledgeHotlist", access=terminal(OFFLINE), takes=AckIn, errors=(NotFound,))
def acknowledge_hotlist(actor: Actor, body: dict[str, Any]) -> None:
    """Say up to which version the terminal has the hotlist."""
    listing.acknowledge(actor, body["version"])


def _joined(entries: Iterable[bytes]) -> str:
    return base64.urlsafe_b64encode(b"".join(entries)).decode().rstrip("=")
