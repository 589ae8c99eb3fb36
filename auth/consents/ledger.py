"""The consent ledger (F128): granted by purpose and text version, checked at every read, withdrawn at once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Select, select

from auth import residents
from auth.consents.errors import GuardianMustConsent, TextOutdated
from auth.consents.models import Consent
from auth.installing import parts
from auth.oauth.models import Grant
from auth.partners import registering, rules
from auth.partners.errors import PartnerOff
from auth.partners.models import Partner, PartnerPurpose
from auth.rules import AgeBand
from core import audit, clock, ids, outbox, revocation
from core.actors import Actor, system
from core.db import session
from core.errors import NotFound, StepUpNeeded
from core.paging import Page, page
from core.vocabulary import AuditEvent, Event


def living(resident_id: UUID, partner_id: UUID, purpose: str, *, lock: bool = False) -> Consent | None:
    """The consent that holds now, read from the table at the moment of use and never from a token.

    ``lock`` keeps a withdrawal waiting until the read that relies on the consent is done and written down.
    """
    wanted = select(Consent).where(
        Consent.resident_id == resident_id,
        Consent.partner_id == partner_id,
        Consent.purpose == purpose,
        Consent.withdrawn_at.is_(None),
        Consent.expires_at > clock.now(),
    )
    return session().scalar(wanted.with_for_update(read=True) if lock else wanted)


def grant(actor: Actor, partner: Partner, purpose: PartnerPurpose, fields: Sequence[str], *, offline: bool = False) -> Consent:
    """Write down the resident's own consent; an older one for the same purpose ends, but what it says of offline access goes on.

    StepUpNeeded where the fields ask for a stronger or fresher proof, GuardianMustConsent under fourteen, PartnerOff.
    """
    if partner.switched_off_at is not None:
        raise PartnerOff()
    given = [name for name in purpose.fields if name in fields]
    check_may_share(actor, given)
    now = clock.now()
    for older in session().scalars(_held(actor.id, partner.id, purpose.code).with_for_update()):
        offline = offline or (older.offline and older.expires_at > now)
        _end(older, "replaced")
    made = Consent(
        id=ids.new_id(),
        city_id=partner.city_id,
        resident_id=actor.id,
        partner_id=partner.id,
        purpose=purpose.code,
        text_version=purpose.text_version,
        fields=given,
        offline=offline,
        granted_at=now,
        expires_at=now + parts().policy.consent_lifetime,
    )
    session().add(made)
    session().flush()
    _note(actor, AuditEvent.CONSENT_GRANTED, made)
    return made


def grant_by_code(actor: Actor, partner_id: UUID, purpose_code: str, text_version: int) -> Consent:
    """Consent to the present text of a purpose as a whole; TextOutdated when another version was read."""
    partner = registering.of_city(actor, partner_id)
    purpose = registering.purpose(partner_id, purpose_code)
    if purpose.text_version != text_version:
        raise TextOutdated()
    return grant(actor, partner, purpose, purpose.fields)


def check_may_share(actor: Actor, fields: Sequence[str]) -> None:
    """Raise unless the resident proved strongly and freshly enough who they are to give these fields away."""
    if residents.age_band(actor.id) is AgeBand.UNDER_14:
        raise GuardianMustConsent()
    strength = strength_for(fields)
    fresh = freshness_for(fields)
    stale = fresh is not None and (actor.signed_in_at is None or clock.now() - actor.signed_in_at > fresh)
    if actor.strength < strength or stale:
        raise StepUpNeeded(level=actor.identity_level, strength=strength, max_age_seconds=int(fresh.total_seconds()) if fresh else None)


def strength_for(fields: Sequence[str]) -> int:
    """S1 opens the number it proved and nothing else; whatever names the person asks for a second proof."""
    return 1 if rules.FIELDS_BY_SMS.issuperset(fields) else 2


def freshness_for(fields: Sequence[str]) -> dt.timedelta | None:
    """How old the last proof may be; None for any age."""
    return None if rules.SENSITIVE.isdisjoint(fields) else parts().policy.sensitive_consent_age


def withdraw(actor: Actor, consent_id: UUID) -> None:
    """End a consent of the resident's own: the next read is refused, and every token that rests on it; NotFound for another's."""
    found = session().get(Consent, consent_id, with_for_update=True)
    if found is None or found.resident_id != actor.id:
        raise NotFound()
    if found.withdrawn_at is not None:
        return
    _end(found, "resident")
    if found.purpose == rules.SIGN_IN:
        revoke_grants(actor.id, "consent_withdrawn", partner_id=found.partner_id)
    _note(actor, AuditEvent.CONSENT_WITHDRAWN, found)


def revoke_grants(resident_id: UUID, because: str, *, partner_id: UUID | None = None) -> None:
    """End every sign-in of the resident at a partner, or at all of them."""
    held = select(Grant).where(Grant.resident_id == resident_id, Grant.revoked_at.is_(None))
    for each in session().scalars((held.where(Grant.partner_id == partner_id) if partner_id else held).with_for_update()):
        each.revoked_at, each.revoked_because = clock.now(), because
        revocation.revoke(f"grant:{each.id}")
    session().flush()


def withdraw_all(resident_id: UUID, because: str) -> None:
    """End every consent of a resident, as closing the account does; each partner is told as if the resident had withdrawn it."""
    held = select(Consent).where(Consent.resident_id == resident_id, Consent.withdrawn_at.is_(None)).order_by(Consent.id)
    for each in session().scalars(held.with_for_update()):
        _end(each, because)
        _note(system("consents", each.city_id), AuditEvent.CONSENT_WITHDRAWN, each)
    revoke_grants(resident_id, because)


def of_resident(actor: Actor, *, cursor: str | None, limit: int) -> Page:
    """The caller's consents, newest first, ended ones too: the ledger is theirs to read."""
    return page(select(Consent).where(Consent.resident_id == actor.id), Consent.id, cursor=cursor, limit=limit)


def _held(resident_id: UUID, partner_id: UUID, purpose: str) -> Select[Consent]:
    mine = select(Consent).where(Consent.resident_id == resident_id, Consent.partner_id == partner_id)
    return mine.where(Consent.purpose == purpose, Consent.withdrawn_at.is_(None))


def _end(consent: Consent, because: str) -> None:
    consent.withdrawn_at, consent.withdrawn_because = clock.now(), because
    session().flush()


def _note(actor: Actor, event: AuditEvent, consent: Consent) -> None:
    subject, owner = ids.show("consent", consent.id), ids.show("resident", consent.resident_id)
    facts = {"partner": ids.show("partner", consent.partner_id), "purpose": consent.purpose, "text_version": consent.text_version}
    audit.record(
        actor,
        event,
        city_id=consent.city_id,
        subject=subject,
        resident_id=consent.resident_id,
        detail={**facts, "fields": list(consent.fields), "offline": consent.offline},
    )
    told = Event.CONSENT_GRANTED if event is AuditEvent.CONSENT_GRANTED else Event.CONSENT_WITHDRAWN
    outbox.emit(told, city_id=consent.city_id, subject=owner, payload={"resident": owner, "consent": subject, **facts})
