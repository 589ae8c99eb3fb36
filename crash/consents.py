"""Residents who consent to a partner's purpose and withdraw again: facts of which the partner's endpoint must hear, each once in effect."""

import random
from uuid import UUID

from core import ids
from crash.residents import Asking, Crowd, Residents

PURPOSE = "lending"
GRANTED, WITHDRAWN = "citycard.consent.granted", "citycard.consent.withdrawn"


class Consenters(Crowd):
    """A few residents who change their mind again and again."""

    name = "consent"

    def __init__(self, residents: Residents, mine: range, partner: UUID, *, seed: int) -> None:
        super().__init__(residents, mine, seed=seed)
        self._partner = ids.show("partner", partner)

    def act(self, nth: int, chance: random.Random) -> None:
        """Consents, and withdraws."""
        with Asking(self.residents, nth) as asking:
            body: dict[str, object] = {"partner": self._partner, "purpose": PURPOSE, "text_version": 1}
            given = asking.until("POST", "/api/me/consents", body=body, good=lambda a: a.status == 201)
            if given is None or given.status >= 400:
                return
            consent = str(given.body["id"])
            self.residents.record.tell_fact(consent, GRANTED)
            ended = asking.until("DELETE", f"/api/me/consents/{consent}", good=lambda a: a.status == 204)
            if ended is not None and ended.status == 204:
                self.residents.record.tell_fact(consent, WITHDRAWN)
