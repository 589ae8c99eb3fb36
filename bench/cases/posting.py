"""Group posting without HTTP: fifty transfers, or fifty whole charges, in one call and one commit into one account."""

import random
import secrets
import time
from collections.abc import Callable
from uuid import UUID

from bench.codes import Made
from bench.ground import Ground, Taken
from bench.loaded import Loaded
from bench.machine import Meter
from core import clock, db, ids
from core.poster import Ask
from payments import charging, ledger

GROUP = 50


def ledger_group(ground: Ground, seconds: float) -> Taken:
    """The ledger's own posting, from many wallets to one merchant."""
    loaded = ground.loaded()
    merchant, wallets = loaded.people.hot[0].account, loaded.people.wallets

    def once() -> int:
        posted = ledger.post_on(connection, [_transfer(loaded, wallet, merchant) for wallet in random.sample(wallets, GROUP)])
        return sum(isinstance(one, ledger.Posted) for one in posted)

    with loaded.app().app_context(), db.private_connection() as connection:
        return _repeat(ground, once, seconds)


def charge_group(ground: Ground, seconds: float) -> Taken:
    """All that fifty charges write, into one merchant."""
    loaded = ground.loaded()

    def once() -> int:
        orders = [_order(loaded, code) for code in loaded.fresh(GROUP)]
        settled = charging.post_charges(connection, [Ask(order, frozenset()) for order in orders])
        return sum(not isinstance(one, frozenset) and one[0] == "posted" for one in settled)

    with loaded.app().app_context(), db.private_connection() as connection:
        return _repeat(ground, once, seconds)


def _transfer(loaded: Loaded, wallet: UUID, merchant: UUID) -> ledger.Transfer:
    return ledger.Transfer(
        id=ids.new_id(), city_id=loaded.people.city_id, kind="fee", debit=wallet, credit=merchant, amount_fen=1, occurred_at=clock.now()
    )


def _order(loaded: Loaded, code: Made) -> charging.Order:
    till, charge = loaded.people.hot[0], ids.new_id()
    return charging.Order(
        principal=till.id, key=secrets.token_urlsafe(16), body_hash=b"-" * 32, request_id=None, charge_id=charge,
        subject=ids.show("charge", charge),
        city_id=loaded.people.city_id, terminal_id=till.id, merchant_id=till.account, account_id=till.account, amount_fen=1,
        occurred_at=clock.now(), handle=code.handle, generation=1, step=code.step, tap=code.tap,
    )  # fmt: skip


def _repeat(ground: Ground, once: Callable[[], int], seconds: float) -> Taken:
    meter, count = Meter(server=None, database=ground.postmaster), 0
    once()
    until = time.perf_counter() + seconds
    meter.start()
    while time.perf_counter() < until:
        done = once()
        if done != GROUP:
            raise RuntimeError(f"{GROUP - done} of {GROUP} were refused")
        count += done
    meter.stop()
    return Taken(count, meter.seconds, meter)


CASES = {"ledger_group": ledger_group, "charge_group": charge_group}
