"""Giving authorisations to a phone: one for each one-time key it sends, for a day, within what may be at stake (F35, F179)."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select

import citycode
from cards.authorisations import trusting
from cards.authorisations.identities import identity
from cards.authorisations.models import AuthorisationBatch
from cards.authorisations.rules import LIMITS_FEN, MOST_AT_STAKE_FEN, concession_class, window
from cards.errors import DeviceNeeded, LimitUnknown, OneTimeKeyInvalid, TooMuchAtStake, refusal
from cards.models import Card
from cards.rules import why_refused
from cards.viewing import view
from cards.wiring import wired
from core import audit, clock, ids
from core.actors import Actor
from core.db import session
from core.vocabulary import AuditEvent


@dataclass(frozen=True, slots=True)
class AuthorisationsGiven:
    """What a phone keeps: an authorisation for each of its keys, in their order."""

    card_id: UUID
    authorisations: list[str]
    limit_fen: int
    concession: int
    starts_at: datetime
    expires_at: datetime
    server_time: datetime


def give(
    actor: Actor, card: Card, *, keys: Sequence[str], limit_fen: int, shows_concession: bool = False, following: bool = False
) -> AuthorisationsGiven:
    """Authorise the one-time keys of this phone for a locked card; each is good for one acceptance of at most ``limit_fen``."""
    if actor.device_id is None:
        raise DeviceNeeded()
    if (code := why_refused(card, clock.now(), clock.today())) is not None:
        raise refusal(code)
    if limit_fen not in LIMITS_FEN:
        raise LimitUnknown(limits_fen=list(LIMITS_FEN))
    points = [_point(key) for key in keys]
    if len(set(points)) != len(points):
        raise OneTimeKeyInvalid(reason="twice")
    starts_at, expires_at = window(clock.now(), following=following)
    at_stake = stake(card.id, starts_at) + limit_fen * len(keys)
    if at_stake > MOST_AT_STAKE_FEN:
        raise TooMuchAtStake(most_fen=MOST_AT_STAKE_FEN)
    for hook in wired().before_authorise if limit_fen else ():
        hook(actor, view(card), at_stake)
    batch = AuthorisationBatch(
        city_id=card.city_id,
        resident_id=card.resident_id,
        card_id=card.id,
        device_id=actor.device_id,
        size=len(keys),
        limit_fen=limit_fen,
        concession=concession_class(card.concession, shown=shows_concession),
        starts_at=starts_at,
        expires_at=expires_at,
        given_at=clock.now(),
    )
    session().add(batch)
    session().flush()
    subject, detail = ids.show("card", card.id), {"count": len(keys), "limit_fen": limit_fen}
    audit.record(actor, AuditEvent.AUTHORISATIONS_GIVEN, city_id=card.city_id, subject=subject, resident_id=card.resident_id, detail=detail)
    return _given(batch, points)


def stake(card_id: UUID, starts_at: datetime) -> int:
    """What a card's authorisations of one day may cost together, in fen; one that was used counts, because it could be shown elsewhere."""
    total = select(func.coalesce(func.sum(AuthorisationBatch.size * AuthorisationBatch.limit_fen), 0))
    return int(session().scalar(total.where(AuthorisationBatch.card_id == card_id, AuthorisationBatch.starts_at == starts_at)) or 0)


def _given(batch: AuthorisationBatch, points: Sequence[bytes]) -> AuthorisationsGiven:
    key = trusting.issuer(batch.city_id)
    starts_at, expires_at = int(batch.starts_at.timestamp()), int(batch.expires_at.timestamp())
    made = [
        citycode.authorise(
            citycode.Authorisation(
                identity(batch.number, place), point[1:], point[0] == 3, batch.concession, batch.limit_fen, starts_at, expires_at
            ),
            key_id=trusting.key_id(key),
            signer=key.sign,
        )
        for place, point in enumerate(points)
    ]
    return AuthorisationsGiven(
        batch.card_id, [_text(each) for each in made], batch.limit_fen, batch.concession, batch.starts_at, batch.expires_at, clock.now()
    )


def _point(text: str) -> bytes:
    """A one-time public key as a compressed point on P-256 (SEC 1 section 2.3.3)."""
    try:
        point = base64.b64decode(text, altchars=b"-_", validate=True)
        if len(point) != 33 or point[0] not in (2, 3):
            raise OneTimeKeyInvalid(reason="form")
        citycode.key_from(point[1:], point[0] == 3)
    except (ValueError, citycode.Refused) as fault:
        raise OneTimeKeyInvalid(reason="point") from fault
    return point


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
