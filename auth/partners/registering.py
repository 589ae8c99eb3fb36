"""Partners are registered by staff, found by their shown id, and switched off in a second (D41)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from auth import jwk
from auth.errors import KeyInvalid
from auth.partners import rules
from auth.partners.errors import PartnerCodeTaken, PartnerKeysInvalid, PurposeUnknown, RedirectInvalid, ScopeUnknown
from auth.partners.models import Partner, PartnerPurpose
from core import audit, clock, ids, revocation
from core.actors import Actor, system
from core.db import session
from core.errors import NotFound
from core.vocabulary import AuditEvent

MOST_KEYS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class PurposeText:
    """Why a partner asks, in both languages, and for which fields."""

    code: str
    zh: str
    en: str
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """What a partner is to be."""

    code: str
    zh: str
    en: str
    agency_id: UUID
    kind: str = "confidential"
    scopes: tuple[str, ...] = ()
    redirect_uris: tuple[str, ...] = ()
    logout_uris: tuple[str, ...] = ()
    keys: Sequence[Mapping[str, Any]] = ()
    purposes: tuple[PurposeText, ...] = ()
    dpop_required: bool = False
    push_required: bool = False
    id: UUID = field(default_factory=ids.new_id)


def register(actor: Actor, city_id: int, wanted: Registration) -> Partner:
    """Register a partner, switched on, in the current transaction; PartnerCodeTaken, ScopeUnknown, RedirectInvalid, PartnerKeysInvalid."""
    public = wanted.kind == "public"
    if not rules.scopes_allowed(wanted.scopes, public=public):
        raise ScopeUnknown()
    made = Partner(
        id=wanted.id,
        city_id=city_id,
        agency_id=wanted.agency_id,
        code=wanted.code,
        zh=wanted.zh,
        en=wanted.en,
        kind=wanted.kind,
        scopes=sorted(set(wanted.scopes)),
        redirect_uris=_addresses(wanted.redirect_uris),
        logout_uris=_addresses(wanted.logout_uris),
        keys={"keys": _keys(wanted.keys, public=public)},
        dpop_required=wanted.dpop_required,
        push_required=wanted.push_required,
        created_at=clock.now(),
    )
    try:
        with session().begin_nested():
            session().add(made)
    except IntegrityError as fault:
        raise PartnerCodeTaken() from fault
    _note(actor, AuditEvent.PARTNER_REGISTERED, made, scopes=made.scopes)
    for purpose in wanted.purposes:
        write_purpose(actor, made, purpose)
    return made


def admit(city_id: int, wanted: Registration) -> Partner:
    """Register a partner of a demo city or a bulk order; one that is there under this code keeps all but its scopes."""
    actor = system("partners", city_id)
    known = session().scalar(select(Partner).where(Partner.city_id == city_id, Partner.code == wanted.code).with_for_update())
    if known is None:
        return register(actor, city_id, wanted)
    if known.scopes != (scopes := sorted(set(wanted.scopes))):
        if not rules.scopes_allowed(scopes, public=known.kind == "public"):
            raise ScopeUnknown()
        known.scopes, known.version = scopes, known.version + 1
        session().flush()
        _note(actor, AuditEvent.PARTNER_CHANGED, known, scopes=scopes)
    return known


def write_purpose(actor: Actor, partner: Partner, wanted: PurposeText) -> PartnerPurpose:
    """The next version of a purpose's text; consents given by older texts keep what they say."""
    before = session().scalar(_versions(partner.id, wanted.code)) or 0
    made = PartnerPurpose(
        id=ids.new_id(),
        city_id=partner.city_id,
        partner_id=partner.id,
        code=wanted.code,
        text_version=before + 1,
        zh=wanted.zh,
        en=wanted.en,
        fields=[name for name in rules.FIELDS if name in wanted.fields],
        written_at=clock.now(),
    )
    session().add(made)
    session().flush()
    _note(actor, AuditEvent.PURPOSE_WRITTEN, partner, purpose=made.code, text_version=made.text_version)
    return made


