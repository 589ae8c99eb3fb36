"""Identity codes through a crash: the table of presented codes is emptied by one, and still no code is good twice."""

from bench.codes import Made
from bench.terminals import Session
from crash.calling import Caller
from crash.tills import CodesUsedUp, Supply, Tills


class Sentinel:
    """Presents a code before a blow and the same code after it."""

    def __init__(self, tills: Tills, supply: Supply) -> None:
        self._tills, self._supply = tills, supply

    def before(self, session: Session) -> Made | None:
        """A code that was just presented with success, or None where that is not possible now."""
        try:
            made = self._supply.take()
        except CodesUsedUp:
            return None
        caller = Caller(self._tills.address)
        outcome = self._tills.present(caller, session, made)
        caller.close()
        return made if outcome == "presented" else None

    def after(self, session: Session, made: Made | None) -> None:
        """Presents it again; the record notices when that succeeds."""
        if made is None:
            return
        caller = Caller(self._tills.address)
        for _ in range(3):
            if self._tills.present(caller, session, made) != "no answer":
                break
        caller.close()
