"""What follows a proof: limits before it, the level and the session's strength after it."""

from __future__ import annotations

from uuid import UUID

from auth import residents, rules, sessions
from auth.errors import CitizenNumberInvalid, NameInvalid
from auth.installing import parts
from auth.policy import DAY
from auth.rules import CitizenNumber, Method
from auth.tokens import Issued
from core import audit, clock, crypto, ids, limits
from core.actors import Actor
from core.db import transaction
from core.vocabulary import AuditEvent


def read(name: str, number: str) -> tuple[str, CitizenNumber]:
    """A name and a citizen number as they can stand on a card; NameInvalid or CitizenNumberInvalid otherwise."""
    written, parsed = rules.person_name(name), rules.citizen_number(number, clock.today())
    if written is None:
        raise NameInvalid()
    if parsed is None:
        raise CitizenNumberInvalid()
    return written, parsed


def count_try(resident_id: UUID, number: CitizenNumber) -> None:
    """Count one question to the register, per resident and per number, so that neither can be used to guess the other."""
    policy = parts().policy
    limits.count("identity_resident", str(resident_id), per=DAY, at_most=policy.identity_tries_per_resident_day)
    key = crypto.blind("citizen_number", number.text).hex()[:32]
    limits.count("identity_number", key, per=DAY, at_most=policy.identity_tries_per_number_day)


def count_counter_try(actor: Actor) -> None:
    """Count one question of a clerk: far more than a busy counter asks, far fewer than somebody who browses."""
    limits.count("identity_clerk", str(actor.id), per=DAY, at_most=parts().policy.identity_checks_per_clerk_day)


def note_failure(actor: Actor, resident_id: UUID, city_id: int, method: Method, reason: str) -> None:
    """Audit a proof that failed, in a transaction of its own."""
    subject = ids.show("resident", resident_id)
    with transaction():
        detail = {"method": str(method), "reason": reason}
        audit.record(
            actor, AuditEvent.IDENTITY_FAILED, city_id=city_id, subject=subject, resident_id=resident_id, outcome="failed", detail=detail
        )


def accept(actor: Actor, *, name: str, number: CitizenNumber, method: Method, reference: str = "") -> Issued | None:
    """Write the caller's own proof, raise level and strength, and give the token that says so; in the current transaction."""
    resident = residents.get(actor.id, lock=True)
    residents.prove(actor, resident, name=name, number=number, method=method, reference=reference)
    return sessions.raise_strength(actor, int(rules.GIVES_STRENGTH[method]))
