"""What offline trading holds of a resident, for them to take along (PIPL article 45)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import select

from core.db import session
from core.fields import rfc3339
from payments.offline.models import OfflineRepayment, OfflineTrade


class OfflineData:
    """What gates without network took from a resident, and what the resident made good of it later."""

    tables: Iterable[str] = ("offline_trade", "offline_repayment")

    def export(self, resident_id: UUID) -> dict[str, Any]:
        """Every trade that was proved to be the resident's, paid or not, and every repayment."""
        mine = select(OfflineTrade).where(OfflineTrade.resident_id == resident_id).order_by(OfflineTrade.id)
        made_good = select(OfflineRepayment).where(OfflineRepayment.resident_id == resident_id).order_by(OfflineRepayment.id)
        return {
            "offline_trades": [
                {"amount_fen": t.amount_fen, "result": t.result, "receipt_number": t.receipt_number, "at": rfc3339(t.occurred_at)}
                for t in session().scalars(mine)
            ],
            "offline_repayments": [
                {"amount_fen": r.amount_fen, "receipt_number": r.receipt_number, "at": rfc3339(r.recorded_at)}
                for r in session().scalars(made_good)
            ],
        }

    def erase(self, resident_id: UUID) -> None:
        """Nothing: what was paid is part of the books, which accounting law keeps, under an id that names nobody."""
