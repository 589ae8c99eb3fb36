"""The keys of pay codes: given once to a phone for a card, derived at the centre and never stored, revoked with phone or card."""

from __future__ import annotations

import base64
import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

from sqlalchemy import select, text

from cards.codes.pay_code import STEP_SECONDS, TAPS, Permutation, device_secret, permutation_key
from cards.errors import DeviceNeeded, refusal
from cards.models import Card, PayHandle
from cards.rules import why_refused
from cards.wiring import wired
from core import audit, clock, ids
from core.actors import Actor
from core.crypto import keyring
from core.db import session
from core.macs import Mac
from core.vocabulary import AuditEvent

PURPOSE = "pay-code"
# A resident's phones, tablets and a spare one; the oldest gives way, so that a lost phone never blocks a new one.
MOST_PHONES = 5
# A handle given back may go to another phone after this: long after its last code died, with a generation of its own.
REST = dt.timedelta(days=30)


@dataclass(frozen=True, slots=True)
class PayKeyGiven:
    """What a phone keeps to make codes without network; shown once, here and never again."""

    card_id: UUID
    handle: int
    generation: int
    device_secret: str
    permutation_key: str
    prefix: str
    step_seconds: int
    taps: int
    server_time: dt.datetime


def master() -> Mac:
    """The master key of pay codes, ready to use."""
    return _mac(keyring().derive(PURPOSE))


def permutation(city_id: int) -> Permutation:
    """The permutation of a city's codes, ready to use."""
    return _permutation(keyring().derive(PURPOSE), city_id)


@lru_cache(maxsize=8)
def _mac(key: bytes) -> Mac:
    return Mac(key)


@lru_cache(maxsize=256)
def _permutation(key: bytes, city_id: int) -> Permutation:
    return Permutation(permutation_key(_mac(key), city_id))


def give(actor: Actor, card: Card) -> PayKeyGiven:
    """Give the phone of this session the key of a locked card; asking again rotates it, and the codes of the old key are dead."""
    if actor.device_id is None:
        raise DeviceNeeded()
    if (code := why_refused(card, clock.now(), clock.today())) is not None:
        raise refusal(code)
    live = _live(PayHandle.card_id == card.id)
    mine = next((held for held in live if held.device_id == actor.device_id), None)
    others = [held for held in live if held is not mine]
    _revoke(actor, others[: max(0, len(others) - MOST_PHONES + 1)], reason="too_many_phones")
    given = _rotate(mine) if mine is not None else _allot(actor.device_id, card)
    session().flush()
    subject = ids.show("card", card.id)
    detail = {"device_id": str(actor.device_id), "generation": given.generation}
    audit.record(actor, AuditEvent.PAY_KEY_GIVEN, city_id=card.city_id, subject=subject, resident_id=card.resident_id, detail=detail)
    return _shown(given)


def revoke_of_device(actor: Actor, device_id: UUID, *, reason: str) -> int:
    """Kill the codes of a phone, for all its cards; returns for how many."""
    return _revoke(actor, _live(PayHandle.device_id == device_id), reason=reason)


def revoke_of_card(actor: Actor, card: Card, *, reason: str) -> int:
    """Kill the codes of a card, on all phones; returns on how many."""
    return _revoke(actor, _live(PayHandle.card_id == card.id), reason=reason)


def _live(whose: object) -> list[PayHandle]:
    live = select(PayHandle).where(whose, PayHandle.revoked_at.is_(None))  # type: ignore[arg-type]  # a comparison of columns
    return list(session().scalars(live.order_by(PayHandle.given_at, PayHandle.handle).with_for_update()))


def _revoke(actor: Actor, handles: Iterable[PayHandle], *, reason: str) -> int:
    revoked = 0
    for held in handles:
        held.revoked_at = clock.now()
        subject = ids.show("card", held.card_id)
        detail = {"device_id": str(held.device_id), "reason": reason}
        audit.record(actor, AuditEvent.PAY_KEY_REVOKED, city_id=held.city_id, subject=subject, resident_id=held.resident_id, detail=detail)
        revoked += 1
    session().flush()
    return revoked


def _rotate(held: PayHandle) -> PayHandle:
    held.generation += 1
    held.given_at = clock.now()
    return held


def _allot(device_id: UUID, card: Card) -> PayHandle:
    """A handle for the phone: one that has rested, in its next generation, or a new number."""
    rested = (
        session()
        .scalars(select(PayHandle).where(PayHandle.revoked_at < clock.now() - REST).limit(1).with_for_update(skip_locked=True))
        .one_or_none()
    )
    if rested is None:
        number = session().scalar(text("SELECT nextval('pay_handle_number')"))
        rested = PayHandle(handle=number, generation=0)
        session().add(rested)
    rested.city_id, rested.resident_id, rested.card_id, rested.device_id = card.city_id, card.resident_id, card.id, device_id
    rested.revoked_at = None
    return _rotate(rested)


def _shown(held: PayHandle) -> PayKeyGiven:
    return PayKeyGiven(
        card_id=held.card_id,
        handle=held.handle,
        generation=held.generation,
        device_secret=_base64url(device_secret(master(), held.handle, held.generation)),
        permutation_key=_base64url(permutation_key(master(), held.city_id)),
        prefix=wired().prefixes[held.city_id],
        step_seconds=STEP_SECONDS,
        taps=TAPS,
        server_time=clock.now(),
    )


def _base64url(key: bytes) -> str:
    return base64.urlsafe_b64encode(key).decode().rstrip("=")
