"""What this kind holds of a resident."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select, update

from core import clock
from core.db import session
from core.fields import rfc3339
from services.kinds.statement.models import Bill, BillOrder, Binding, BindingShare


class StatementData:
    """Bound accounts, bills, payments, and the codes by which accounts were shared."""

    tables: Iterable[str] = ("account_binding", "binding_share", "bill", "bill_order")

    def export(self, resident_id: UUID) -> dict[str, Any]:
        """Every binding, bill and payment."""
        bound = session().scalars(select(Binding).where(Binding.resident_id == resident_id).order_by(Binding.id))
        bills = session().scalars(select(Bill).where(Bill.resident_id == resident_id).order_by(Bill.id))
        orders = session().scalars(select(BillOrder).where(BillOrder.resident_id == resident_id).order_by(BillOrder.id))
        shares = session().scalars(select(BindingShare).where(BindingShare.resident_id == resident_id).order_by(BindingShare.id))
        return {
            "accounts": [{"item": b.item, "account_number": b.account_number, "alias": b.alias, "at": rfc3339(b.bound_at)} for b in bound],
            "bills": [{"number": b.number, "amount_fen": b.amount_fen, "state": b.state, "facts": b.facts} for b in bills],
            "bill_orders": [
                {"bill": o.bill_number, "amount_fen": o.amount_fen, "state": o.state, "at": rfc3339(o.created_at)} for o in orders
            ],
            "shares": [{"at": rfc3339(s.made_at), "used": s.used_at is not None} for s in shares],
        }

    def erase(self, resident_id: UUID) -> None:
        """Forget bills and codes and end the bindings; payments are part of the books, which accounting law keeps."""
        session().execute(delete(Bill).where(Bill.resident_id == resident_id))
        session().execute(delete(BindingShare).where(BindingShare.resident_id == resident_id))
        session().execute(
            update(Binding)
            .where(Binding.resident_id == resident_id)
            .values(alias="", masked_owner="", masked_address="", unbound_at=clock.now())
        )
