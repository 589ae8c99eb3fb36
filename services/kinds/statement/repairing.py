"""Repairing a difference: one person proposes, another approves, and only then a new entry is made in the books (threat 21)."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import Select, select

from core import audit, clock, ids
from core.actors import Actor
from core.db import session
from core.errors import NotFound
from core.vocabulary import AuditEvent
from payments import bill_paying
from services import catalogue
from services.kinds.statement import paying, rules
from services.kinds.statement.errors import DifferenceGone, SamePerson
from services.kinds.statement.models import Difference, Reconciliation
from services.kinds.statement.reconciling import newest_reading


def differences(actor: Actor, *, state: str | None) -> Select[Difference]:
    """The differences of the staff member's city."""
    wanted = select(Difference).where(Difference.city_id == actor.city_id)
    return wanted.where(Difference.state == state) if state else wanted


def reconciliations(actor: Actor) -> Select[Reconciliation]:
    """What was reconciled in the staff member's city."""
    return select(Reconciliation).where(Reconciliation.city_id == actor.city_id)


def reconciliation(actor: Actor, reconciliation_id: UUID) -> Reconciliation:
    """One reconciliation of the city."""
    found = session().scalar(reconciliations(actor).where(Reconciliation.id == reconciliation_id))
    if found is None:
        raise NotFound()
    return found


def propose(actor: Actor, difference_id: UUID, *, remedy: str, reason: str) -> Difference:
    """Say how a difference should be repaired, and why; nothing moves yet."""
    row, state = _ready(actor, difference_id, "propose")
    rules.check_remedy(row.kind, remedy, ours_fen=row.ours_fen, theirs_fen=row.theirs_fen)
    row.state, row.remedy, row.reason = state, remedy, reason
    row.proposed_by, row.proposed_at = actor.id, clock.now()
    session().flush()
    _note(actor, row, AuditEvent.REPAIR_PROPOSED)
    return row


def approve(actor: Actor, difference_id: UUID) -> Difference:
    """Let a proposed repair happen: a new entry, never a change of an old one; raises SamePerson for whoever proposed it."""
    row, state = _ready(actor, difference_id, "approve")
    if row.proposed_by == actor.id:
        raise SamePerson()
    if row.remedy == "give_back":
        paying.given_back(ids.parse("bill_payment", row.number))
    elif row.remedy == "adjust":
        payee = paying.payee_of(catalogue.offer(row.city_id, row.item))
        amount_fen = (row.theirs_fen or 0) - (row.ours_fen or 0)
        row.transfer_id = bill_paying.adjust(row.city_id, payee=payee, amount_fen=amount_fen, reference=row.id)
    row.state, row.approved_by, row.approved_at = state, actor.id, clock.now()
    session().flush()
    _note(actor, row, AuditEvent.REPAIR_APPROVED)
    return row


def _ready(actor: Actor, difference_id: UUID, step: str) -> tuple[Difference, str]:
    """The difference, locked, and its state after a step: of the newest reading of its day alone; raises DifferenceGone, StepForbidden."""
    row = _locked(actor, difference_id)
    if row.state == "gone":
        raise DifferenceGone()
    state = rules.repair_step(row.state, step)
    newest = newest_reading(row.city_id, row.item, row.day)
    if newest is not None and newest.id > row.reconciliation_id:
        raise DifferenceGone()
    return row, state


def _locked(actor: Actor, difference_id: UUID) -> Difference:
    found = session().scalar(differences(actor, state=None).where(Difference.id == difference_id).with_for_update())
    if found is None:
        raise NotFound()
    return found


def _note(actor: Actor, row: Difference, event: AuditEvent) -> None:
    subject = ids.show("difference", row.id)
    audit.record(actor, event, city_id=row.city_id, subject=subject, detail={"kind": row.kind, "remedy": row.remedy, "reason": row.reason})
