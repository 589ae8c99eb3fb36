"""Binding an account by its number and its owner's name, and sharing it (F105, threat 13).

Who knows both has the bill in hand. Nothing else tells whether an account exists: a wrong name, a wrong number and a number of another
form are refused alike, and after a few failures the resident, and the account, are asked no more for a day.
"""

from __future__ import annotations

import datetime as dt
import re
import secrets
from typing import Final
from uuid import UUID

from sqlalchemy import Select, or_, select, text, update

from core import audit, clock, crypto, ids, limits
from core.actors import Actor
from core.db import session, transaction
from core.errors import NotFound
from core.vocabulary import AuditEvent
from services import catalogue
from services.gateways.utilities import OwnerView
from services.kinds.statement import rules
from services.kinds.statement.errors import AccountNotMatched, NotYoursToShare, ShareUnknown, TooManyBindings
from services.kinds.statement.models import Binding, BindingShare

DAY: Final = dt.timedelta(days=1)
# A person mistypes a few times; whoever tries more is guessing.
FAILURES_OF_A_RESIDENT, FAILURES_AT_AN_ACCOUNT, FAILURES_OF_A_CODE = 5, 10, 5
_ALPHABET: Final = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"


def bind(actor: Actor, *, item: str, account_number: str, owner_name: str, alias: str, relation: str) -> Binding:
    """Bind an account; calls outside. Bound already, it is the same binding. Raises AccountNotMatched, TooManyBindings, ItemOff."""
    with transaction():
        offer = catalogue.open_offer(actor.city_id, item)
    attempts = ((str(actor.id), FAILURES_OF_A_RESIDENT), (f"{actor.city_id}|{item}|{account_number}", FAILURES_AT_AN_ACCOUNT))
    for key, at_most in attempts:
        limits.check("statement:binding:failed", key, at_most=at_most)
    well_formed = re.fullmatch(offer.item.filled.account, account_number) is not None
    owner = offer.gateway.check_owner(account_number, owner_name) if well_formed else None
    if owner is None:
        for key, _ in attempts:
            limits.count("statement:binding:failed", key, per=DAY, at_most=10**6)
        _note_failure(actor, item)
        raise AccountNotMatched()
    with transaction():
        return _detached(_bound(actor, item, account_number, owner, alias=alias, relation=relation, shared_from=None))


def bindings_of(actor: Actor) -> Select[Binding]:
    """The accounts that the resident has bound now."""
    return select(Binding).where(Binding.resident_id == actor.id, Binding.city_id == actor.city_id, Binding.unbound_at.is_(None))


def own(actor: Actor, binding_id: UUID) -> Binding:
    """A live binding of the resident who asks; NotFound for any other."""
    found = session().scalar(bindings_of(actor).where(Binding.id == binding_id))
    if found is None:
        raise NotFound()
    return found


def unbind(actor: Actor, binding_id: UUID) -> None:
    """End a binding and everything that was shared from it; payments on their way go on."""
    row = own(actor, binding_id)
    session().execute(
        update(Binding)
        .where(or_(Binding.id == row.id, Binding.shared_from == row.id), Binding.unbound_at.is_(None))
        .values(unbound_at=clock.now())
    )
    _note(actor, row, AuditEvent.ACCOUNT_UNBOUND)


def share(actor: Actor, binding_id: UUID) -> tuple[str, dt.datetime]:
    """A code by which one other resident can bind the same account within a day."""
    row = own(actor, binding_id)
    if row.shared_from is not None:
        raise NotYoursToShare()
    code, now = "".join(secrets.choice(_ALPHABET) for _ in range(12)), clock.now()
    made = BindingShare(
        id=ids.new_id(),
        city_id=actor.city_id,
        resident_id=actor.id,
        binding_id=row.id,
        code_mac=_mac(code),
        made_at=now,
        expires_at=now + DAY,
    )
    session().add(made)
    session().flush()
    _note(actor, row, AuditEvent.ACCOUNT_SHARED)
    return code, made.expires_at


def accept(actor: Actor, *, code: str, alias: str) -> Binding:
    """Bind an account by a code that its resident gave; raises ShareUnknown."""
    limits.check("statement:share:failed", str(actor.id), at_most=FAILURES_OF_A_CODE)
    live = (BindingShare.used_at.is_(None), BindingShare.expires_at > clock.now(), BindingShare.city_id == actor.city_id)
    given = session().scalar(select(BindingShare).where(BindingShare.code_mac == _mac(code), *live).with_for_update())
    origin = session().get(Binding, given.binding_id) if given is not None else None
    if given is None or origin is None or origin.unbound_at is not None or origin.resident_id == actor.id:
        limits.count("statement:share:failed", str(actor.id), per=DAY, at_most=10**6)
        raise ShareUnknown()
    catalogue.open_offer(actor.city_id, origin.item)
    given.used_at = clock.now()
    owner = OwnerView(origin.masked_owner, origin.masked_address, origin.persons)
    return _bound(actor, origin.item, origin.account_number, owner, alias=alias, relation="family", shared_from=origin.id)


def _bound(
    actor: Actor, item: str, account_number: str, owner: OwnerView, *, alias: str, relation: str, shared_from: UUID | None
) -> Binding:
    # Two requests of one resident at once: the second waits here and finds what the first made.
    session().execute(text("SELECT pg_advisory_xact_lock(hashtextextended('binding|' || :r, 0))"), {"r": str(actor.id)})
    of_item = list(session().scalars(bindings_of(actor).where(Binding.item == item)))
    known = next((each for each in of_item if each.account_number == account_number), None)
    if known is not None:
        known.alias, known.masked_owner, known.masked_address, known.persons = (
            alias,
            owner.masked_owner,
            owner.masked_address,
            owner.persons,
        )
        session().flush()
        return known
    if len(of_item) >= rules.MOST_BINDINGS:
        raise TooManyBindings(most=rules.MOST_BINDINGS)
    made = Binding(
        id=ids.new_id(),
        city_id=actor.city_id,
        resident_id=actor.id,
        item=item,
        account_number=account_number,
        alias=alias,
        relation=relation,
        masked_owner=owner.masked_owner,
        masked_address=owner.masked_address,
        persons=owner.persons,
        shared_from=shared_from,
        bound_at=clock.now(),
    )
    session().add(made)
    session().flush()
    _note(actor, made, AuditEvent.ACCOUNT_BOUND)
    return made


def _detached(row: Binding) -> Binding:
    """The row as it stands, usable after its transaction."""
    session().refresh(row)
    session().expunge(row)
    return row


def _mac(code: str) -> bytes:
    return crypto.blind("statement:share", code.strip().upper())


def _note(actor: Actor, row: Binding, event: AuditEvent) -> None:
    subject = ids.show("binding", row.id)
    audit.record(actor, event, city_id=row.city_id, subject=subject, resident_id=row.resident_id, detail={"item": row.item})


def _note_failure(actor: Actor, item: str) -> None:
    with transaction():
        audit.record(
            actor, AuditEvent.ACCOUNT_NOT_MATCHED, city_id=actor.city_id, subject=item, resident_id=actor.id, outcome="account_not_matched"
        )
