"""A gate: decides on a code without network, from its trust list, its hotlist and what it has seen itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple

from citycode.hotlist import Hotlist
from citycode.layout import HOUR
from citycode.refusals import Reason, Refused
from citycode.verifying import TrustList, Verified, verify


@dataclass(frozen=True, slots=True)
class GateRules:
    """What a gate may do alone: how old its lists may be (seconds), and how much it may take before it uploads (fen)."""

    oldest_lists: int = 72 * HOUR
    most_fen: int = 2_000_000


class Trade(NamedTuple):
    """A code that a gate accepted, with what it took for it (fen; 0 for identity) and when (seconds of Unix time)."""

    serial: int
    code: str
    amount_fen: int
    occurred_at: int
    id: bytes
    expires_at: int


RULES: Final = GateRules()


class Gate:
    """One gate. ``keep`` must have stored a trade durably when it returns: only then does the gate open."""

    def __init__(
        self,
        trust: TrustList,
        hotlist: Hotlist,
        *,
        keep: Callable[[Trade], None],
        kept: Iterable[Trade] = (),
        uploaded: int = 0,
        rules: GateRules = RULES,
    ) -> None:
        self.trust, self.hotlist, self.rules = trust, hotlist, rules
        self._keep = keep
        self._seen: dict[bytes, int] = {}
        # What was uploaded is counted from, also where its trades are no longer kept: a serial number never comes twice.
        self._serial, self._open_fen = uploaded, 0
        for trade in kept:
            self._remember(trade, open_=trade.serial > uploaded)

    def offer(self, text: str, amount_fen: int, *, now: int) -> Verified:
        """Accept a code for an amount in fen, or raise Refused; an authorisation is good for one acceptance."""
        if now - self.hotlist.made_at > self.rules.oldest_lists:
            raise Refused(Reason.LISTS_TOO_OLD)
        shown = verify(text, self.trust, now=now)
        if self.hotlist.lists(shown.id):
            raise Refused(Reason.LISTED)
        if shown.id in self._seen:
            raise Refused(Reason.REPLAYED)
        if not 0 <= amount_fen <= shown.limit_fen:
            raise Refused(Reason.OVER_LIMIT)
        if self._open_fen + amount_fen > self.rules.most_fen:
            raise Refused(Reason.GATE_FULL)
        trade = Trade(self._serial + 1, text, amount_fen, now, shown.id, shown.expires_at)
        self._keep(trade)
        self._remember(trade, open_=True)
        return shown

    def uploaded(self, amount_fen: int) -> None:
        """The centre has taken trades of this sum over."""
        self._open_fen -= amount_fen

    def forget(self, *, now: int) -> int:
        """Drop what can no longer be shown; returns how much."""
        dead = [identity for identity, expires_at in self._seen.items() if expires_at <= now]
        for identity in dead:
            del self._seen[identity]
        return len(dead)

    def _remember(self, trade: Trade, *, open_: bool) -> None:
        self._serial = max(self._serial, trade.serial)
        self._seen[trade.id] = trade.expires_at
        if open_:
            self._open_fen += trade.amount_fen
