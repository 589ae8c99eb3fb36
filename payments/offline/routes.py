"""The upload of offline trades over HTTP."""

from __future__ import annotations

from typing import Any

import cards
from core.actors import Actor
from core.web import Routes, terminal
from payments.offline import errors, taking
from payments.offline.schemas import OfflineBatchIn, OfflineBatchOut
from payments.offline.taking import Trade

routes = Routes("offline trades")


@routes.post(
    "/api/offline-trades",
    operation="uploadOfflineTrades",
    access=terminal(cards.OFFLINE),
    takes=OfflineBatchIn,
    gives=OfflineBatchOut,
    most_bytes=128 * 1024,
    errors=(errors.BatchSignatureWrong, errors.BatchOutOfOrder, errors.SerialReused),
)
def upload_offline_trades(actor: Actor, body: dict[str, Any]) -> dict[str, Any]:
    """Take over what the terminal accepted without network; a trade sent again gets its first answer."""
    return {"results": taking.take(actor, [Trade(**trade) for trade in body["trades"]], body["signature"])}
