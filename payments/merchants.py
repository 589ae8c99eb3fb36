"""Merchants: who is paid at terminals; each has one account, which refunds may take a little below zero."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

from core import clock, ids
from core.db import session
from core.errors import NotFound
from payments import ledger
from payments.models import Merchant


def open_merchant(*, city_id: int, zh: str, en: str, refund_credit_fen: int = 0, merchant_id: UUID | None = None) -> Merchant:
    """Admit a merchant with its account, in the current transaction; the same id again gives the one that is there."""
    known = session().get(Merchant, merchant_id) if merchant_id else None
    if known is not None:
        return known
    account_id = ids.new_id()
    made = Merchant(
        id=merchant_id or ids.new_id(),
        city_id=city_id,
        zh=zh,
        en=en,
        account_id=account_id,
        refund_credit_fen=refund_credit_fen,
        opened_at=clock.now(),
        closed_at=None,
    )
    ledger.open_account(account_id, city_id=city_id, kind="merchant", owner_id=made.id, credit_line_fen=refund_credit_fen)
    session().add(made)
    session().flush()
    return made


def merchant_account(city_id: int, merchant_id: UUID) -> UUID:
    """The account that a terminal of this merchant credits; NotFound for a merchant unknown, closed or of another city."""
    wanted = select(Merchant.account_id).where(Merchant.id == merchant_id, Merchant.city_id == city_id, Merchant.closed_at.is_(None))
    found = session().scalar(wanted)
    if found is None:
        raise NotFound()
    return found


def names_of(merchant_ids: set[UUID]) -> dict[UUID, tuple[str, str]]:
    """The names of merchants in Chinese and English."""
    rows = session().execute(select(Merchant.id, Merchant.zh, Merchant.en).where(Merchant.id.in_(merchant_ids)))
    return {merchant_id: (zh, en) for merchant_id, zh, en in rows}
