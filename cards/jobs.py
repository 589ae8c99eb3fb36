"""What the card floor does by itself: losses that lapse, codes that are forgotten, phones that were removed."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import text

from cards.authorisations import listing
from cards.codes import pay_keys
from cards.loss import lapse_losses
from core import db, ids, jobs, outbox
from core.actors import system
from core.outbox import Fact
from core.vocabulary import Event


@jobs.every("cards.losses.lapse", seconds=60)
def lapse() -> None:
    """Release or cancel what ran out, in portions, so that no transaction grows long."""
    done = -1
    while done:
        with db.transaction():
            done = lapse_losses(system("cards.losses"))


@jobs.every("cards.codes.sweep", seconds=60)
def sweep() -> None:
    """Forget codes that are dead for ten minutes."""
    with db.transaction() as session:
        session.execute(text("SELECT sweep_codes_v1()"))


@jobs.every("cards.hotlist.sweep", daily_at=dt.time(3, 40))
def sweep_hotlist() -> None:
    """Forget hotlist changes about authorisations that are long over."""
    with db.transaction():
        listing.sweep()


@outbox.listens(Event.DEVICE_REMOVED)
def device_removed(fact: Fact) -> None:
    """A removed phone makes no more codes, with network or without."""
    device = ids.parse("device", fact.payload["device"])
    pay_keys.revoke_of_device(system("cards.pay_keys", fact.city_id), device, reason="device_removed")
    listing.end_device(device)
