"""Wallets: one of each mode for a resident, whatever cards come and go (D13)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select, text

import cards
from cards import CardView, WalletTerms
from core import audit, clock, ids
from core.actors import Actor
from core.db import session
from core.vocabulary import AuditEvent
from payments import ledger, rules
from payments.errors import WalletMissing
from payments.models import Wallet
from payments.wiring import Keeper, wired

PLATFORM = "platform"


@dataclass(frozen=True, slots=True)
class WalletView:
    """A wallet as its holder sees it, amounts in fen."""

    id: UUID
    mode: str
    state: str
    currency: str
    balance_fen: int
    most_balance_fen: int
    least_top_up_fen: int
    most_top_up_fen: int
    top_up_unit_fen: int
    limits: rules.Limits
    highest_limits: rules.Limits
    daily_count: int
    spent_today_fen: int
    spent_this_month_fen: int
    providers: list[str]
    keeper: Keeper | None
    opened_at: dt.datetime


def open_wallet_for(actor: Actor, card: CardView) -> None:
    """Open the holder's wallet with a card's issue and tie the card to it; the hook that cards run in the issuing transaction."""
    mode = cards.product_of(card.city_id, card.product).wallet_mode
    wallet = open_wallet(actor, resident_id=card.resident_id, city_id=card.city_id, mode=mode)
    if wallet.account_id is not None:
        cards.link_wallet(card.id, wallet.account_id)


def open_wallet(actor: Actor, *, resident_id: UUID, city_id: int, mode: str = PLATFORM) -> Wallet:
    """The resident's wallet of a mode, opened now if there is none; only a platform wallet has an account in our books."""
    found = _find(resident_id, city_id, mode)
    if found is None:
        # Two cards issued at the same moment open one wallet: the second waits here and finds it.
        session().execute(text("SELECT pg_advisory_xact_lock(hashtextextended('wallet|' || :r, 0))"), {"r": str(resident_id)})
        found = _find(resident_id, city_id, mode) or _open(actor, resident_id, city_id, mode)
    return found


def _open(actor: Actor, resident_id: UUID, city_id: int, mode: str) -> Wallet:
    account_id = ids.new_id() if mode == PLATFORM else None
    if account_id is not None:
        ledger.open_account(account_id, city_id=city_id, kind="wallet", owner_id=resident_id)
    made = Wallet(
        id=ids.new_id(),
        city_id=city_id,
        resident_id=resident_id,
        mode=mode,
        account_id=account_id,
        state="open",
        **opening_limits(city_id, mode),
        opened_at=clock.now(),
    )
    session().add(made)
    session().flush()
    subject = ids.show("wallet", made.id)
    audit.record(actor, AuditEvent.WALLET_OPENED, city_id=city_id, subject=subject, resident_id=resident_id, detail={"mode": mode})
    return made


def terms_of(city_id: int, mode: str = PLATFORM) -> WalletTerms:
    """What the city's products say of wallets today; ProductUnknown when they say nothing."""
    return cards.wallet_terms(city_id, mode, clock.today())


def opening_limits(city_id: int, mode: str = PLATFORM) -> dict[str, int]:
    """The limit columns of a new wallet."""
    terms = terms_of(city_id, mode) if mode == PLATFORM else None
    first = rules.KEPT_ELSEWHERE if terms is None else rules.first_limits(terms)
    columns = {"single_limit_fen": first.single_fen, "daily_limit_fen": first.daily_fen, "monthly_limit_fen": first.monthly_fen}
    return columns if terms is None else {**columns, "daily_count_limit": terms.daily_count}


def wallet_of(actor: Actor) -> WalletView:
    """The platform wallet of the resident who asks."""
    return view(own_wallet(actor))


def own_wallet(actor: Actor, *, lock: bool = False) -> Wallet:
    """The row behind it; locked where a decision follows that another request of the holder could overtake."""
    return _found(_find(actor.id, actor.city_id, PLATFORM, lock=lock))


def view(wallet: Wallet) -> WalletView:
    """The wallet at this moment of the city's time."""
    today, terms = clock.today(), terms_of(wallet.city_id, wallet.mode)
    return WalletView(
        id=wallet.id,
        mode=wallet.mode,
        state=wallet.state,
        currency="CNY",
        balance_fen=balance_of(wallet),
        most_balance_fen=terms.balance_cap_fen,
        least_top_up_fen=terms.top_up_minimum_fen,
        most_top_up_fen=terms.top_up_maximum_fen,
        top_up_unit_fen=terms.top_up_unit_fen,
        limits=limits_of(wallet),
        highest_limits=rules.highest_limits(terms),
        daily_count=terms.daily_count,
        spent_today_fen=wallet.spent_day_fen if wallet.spent_on == today else 0,
        spent_this_month_fen=wallet.spent_month_fen if wallet.spent_month == today.replace(day=1) else 0,
        providers=sorted(wired().providers),
        keeper=wired().keepers.get(wallet.city_id),
        opened_at=wallet.opened_at,
    )


def holds_money(resident_id: UUID) -> bool:
    """Whether any wallet of a resident is not empty; the question that auth asks before it closes an account."""
    held = session().scalars(select(Wallet).where(Wallet.resident_id == resident_id))
    return any(balance_of(wallet) != 0 for wallet in held)


def balance_of(wallet: Wallet) -> int:
    """What the platform owes the holder, in fen."""
    return 0 if wallet.account_id is None else ledger.balance(wallet.account_id)


def limits_of(wallet: Wallet) -> rules.Limits:
    return rules.Limits(wallet.single_limit_fen, wallet.daily_limit_fen, wallet.monthly_limit_fen)


def restore_room(wallet: Wallet, amount_fen: int, *, day: dt.date) -> None:
    """Give a payment that came to nothing its room in the limits of the day and month on which it was counted; the row is locked.

    Never below zero: up to the second version of ``charge_post`` a charge that waited across midnight was counted on the day before.
    """
    if wallet.spent_on == day:
        wallet.spent_day_fen = max(0, wallet.spent_day_fen - amount_fen)
        wallet.spent_day_count = max(0, wallet.spent_day_count - 1)
    if wallet.spent_month == day.replace(day=1):
        wallet.spent_month_fen = max(0, wallet.spent_month_fen - amount_fen)


def _find(resident_id: UUID, city_id: int, mode: str, *, lock: bool = False) -> Wallet | None:
    wanted = select(Wallet).where(Wallet.resident_id == resident_id, Wallet.city_id == city_id, Wallet.mode == mode)
    return session().scalar(wanted.with_for_update(key_share=True) if lock else wanted)


def _found(wallet: Wallet | None) -> Wallet:
    if wallet is None:
        raise WalletMissing()
    return wallet
