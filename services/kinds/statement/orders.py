"""Payments of bills as their resident sees them: one, and all of them, newest first, also of accounts that are bound no longer."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select, tuple_

from core.actors import Actor
from core.db import session
from core.errors import NotFound
from core.paging import Page, page
from payments import bill_paying
from services import catalogue
from services.catalogue import ItemUnknown
from services.kinds.statement import rules
from services.kinds.statement.models import Bill, BillOrder, Binding


@dataclass(frozen=True, slots=True)
class OrderView:
    """The payment of a bill as its resident sees it, amount in fen; `bill_id` while its account is bound."""

    id: UUID
    binding_id: UUID
    bill_id: UUID | None
    item: str
    item_name: dict[str, str]
    biller: dict[str, str]
    masked_account: str
    alias: str
    bill_number: str
    period: str
    amount_fen: int
    state: str
    reason: str
    receipt_number: str | None
    company_number: str | None
    created_at: dt.datetime
    decided_at: dt.datetime | None


def own(actor: Actor, payment_id: UUID) -> OrderView:
    """A payment of the resident who asks; NotFound for any other."""
    row = session().get(BillOrder, payment_id, populate_existing=True)
    if row is None or row.resident_id != actor.id or row.city_id != actor.city_id:
        raise NotFound()
    return _views(actor, [row])[0]


def orders_of(actor: Actor, *, cursor: str | None, limit: int, item: str | None = None, binding: UUID | None = None) -> Page:
    """The resident's payments of bills, newest first; of one item, or of the account that one of their bindings names, if given.

    A binding stands for its account: what was paid before it was unbound and bound anew is there too.
    """
    mine = select(BillOrder).where(BillOrder.resident_id == actor.id, BillOrder.city_id == actor.city_id)
    if item is not None:
        mine = mine.where(BillOrder.item == item)
    if binding is not None:
        theirs = (Binding.id == binding, Binding.resident_id == actor.id, Binding.city_id == actor.city_id)
        bound = select(Binding.item, Binding.account_number).where(*theirs)
        mine = mine.where(tuple_(BillOrder.item, BillOrder.account_number).in_(bound))
    found = page(mine.execution_options(populate_existing=True), BillOrder.id, cursor=cursor, limit=limit)
    return Page(items=_views(actor, found.items), next_cursor=found.next_cursor)


def _views(actor: Actor, rows: Sequence[BillOrder]) -> list[OrderView]:
    """Each payment with whom it went to, its receipt and its bill; read for all at once."""
    paid_to = bill_paying.paid_to({row.id for row in rows})
    aliases, shown = _aliases(rows), _bills(actor, rows)
    return [
        OrderView(
            id=row.id,
            binding_id=row.binding_id,
            bill_id=shown.get((row.item, row.account_number, row.bill_number)),
            item=row.item,
            item_name=_item_name(row),
            biller={"zh_cn": paid_to[row.id].zh, "en": paid_to[row.id].en},
            masked_account=rules.masked_account(row.account_number),
            alias=aliases[row.binding_id],
            bill_number=row.bill_number,
            period=row.period,
            amount_fen=row.amount_fen,
            state=rules.PUBLIC_ORDER_STATE[row.state],
            reason=row.reason,
            receipt_number=paid_to[row.id].receipt_number,
            company_number=row.company_number,
            created_at=row.created_at,
            decided_at=row.decided_at,
        )
        for row in rows
    ]


def _aliases(rows: Sequence[BillOrder]) -> dict[UUID, str]:
    """What the resident calls each account, by binding."""
    bound = select(Binding.id, Binding.alias).where(Binding.id.in_({row.binding_id for row in rows}))
    return {row.id: row.alias for row in session().execute(bound)}


def _bills(actor: Actor, rows: Sequence[BillOrder]) -> dict[tuple[str, str, str], UUID]:
    """The bills that the resident can open now, by item, account and number: those of live bindings."""
    found = session().execute(
        select(Binding.item, Binding.account_number, Bill.number, Bill.id)
        .join(Bill, Bill.binding_id == Binding.id)
        .where(Binding.resident_id == actor.id, Binding.city_id == actor.city_id, Binding.unbound_at.is_(None))
        .where(Bill.number.in_({row.bill_number for row in rows}))
    )
    return {(item, account, number): bill_id for item, account, number, bill_id in found}


def _item_name(row: BillOrder) -> dict[str, str]:
    """What the item is called; its code where the city offers it no longer."""
    try:
        texts = catalogue.offer(row.city_id, row.item).item.texts
    except ItemUnknown:
        return {"zh_cn": row.item, "en": row.item}
    return {"zh_cn": texts["zh-CN"].name, "en": texts["en"].name}