def replace_keys(actor: Actor, partner_id: UUID, keys: Sequence[Mapping[str, Any]]) -> Partner:
    """Set the partner's keys; old and new stand beside each other while a partner rotates (RFC 7517)."""
    found = of_city(actor, partner_id, lock=True)
    found.keys = {"keys": _keys(keys, public=found.kind == "public")}
    found.version += 1
    session().flush()
    _note(actor, AuditEvent.PARTNER_CHANGED, found, keys=[key["kid"] for key in found.keys["keys"]])
    return found


def switch(actor: Actor, partner_id: UUID, *, on: bool) -> Partner:
    """Switch a partner on or off; off, every token of it is refused within a second and no resident can sign in to it."""
    found = of_city(actor, partner_id, lock=True)
    if on == (found.switched_off_at is None):
        return found
    found.switched_off_at = None if on else clock.now()
    found.version += 1
    session().flush()
    if not on:
        revocation.revoke(f"partner:{partner_id}")
    _note(actor, AuditEvent.PARTNER_SWITCHED, found, on=on)
    return found


def of_city(actor: Actor, partner_id: UUID, *, lock: bool = False) -> Partner:
    """A partner of the caller's own city, on or off; NotFound otherwise."""
    found = session().get(Partner, partner_id, with_for_update=lock or None)
    if found is None or found.city_id != actor.city_id:
        raise NotFound()
    return found


def living(partner_id: UUID, *, lock: bool = False) -> Partner | None:
    """A partner that is switched on, read anew; ``lock`` keeps whoever else locks it waiting, and no reader."""
    found = session().get(Partner, partner_id, populate_existing=True, with_for_update={"key_share": True} if lock else None)
    return found if found is not None and found.switched_off_at is None else None


def all_of_city(city_id: int, *, on: bool = False) -> list[Partner]:
    """The partners of a city in the order of their codes."""
    wanted = select(Partner).where(Partner.city_id == city_id).order_by(Partner.code).limit(500)
    return list(session().scalars(wanted.where(Partner.switched_off_at.is_(None)) if on else wanted))


def purposes(partner_id: UUID) -> dict[str, PartnerPurpose]:
    """The present text of each purpose of a partner."""
    rising = (
        select(PartnerPurpose).where(PartnerPurpose.partner_id == partner_id).order_by(PartnerPurpose.code, PartnerPurpose.text_version)
    )
    return {each.code: each for each in session().scalars(rising)}


def purpose(partner_id: UUID, code: str) -> PartnerPurpose:
    """The present text of one purpose; PurposeUnknown when the partner never registered it."""
    found = purposes(partner_id).get(code)
    if found is None:
        raise PurposeUnknown()
    return found


def _versions(partner_id: UUID, code: str) -> Any:
    return select(func.max(PartnerPurpose.text_version)).where(PartnerPurpose.partner_id == partner_id, PartnerPurpose.code == code)


def _addresses(uris: Sequence[str]) -> list[str]:
    if not all(rules.address_allowed(uri) for uri in uris):
        raise RedirectInvalid()
    return list(dict.fromkeys(uris))


def _keys(keys: Sequence[Mapping[str, Any]], *, public: bool) -> list[dict[str, Any]]:
    """The public keys as they are kept: four members and a kid each, nothing secret and no kid twice."""
    if public != (not keys) or len(keys) > MOST_KEYS:
        raise PartnerKeysInvalid()
    try:
        kept = [{**jwk.public(jwk.read(dict(key))), "kid": str(key.get("kid") or "")} for key in keys]
    except KeyInvalid as fault:
        raise PartnerKeysInvalid() from fault
    kept = [{**key, "kid": key["kid"] or jwk.thumbprint(key)} for key in kept]
    if len({key["kid"] for key in kept}) != len(kept):
        raise PartnerKeysInvalid()
    return kept


def _note(actor: Actor, event: AuditEvent, partner: Partner, **detail: Any) -> None:
    audit.record(actor, event, city_id=partner.city_id, subject=ids.show("partner", partner.id), detail=detail)
