"""Reconciliation and its repair over HTTP, for staff."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from core.actors import Actor
from core.db import transaction
from core.fields import OneOf
from core.gateway import GatewayAnsweredWrong, GatewayUnavailable
from core.paging import CursorUnknown, Page, page
from core.web import PageQuery, Routes, page_of, staff
from payments import errors as payment_errors
from services.catalogue import ItemUnknown
from services.kinds.statement import errors, reconciling, repairing
from services.kinds.statement import schemas as s
from services.kinds.statement.models import Difference, Reconciliation

routes = Routes("reconciliation")


class DifferencesQuery(PageQuery):
    """A page of differences, of one state if given."""

    state = OneOf("open", "proposed", "repaired", "gone", load_default=None)


@routes.get(
    "/api/reconciliations",
    operation="listReconciliations",
    access=staff("services:difference:read"),
    query=PageQuery,
    gives=page_of(s.ReconciliationOut),
    errors=(CursorUnknown,),
)
def list_reconciliations(actor: Actor, query: dict[str, Any]) -> Page:
    """What was reconciled in the staff member's city, newest first."""
    return page(repairing.reconciliations(actor), Reconciliation.id, **query)


@routes.post(
    "/api/reconciliations",
    operation="reconcileDay",
    access=staff("services:difference:approve"),
    takes=s.ReconcileIn,
    gives=s.ReconciliationOut,
    mode="calls",
    status=201,
    errors=(ItemUnknown, errors.DayNotOver, GatewayUnavailable, GatewayAnsweredWrong),
)
def reconcile_day(actor: Actor, body: dict[str, Any]) -> Reconciliation:
    """Read a past day of an agency against ours now, again if it was read before."""
    made = reconciling.reconcile(actor, actor.city_id, body["item"], body["day"])
    with transaction() as session:
        found = repairing.reconciliation(actor, made)
        session.expunge(found)
    return found


@routes.get(
    "/api/differences",
    operation="listDifferences",
    access=staff("services:difference:read"),
    query=DifferencesQuery,
    gives=page_of(s.DifferenceOut),
    errors=(CursorUnknown,),
)
def list_differences(actor: Actor, query: dict[str, Any]) -> Page:
    """The differences with agencies, newest first."""
    return page(repairing.differences(actor, state=query.pop("state")), Difference.id, **query)


@routes.post(
    "/api/differences/<id:difference>/proposal",
    operation="proposeRepair",
    access=staff("services:difference:propose"),
    takes=s.RepairIn,
    gives=s.DifferenceOut,
    errors=(errors.StepForbidden, errors.DifferenceGone, errors.RemedyUnfit),
)
def propose_repair(actor: Actor, difference: UUID, body: dict[str, Any]) -> Difference:
    """Propose how to repair a difference; somebody else approves it."""
    return repairing.propose(actor, difference, **body)


@routes.post(
    "/api/differences/<id:difference>/refusal",
    operation="refuseRepair",
    access=staff("services:difference:propose"),
    takes=s.RefusalIn,
    gives=s.DifferenceOut,
    errors=(errors.StepForbidden,),
)
def refuse_repair(actor: Actor, difference: UUID, body: dict[str, Any]) -> Difference:
    """Take a proposal back, one's own or somebody else's: the difference is open again, and nothing moved."""
    return repairing.refuse(actor, difference, **body)


@routes.post(
    "/api/differences/<id:difference>/approval",
    operation="approveRepair",
    access=staff("services:difference:approve"),
    gives=s.DifferenceOut,
    mode="calls",
    errors=(
        errors.StepForbidden,
        errors.DifferenceGone,
        errors.RemedyUnfit,
        errors.SamePerson,
        errors.PaymentAtAgency,
        payment_errors.MerchantShort,
        ItemUnknown,
        GatewayUnavailable,
        GatewayAnsweredWrong,
    ),
)
def approve_repair(actor: Actor, difference: UUID) -> Difference:
    """Approve a repair that somebody else proposed: only now an entry is made; what is given back is withdrawn at the agency first."""
    return repairing.approve(actor, difference)
