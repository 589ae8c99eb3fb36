"""What the payments floor holds of a resident, for them to take along (PIPL article 45)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import select, update

from core.db import session
from core.fields import rfc3339
from payments import wallets
from payments.bill_models import BillPayment
from payments.models import Charge, Refund, TopUp, Wallet
from payments.top_up_refund_models import TopUpRefund


class PaymentData:
    """Wallets and everything that moved them."""

    tables: Iterable[str] = ("wallet", "charge", "top_up", "refund", "bill_payment", "top_up_refund")

    def export(self, resident_id: UUID) -> dict[str, Any]:
        """Every wallet with its balance, and every charge, refund and top-up."""
        held = session().scalars(select(Wallet).where(Wallet.resident_id == resident_id).order_by(Wallet.id))
        return {
            "wallets": [
                {"mode": w.mode, "state": w.state, "balance_fen": wallets.balance_of(w), "opened_at": rfc3339(w.opened_at)} for w in held
            ],
            "charges": _moved(Charge, resident_id),
            "refunds": _moved(Refund, resident_id),
            "top_ups": [
                {"amount_fen": t.amount_fen, "state": t.state, "provider": t.provider, "at": rfc3339(t.created_at)}
                for t in session().scalars(select(TopUp).where(TopUp.resident_id == resident_id).order_by(TopUp.id))
            ],
            "top_up_refunds": [
                {"amount_fen": r.amount_fen, "state": r.state, "provider": r.provider, "at": rfc3339(r.reserved_at)}
                for r in session().scalars(select(TopUpRefund).where(TopUpRefund.resident_id == resident_id).order_by(TopUpRefund.id))
            ],
            "bill_payments": [
                {"amount_fen": b.amount_fen, "purpose": b.purpose, "state": b.state, "at": rfc3339(b.reserved_at)}
                for b in session().scalars(select(BillPayment).where(BillPayment.resident_id == resident_id).order_by(BillPayment.id))
            ],
        }

    def erase(self, resident_id: UUID) -> None:
        """Close the wallets; what was paid is part of the books, which accounting law keeps, under an id that names nobody."""
        session().execute(update(Wallet).where(Wallet.resident_id == resident_id).values(state="closed"))


def _moved(kind: type[Charge] | type[Refund], resident_id: UUID) -> list[dict[str, Any]]:
    rows = session().execute(
        select(kind.amount_fen, kind.receipt_number, kind.recorded_at).where(kind.resident_id == resident_id).order_by(kind.id)
    )
    return [{"amount_fen": amount, "receipt_number": number, "at": rfc3339(at)} for amount, number, at in rows]
