"""Bills: asked of the agency through a binding of the resident, kept as last told, and explained."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from core import clock, ids
from core.actors import Actor
from core.db import session, transaction
from core.errors import NotFound, Unavailable
from services import catalogue
from services.gateways.utilities import BillView
from services.kinds.statement import binding, rules
from services.kinds.statement.explaining import explain
from services.kinds.statement.models import Bill, BillOrder, Binding

KEPT = 24


@dataclass(frozen=True, slots=True)
class Shown:
    """A bill as its resident sees it, amounts in fen."""

    id: UUID
    binding_id: UUID
    item: str
    number: str
    period: str
    amount_fen: int
    state: str
    payment_id: UUID | None
    facts: dict[str, Any]
    lines: list[dict[str, Any]]
    notes: list[dict[str, str]]
    agrees: bool
    fetched_at: dt.datetime


def bills_of(actor: Actor, binding_id: UUID) -> tuple[list[Shown], bool]:
    """The bills of a bound account, newest first, and whether the agency told them just now; calls outside.

    An agency that is away costs nothing but freshness: the bills are then those that it told last.
    """
    with transaction():
        bound = binding.own(actor, binding_id)
        offer, account = catalogue.open_offer(actor.city_id, bound.item), bound.account_number
    try:
        told: list[BillView] | None = offer.gateway.bills(account)
    except Unavailable:
        told = None
    with transaction():
        bound = binding.own(actor, binding_id)
        if told is not None:
            _keep(bound, told)
        rows = session().scalars(
            select(Bill)
            .where(Bill.binding_id == bound.id)
            .order_by(Bill.period.desc())
            .limit(KEPT)
            .execution_options(populate_existing=True)
        )
        return [_shown(row, bound) for row in rows], told is not None


def bill_of(actor: Actor, bill_id: UUID) -> Shown:
    """One bill of a live binding of the resident who asks, as last told."""
    return _shown(*own(actor, bill_id))


def own(actor: Actor, bill_id: UUID) -> tuple[Bill, Binding]:
    """A bill and the resident's live binding to its account; NotFound for any other."""
    row = session().get(Bill, bill_id, populate_existing=True)
    if row is None or row.resident_id != actor.id or row.city_id != actor.city_id:
        raise NotFound()
    return row, binding.own(actor, row.binding_id)


def order_of(city_id: int, item: str, number: str) -> BillOrder | None:
    """The payment of a bill that is on its way or settled, whoever made it."""
    live = (BillOrder.city_id == city_id, BillOrder.item == item, BillOrder.bill_number == number)
    return session().scalar(select(BillOrder).where(*live, BillOrder.state.in_(("reserved", "paid"))))


def _keep(bound: Binding, told: list[BillView]) -> None:
    for view in told:
        facts = {name: _plain(value) for name, value in asdict(view).items() if name not in ("number", "period", "amount_fen", "state")}
        made = insert(Bill).values(
            id=ids.new_id(),
            city_id=bound.city_id,
            resident_id=bound.resident_id,
            binding_id=bound.id,
            number=view.number,
            period=view.period,
            amount_fen=view.amount_fen,
            state=view.state,
            facts=facts,
            fetched_at=clock.now(),
        )
        news = {name: made.excluded[name] for name in ("amount_fen", "state", "facts", "fetched_at")}
        session().execute(made.on_conflict_do_update(index_elements=["binding_id", "number"], set_=news))


def _plain(value: Any) -> Any:
    """Days as text, for JSON."""
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    return value


def _shown(row: Bill, bound: Binding) -> Shown:
    offer = catalogue.offer(row.city_id, bound.item)
    explained = explain(row.facts, offer.tariff, offer.item.texts)
    order = order_of(row.city_id, bound.item, row.number)
    mine = order is not None and order.resident_id == row.resident_id
    return Shown(
        id=row.id,
        binding_id=row.binding_id,
        item=bound.item,
        number=row.number,
        period=row.period,
        amount_fen=row.amount_fen,
        state=rules.bill_state(row.state, order.state if order else None),
        payment_id=order.id if order is not None and mine else None,
        facts=row.facts,
        lines=explained.lines,
        notes=explained.notes,
        agrees=explained.agrees,
        fetched_at=row.fetched_at,
    )
