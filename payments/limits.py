"""Spending limits: the holder lowers them at once, and raises them only with a fresh and strong proof (F26)."""

from __future__ import annotations

import datetime as dt
from typing import Final

from sqlalchemy import text

from core import audit, clock, ids
from core.actors import Actor, system
from core.db import session, transaction
from core.errors import StepUpNeeded
from core.vocabulary import AuditEvent
from payments import rules, wallets
from payments.errors import LimitsOutOfOrder, LimitTooHigh
from payments.rules import Limits
from payments.wallets import WalletView

RAISE_LEVEL: Final = 2
RAISE_STRENGTH: Final = 2
RAISE_FRESH: Final = dt.timedelta(minutes=5)
# So many wallets are locked at once: nobody who pays waits for a whole city.
AT_ONCE: Final = 1_000


def change_limits(actor: Actor, *, single_fen: int | None, daily_fen: int | None, monthly_fen: int | None) -> WalletView:
    """Set the limits that are given; raises StepUpNeeded for more than before without a fresh strong sign-in."""
    wallet = wallets.own_wallet(actor, lock=True)
    before = wallets.limits_of(wallet)
    after = Limits(
        before.single_fen if single_fen is None else single_fen,
        before.daily_fen if daily_fen is None else daily_fen,
        before.monthly_fen if monthly_fen is None else monthly_fen,
    )
    _check(actor, before, after, rules.highest_limits(wallets.terms_of(wallet.city_id)))
    wallet.single_limit_fen, wallet.daily_limit_fen, wallet.monthly_limit_fen = after.single_fen, after.daily_fen, after.monthly_fen
    audit.record(
        actor,
        AuditEvent.LIMITS_CHANGED,
        city_id=wallet.city_id,
        subject=ids.show("wallet", wallet.id),
        resident_id=wallet.resident_id,
        detail={"before": _plain(before), "after": _plain(after)},
    )
    return wallets.view(wallet)


def keep_within_terms(city_id: int) -> int:
    """Lower what stands above today's terms of the city and take over its count, some wallets a transaction; gives how many.

    A wallet carries its limits itself, so that a payment looks at one row: new terms reach it by this, on the day they begin.
    """
    done, some = 0, AT_ONCE
    while some == AT_ONCE:
        with transaction():
            some = _keep_some(city_id)
        done += some
    return done


def _keep_some(city_id: int) -> int:
    terms = wallets.terms_of(city_id)
    highest = rules.highest_limits(terms)
    lowered = session().execute(
        text(
            "UPDATE wallet SET single_limit_fen = LEAST(single_limit_fen, :single), daily_limit_fen = LEAST(daily_limit_fen, :daily),"
            " monthly_limit_fen = LEAST(monthly_limit_fen, :monthly), daily_count_limit = :count"
            # Locked by id, in the order in which charges lock them: nobody waits in a circle.
            " WHERE id = ANY (ARRAY(SELECT id FROM wallet WHERE city_id = :city AND mode = 'platform' AND (single_limit_fen > :single"
            " OR daily_limit_fen > :daily OR monthly_limit_fen > :monthly OR daily_count_limit IS DISTINCT FROM :count)"
            " ORDER BY id LIMIT :at_once FOR NO KEY UPDATE)) RETURNING 1"
        ),
        {
            "city": city_id,
            "single": highest.single_fen,
            "daily": highest.daily_fen,
            "monthly": highest.monthly_fen,
            "count": terms.daily_count,
            "at_once": AT_ONCE,
        },
    )
    count = len(lowered.all())
    if count:
        detail = {"highest": _plain(highest), "daily_count": terms.daily_count, "count": count}
        audit.record(system("limits", city_id), AuditEvent.LIMITS_CHANGED, city_id=city_id, subject="wallets", detail=detail)
    return count


def _check(actor: Actor, before: Limits, after: Limits, highest: Limits) -> None:
    if not after.single_fen <= after.daily_fen <= after.monthly_fen:
        raise LimitsOutOfOrder()
    if after.raises(highest):
        raise LimitTooHigh(single_fen=highest.single_fen, daily_fen=highest.daily_fen, monthly_fen=highest.monthly_fen)
    if after.raises(before) and not _proved_now(actor):
        raise StepUpNeeded(level=RAISE_LEVEL, strength=RAISE_STRENGTH, max_age_seconds=int(RAISE_FRESH.total_seconds()))


def _proved_now(actor: Actor) -> bool:
    fresh = actor.signed_in_at is not None and clock.now() - actor.signed_in_at <= RAISE_FRESH
    return fresh and actor.identity_level >= RAISE_LEVEL and actor.strength >= RAISE_STRENGTH


def _plain(limits: Limits) -> list[int]:
    return [limits.single_fen, limits.daily_fen, limits.monthly_fen]
