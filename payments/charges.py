"""Looking at one charge: by its resident, by the merchant's terminals, by staff."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select

from core import audit
from core.actors import Actor, ActorKind
from core.db import session
from core.errors import NotFound
from payments import merchants
from payments.models import Charge, Refund


@dataclass(frozen=True, slots=True)
class ChargeView:
    """A charge with what was given back of it, amounts in fen."""

    id: UUID
    receipt_number: str
    state: str
    amount_fen: int
    refunded_fen: int
    masked_name: str
    merchant: dict[str, str] | None
    terminal_id: UUID
    occurred_at: dt.datetime
    recorded_at: dt.datetime
    refunds: list[dict[str, Any]]


def charge_of(actor: Actor, charge_id: UUID) -> ChargeView:
    """One charge, if it is the resident's own, the terminal's merchant's, or of the staff member's city, whose look is written down."""
    charge = session().get(Charge, charge_id)
    if charge is None or charge.city_id != actor.city_id or not _concerns(actor, charge):
        raise NotFound()
    if actor.kind is ActorKind.STAFF:
        fields = ["charge", "masked_name"]
        audit.data_use(actor, city_id=charge.city_id, resident_id=charge.resident_id, purpose="charge", fields=fields)
    return view(charge)


def view(charge: Charge) -> ChargeView:
    """The charge with its refunds, oldest first."""
    given_back = session().scalars(select(Refund).where(Refund.charge_id == charge.id).order_by(Refund.id))
    names = merchants.names_of({charge.merchant_id}).get(charge.merchant_id)
    return ChargeView(
        id=charge.id,
        receipt_number=charge.receipt_number,
        state=charge.state,
        amount_fen=charge.amount_fen,
        refunded_fen=charge.refunded_fen,
        masked_name=str(charge.facts.get("masked_name", "")),
        merchant=None if names is None else {"zh": names[0], "en": names[1]},
        terminal_id=charge.terminal_id,
        occurred_at=charge.occurred_at,
        recorded_at=charge.recorded_at,
        refunds=[
            {"id": r.id, "kind": r.kind, "amount_fen": r.amount_fen, "receipt_number": r.receipt_number, "recorded_at": r.recorded_at}
            for r in given_back
        ],
    )


def _concerns(actor: Actor, charge: Charge) -> bool:
    if actor.kind is ActorKind.RESIDENT:
        return charge.resident_id == actor.id
    if actor.kind is ActorKind.TERMINAL:
        return charge.merchant_id == actor.merchant_id
    return actor.kind is ActorKind.STAFF
