"""What offline trading holds of a resident, for them to take along (PIPL article 45)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import select

from core.db import session
from core.fields import rfc3339
from payments.offline.models import OfflineTrade


class OfflineData:
    """What gates without network took from a resident."""

    tables: Iterable[str] = ("offline_trade",)

    def export(self, resident_id: UUID) -> dict[str, Any]:
        """Every trade that was proved to be the resident's, paid or not."""
        mine = select(OfflineTrade).where(OfflineTrade.resident_id == resident_id).order_by(OfflineTrade.id)
        return {
            "offline_trades": [
                {"amount_fen": t.amount_fen, "result": t.result, "receipt_number": t.receipt_number, "at": rfc3339(t.occurred_at)}
                for t in session().scalars(mine)
            ]
        }

    def erase(self, resident_id: UUID) -> None:
        """Nothing: what was paid is part of the books, which accounting law keeps, under an id that names nobody."""
