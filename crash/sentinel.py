"""Identity codes through a crash: the table of presented codes is emptied by one, and still no code is good twice."""

import time

from bench.codes import Made
from bench.terminals import Session
from crash.calling import NO_DECISION, Caller
from crash.tills import CodesUsedUp, Supply, Tills

TRIES, PAUSE = 5, 0.1
PATIENCE = 20.0  # seconds of asking after a blow until there is a decision; a code is good for half a minute and a little more


class Sentinel:
    """Presents a code before a blow and the same code after it; `decided` counts the codes of which both were answered."""

    def __init__(self, tills: Tills, supply: Supply) -> None:
        self._tills, self._supply = tills, supply
        self.decided = 0

    def before(self, session: Session) -> Made | None:
        """A code that was just presented with success, or None where that cannot be: for a while after a crash codes are refused."""
        caller = Caller(self._tills.address)
        try:
            for _ in range(TRIES):
                made = self._supply.wait()
                outcome = self._tills.present(caller, session, made)
                if outcome not in NO_DECISION:
                    return made if outcome == "presented" else None
                time.sleep(PAUSE)
        except CodesUsedUp:
            return None
        finally:
            caller.close()
        return None

    def after(self, session: Session, made: Made | None) -> None:
        """Presents it again until there is a decision; the record notices when that succeeds."""
        if made is None:
            return
        caller, until = Caller(self._tills.address), time.monotonic() + PATIENCE
        while (outcome := self._tills.present(caller, session, made)) in NO_DECISION and time.monotonic() < until:
            time.sleep(PAUSE)
        self.decided += outcome not in NO_DECISION
        caller.close()
