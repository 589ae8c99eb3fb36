"""Many wallets at once, and what was paid into them before the system began: for a demo city, and for taking over an old system."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import insert, select, text

from core import audit, clock, ids
from core.actors import Actor
from core.db import session
from core.vocabulary import AuditEvent
from payments import ledger
from payments.errors import WalletMissing
from payments.ledger import Posted, Transfer
from payments.models import TopUp, Wallet
from payments.rules import TopUpState
from payments.topping_up import clearing_account
from payments.wallets import PLATFORM, opening_limits

# Whose books the opening balances came from, in place of a payment provider's name.
OPENING: Final = "opening"
_BATCH: Final = 500


def open_wallets(actor: Actor, *, city_id: int, resident_ids: Sequence[UUID]) -> dict[UUID, UUID]:
    """Open the platform wallets that these residents lack, in the current transaction; the answer is each one's account."""
    known = _accounts(city_id)
    missing = [resident_id for resident_id in dict.fromkeys(resident_ids) if resident_id not in known]
    made = {resident_id: ids.new_id() for resident_id in missing}
    limits = opening_limits(city_id) if made else {}
    for batch in _batches(missing):
        accounts = [made[resident_id] for resident_id in batch]
        session().execute(
            text(
                "SELECT ledger_open(x.account, :city, 'wallet', x.resident)"
                " FROM unnest(CAST(:accounts AS uuid[]), CAST(:residents AS uuid[])) AS x(account, resident)"
            ),
            {"city": city_id, "accounts": accounts, "residents": list(batch)},
        )
        session().execute(insert(Wallet), [_wallet(city_id, resident_id, made[resident_id], limits) for resident_id in batch])
    if made:
        audit.record(actor, AuditEvent.WALLET_OPENED, city_id=city_id, subject="wallets", detail={"count": len(made)})
    return {resident_id: (known | made)[resident_id] for resident_id in resident_ids}


def credit_opening_top_ups(actor: Actor, *, city_id: int, amounts: Mapping[UUID, int]) -> None:
    """Post what residents held already, in fen, as one top-up each with its receipt, in the current transaction."""
    clearing = clearing_account(city_id, OPENING)
    ledger.open_account(clearing, city_id=city_id, kind="clearing")
    wallets = {w.resident_id: w for w in session().scalars(select(Wallet).where(Wallet.city_id == city_id, Wallet.mode == PLATFORM))}
    if not wallets.keys() >= amounts.keys():
        raise WalletMissing()
    for batch in _batches(list(amounts)):
        _credit(city_id, clearing, [(wallets[resident_id], amounts[resident_id]) for resident_id in batch])
    total = sum(amounts.values())
    audit.record(actor, AuditEvent.TOP_UP_CREDITED, city_id=city_id, subject=OPENING, detail={"count": len(amounts), "amount_fen": total})


def _credit(city_id: int, clearing: UUID, due: Sequence[tuple[Wallet, int]]) -> None:
    now = clock.now()
    numbers = session().scalars(
        text("SELECT receipt_number(:city, :today) FROM generate_series(1, :n)"), {"city": city_id, "today": clock.today(), "n": len(due)}
    )
    rows = [_top_up(wallet, amount_fen, number, now) for (wallet, amount_fen), number in zip(due, numbers, strict=True)]
    posted = ledger.post(
        [
            Transfer(
                id=row["transfer_id"],
                city_id=city_id,
                kind="top_up",
                debit=clearing,
                credit=wallet.account_id or clearing,
                amount_fen=amount_fen,
                reference=row["id"],
                occurred_at=now,
            )
            for (wallet, amount_fen), row in zip(due, rows, strict=True)
        ]
    )
    if refused := [each for each in posted if not isinstance(each, Posted)]:
        raise RuntimeError(f"opening balances could not be posted: {refused[0]}")
    session().execute(insert(TopUp), rows)


def _top_up(wallet: Wallet, amount_fen: int, number: str, now: dt.datetime) -> dict[str, Any]:
    top_up_id = ids.new_id()
    return {
        "id": top_up_id,
        "city_id": wallet.city_id,
        "resident_id": wallet.resident_id,
        "wallet_id": wallet.id,
        "amount_fen": amount_fen,
        "provider": OPENING,
        "order_number": ids.show("top_up", top_up_id),
        "state": TopUpState.CREDITED.value,
        "receipt_number": number,
        "transfer_id": ids.new_id(),
        "created_at": now,
        "expires_at": now,
        "decided_at": now,
    }


def _wallet(city_id: int, resident_id: UUID, account_id: UUID, limits: dict[str, int]) -> dict[str, Any]:
    return {
        "id": ids.new_id(),
        "city_id": city_id,
        "resident_id": resident_id,
        "mode": PLATFORM,
        "account_id": account_id,
        "state": "open",
        **limits,
        "opened_at": clock.now(),
    }


def _accounts(city_id: int) -> dict[UUID, UUID]:
    rows = session().execute(
        select(Wallet.resident_id, Wallet.account_id).where(
            Wallet.city_id == city_id, Wallet.mode == PLATFORM, Wallet.account_id.is_not(None)
        )
    )
    return {resident_id: account_id for resident_id, account_id in rows if account_id is not None}


def _batches(residents: Sequence[UUID]) -> Iterator[Sequence[UUID]]:
    for start in range(0, len(residents), _BATCH):
        yield residents[start : start + _BATCH]
