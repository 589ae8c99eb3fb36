"""Notices from payment providers: proof of who sends, then a question to the provider, then an answer after the commit."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import select

from core import audit, limits
from core.actors import system
from core.db import session, transaction
from core.errors import CityError, NotFound, Throttled, Unavailable
from core.vocabulary import AuditEvent
from payments import top_up_refunds, topping_up
from payments.errors import NoticeMismatch
from payments.models import TopUp
from payments.providers import CallbackRefused, Notice, NoticeKind, OrderState, PaymentProvider
from payments.rules import TopUpState
from payments.wiring import provider_named

# Whoever floods us with forged notices must not fill the audit log with them.
_NOTED_AN_HOUR = 500


def take_notice(provider: str, headers: Mapping[str, str], raw_body: bytes) -> None:
    """Verify a notice and act on what the provider itself then says; returns once everything is committed.

    Raises CallbackRefused for a notice that is not the provider's, and Unavailable when the provider cannot be asked now:
    it repeats its notice, and the polling job asks meanwhile.
    """
    chosen = provider_named(provider)
    try:
        notice = chosen.verify_callback({name.lower(): value for name, value in headers.items()}, raw_body)
    except CallbackRefused as refusal:
        _note(provider, refusal)
        raise
    if notice.kind is NoticeKind.REFUND:
        _take_refund(chosen, notice)
        return
    top_up_id = _of(provider, notice)
    seen = chosen.query(notice.number)
    if seen is None:
        raise Unavailable()
    if topping_up.learn(top_up_id, seen) is not TopUpState.CREDITED and seen.state is OrderState.PAID:
        raise NoticeMismatch()


def _take_refund(provider: PaymentProvider, notice: Notice) -> None:
    with transaction():
        refund_id = top_up_refunds.of_number(provider.name, notice.number)
    seen = provider.query_refund(notice.number)
    if seen is None:
        raise Unavailable()
    if top_up_refunds.learn(refund_id, seen) == "mismatch":
        raise NoticeMismatch()


def _of(provider: str, notice: Notice) -> UUID:
    with transaction():
        found = session().scalar(select(TopUp.id).where(TopUp.provider == provider, TopUp.order_number == notice.number))
    if found is None:
        raise NotFound()
    return found


def _note(provider: str, refusal: CityError) -> None:
    try:
        limits.count("payments:callback:refused", provider, per=dt.timedelta(hours=1), at_most=_NOTED_AN_HOUR)
    except Throttled:
        return
    with transaction():
        audit.record(
            system("notices"),
            AuditEvent.CALLBACK_REFUSED,
            city_id=0,
            subject=provider,
            outcome=refusal.code,
            detail={"reason": str(refusal.facts.get("reason", ""))[:80]},
        )
