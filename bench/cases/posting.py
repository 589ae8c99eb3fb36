"""Group posting without HTTP: fifty transfers, or fifty whole charges, in one call and one commit into one account."""

import random
import time
from collections.abc import Callable

from bench.ground import Ground, Taken
from bench.machine import Meter
from core import clock, db, ids
from payments import ledger

GROUP = 50


def ledger_group(ground: Ground, seconds: float) -> Taken:
    """The ledger's own posting, from many wallets to one merchant."""
    loaded = ground.loaded()
    merchant, wallets = loaded.people.hot[0].account, loaded.people.wallets

    def once() -> int:
        now = clock.now()
        posted = ledger.post_on(db.connection(), [
            ledger.Transfer(
                id=ids.new_id(), city_id=loaded.people.city_id, kind="charge", debit=wallet, credit=merchant, amount_fen=1, occurred_at=now,
            )
            for wallet in random.sample(wallets, GROUP)
        ])  # fmt: skip
        return sum(isinstance(one, ledger.Posted) for one in posted)

    with loaded.app().app_context():
        return _repeat(ground, once, seconds)


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


CASES = {"ledger_group": ledger_group}
