"""A name that was taken from afar gives way to the person with the card in hand: L4 in person outranks L2 (threat 10)."""

from __future__ import annotations

from uuid import UUID

from auth import devices, residents, sessions, signing_in
from auth.agreements import keeping as agreements
from auth.consents import ledger
from auth.errors import AccountHoldsMoney
from auth.installing import parts
from auth.models import Resident
from auth.passkeys import keeping as passkeys
from auth.rules import CitizenNumber, Level
from core import audit, clock, ids
from core.actors import Actor
from core.db import session
from core.vocabulary import AuditEvent


def give_way(actor: Actor, resident: Resident, number: CitizenNumber) -> None:
    """Close the account that holds this number by name and number alone, for the person whose chip was read; in the current transaction.

    A name and a number are leaked; a chip before a clerk is not. Nothing happens where the other account was proved by more: then the
    proof itself is refused. AccountHoldsMoney where its wallet is not empty, because somebody must look whose that is.
    """
    if resident.citizen_number_blind is not None:
        return
    found = residents.by_citizen_number(resident.city_id, number.text)
    if found is None:
        return
    other = residents.get(found.id, lock=True)
    if other.identity_level > Level.NAMED:
        return
    if parts().above.holds_money(other.id):
        raise AccountHoldsMoney()
    _close(actor, other)


def _close(actor: Actor, other: Resident) -> None:
    """End everything by which anybody acts in this account, and then the account."""
    _end_ways_in(actor, other.id)
    for hook in parts().above.before_close:
        hook(actor, other.id)
    other.state, other.closed_at = "closed", clock.now()
    other.version += 1
    session().flush()
    subject, detail = ids.show("resident", other.id), {"because": "chip_at_counter", "level": other.identity_level}
    audit.record(actor, AuditEvent.RESIDENT_CLOSED, city_id=other.city_id, subject=subject, resident_id=other.id, detail=detail)


def _end_ways_in(actor: Actor, resident_id: UUID) -> None:
    signing_in.refuse_all(actor, resident_id)
    devices.remove_all(actor, resident_id)
    sessions.end_all("account_closed", resident_id=resident_id)
    passkeys.erase(resident_id)
    ledger.withdraw_all(resident_id, "account_closed")
    agreements.end_all(resident_id)
