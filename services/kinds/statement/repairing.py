"""Repairing a difference: one person proposes, another approves, and only then a new entry is made in the books (threat 21)."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import Select, select

from core import audit, clock, ids
from core.actors import Actor
from core.db import session, transaction
from core.errors import NotFound
from core.vocabulary import AuditEvent
from payments import bill_paying
from services import catalogue
from services.kinds.statement import paying, rules
from services.kinds.statement.errors import DifferenceGone, PaymentAtAgency, RemedyUnfit, SamePerson, StepForbidden
from services.kinds.statement.models import BillOrder, Difference, Reconciliation
from services.kinds.statement.reconciling import newest_reading, take_back


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
    _check(row, remedy)
    row.state, row.remedy, row.reason = state, remedy, reason
    row.proposed_by, row.proposed_at = actor.id, clock.now()
    session().flush()
    _note(actor, row, AuditEvent.REPAIR_PROPOSED, remedy, reason)
    return row


def refuse(actor: Actor, difference_id: UUID, *, reason: str) -> Difference:
    """Take a proposal back, one's own or somebody else's, and say why: the difference is open again, and nothing moved."""
    row = _locked(actor, difference_id)
    remedy = row.remedy
    take_back(row, "refuse")
    session().flush()
    _note(actor, row, AuditEvent.REPAIR_REFUSED, remedy, reason)
    return row


def approve(actor: Actor, difference_id: UUID) -> Difference:
    """Let a proposed repair happen: a new entry, never a change of an old one; calls outside.

    What brings money back to the resident is withdrawn at the agency first. Raises SamePerson for whoever proposed it, PaymentAtAgency.
    """
    with transaction():
        row, _ = _approvable(actor, difference_id)
        proposal, number = (row.remedy, row.proposed_by, row.proposed_at), row.number
        offer = catalogue.offer(row.city_id, row.item) if row.remedy in rules.GIVES_BACK else None
    if offer is not None and not paying.withdrawn(offer, number):
        raise PaymentAtAgency()
    with transaction():
        row, state = _approvable(actor, difference_id)
        if (row.remedy, row.proposed_by, row.proposed_at) != proposal:
            # Meanwhile it was refused and something else was proposed, which nobody has approved.
            raise StepForbidden(state=row.state)
        _carry_out(row)
        row.state, row.approved_by, row.approved_at = state, actor.id, clock.now()
        session().flush()
        _note(actor, row, AuditEvent.REPAIR_APPROVED, row.remedy, row.reason)
        session().expunge(row)
        return row


def _approvable(actor: Actor, difference_id: UUID) -> tuple[Difference, str]:
    """A proposed difference that this person may approve and whose remedy still fits, and its state after that."""
    row, state = _ready(actor, difference_id, "approve")
    if row.proposed_by == actor.id:
        raise SamePerson()
    _check(row, row.remedy or "")
    return row, state


def _carry_out(row: Difference) -> None:
    """What the remedy does to the books."""
    if row.remedy == "give_back":
        paying.given_back(ids.parse("bill_payment", row.number))
    elif row.remedy == "void":
        paying.refused_by_people(ids.parse("bill_payment", row.number))
    elif row.remedy == "accept":
        paying.accepted_by_people(ids.parse("bill_payment", row.number), company_number=row.company_number or "", day=row.day)
    elif row.remedy == "adjust":
        payee = paying.payee_of(catalogue.offer(row.city_id, row.item))
        amount_fen = (row.theirs_fen or 0) - (row.ours_fen or 0)
        row.transfer_id = bill_paying.adjust(row.city_id, payee=payee, amount_fen=amount_fen, reference=row.id)


def _check(row: Difference, remedy: str) -> None:
    """Whether the remedy fits the difference as things stand now; raises RemedyUnfit."""
    rules.check_remedy(row.kind, remedy, ours_fen=row.ours_fen, theirs_fen=row.theirs_fen, own=_own_payment(row))
    if remedy == "accept" and row.company_number is None:
        # From a reading of before the agency's number was kept: the day is read again first.
        raise RemedyUnfit(kind=row.kind, remedy=remedy)


def _own_payment(row: Difference) -> str | None:
    """Whether the agency's entry is that of a payment of ours: `waiting` for certainty, `posted`, or None.

    A second entry under a number, and a number of a payment to another agency, are only known not to be owed.
    """
    number, _, twice = row.number.partition("#")
    try:
        order = session().get(BillOrder, ids.parse("bill_payment", number), with_for_update=True)
    except NotFound:
        return None
    if order is None or order.state not in ("reserved", "paid"):
        return None
    its_own = (order.city_id, order.item) == (row.city_id, row.item) and not twice
    return "waiting" if order.state == "reserved" and its_own else "posted"


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


def _note(actor: Actor, row: Difference, event: AuditEvent, remedy: str | None, reason: str) -> None:
    subject = ids.show("difference", row.id)
    audit.record(actor, event, city_id=row.city_id, subject=subject, detail={"kind": row.kind, "remedy": remedy, "reason": reason})
