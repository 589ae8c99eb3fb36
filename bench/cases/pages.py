"""Showing the card on a phone that has no network, from a browser that was not running."""

from concurrent.futures import ThreadPoolExecutor

from bench.cold_start import phone_without_network
from bench.ground import Ground, Taken
from bench.machine import Meter

TRIES = 5


def card_offline(ground: Ground, seconds: float) -> Taken:
    """Home, one touch, the code: five starts a round, whatever the seconds; needs Chromium."""
    meter = Meter(server=None, database=ground.postmaster)
    meter.start()
    with ThreadPoolExecutor(1) as own:  # playwright's loop wants a thread to itself, and a test may have one running in this
        starts = own.submit(phone_without_network, ground.home / "pages", TRIES).result()
    starts.sort(key=lambda each: each.shown_ms)
    meter.stop()
    meter.client_s = meter.database_s = 0.0  # what the browser costs is its own affair; the guard compares nothing here
    waits = [each.shown_ms for each in starts]
    return Taken(TRIES, sum(waits) / 1000, meter, waits[TRIES // 2], waits[-1])


CASES = {"card_offline": card_offline}
