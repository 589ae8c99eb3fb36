"""Residents who top up through the provider and wait until they are told that the money is there."""

import random
import time
from urllib.parse import urlencode, urlsplit

from core import ids
from crash.calling import Answer, Caller, NoAnswer
from crash.record import Credited
from crash.residents import PATIENCE, PAUSE, Asking, Crowd, Residents

PROVIDER = "yunpay"
AMOUNT_FEN = 1_000


class Purses(Crowd):
    """A few residents who top up again and again."""

    name = "purse"

    def __init__(self, residents: Residents, mine: range, *, seed: int) -> None:
        super().__init__(residents, mine, seed=seed)
        self.lost: list[str] = []  # top-ups that were paid and never arrived

    def act(self, nth: int, chance: random.Random) -> None:
        """Orders a top-up, pays it at the provider, and waits for the money."""
        with Asking(self.residents, nth) as asking:
            body: dict[str, object] = {"amount_fen": AMOUNT_FEN, "provider": PROVIDER}
            ordered = asking.until("POST", "/api/top-ups", body=body, once=True, good=lambda a: a.status in (201, 202))
            if ordered is None or ordered.status >= 400:
                return
            top_up = str(ordered.body["id"])
            shown = asking.until("GET", f"/api/top-ups/{top_up}", good=_can_be_paid)
            if shown is None or not shown.body.get("pay_url") or not _pay(shown.body["pay_url"]):
                return
            ended = asking.until("GET", f"/api/top-ups/{top_up}", good=lambda a: a.body.get("state") == "credited")
            if ended is None or ended.status >= 400:
                self.lost.append(f"top-up {top_up} was paid and not credited within {PATIENCE:.0f} s")
            else:
                self.residents.record.tell_credited(Credited(ids.parse("top_up", top_up), AMOUNT_FEN))


def _can_be_paid(answer: Answer) -> bool:
    return (answer.status == 200 and answer.body.get("state") != "pending") or bool(answer.body.get("pay_url"))


def _pay(url: str) -> bool:
    """The resident approves on the provider's page; True only when the provider said so."""
    parts = urlsplit(url)
    caller, until = Caller((parts.hostname or "", parts.port or 80)), time.monotonic() + PATIENCE
    headers = {"content-type": "application/x-www-form-urlencoded", "accept": "application/json"}
    while time.monotonic() < until:
        try:
            answer = caller.send("POST", parts.path, urlencode({"choice": "approve"}).encode(), headers)
        except NoAnswer:
            time.sleep(PAUSE)
            continue
        caller.close()
        return answer.status == 200 or answer.status == 409  # 409: an earlier, lost answer had decided it
    return False
