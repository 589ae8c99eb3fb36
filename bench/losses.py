"""How soon a lost card is refused: at the centre, and at terminals that are online and ask as the real terminal program does (D28).

Against a running demo, `citycard losses`: some new residents report a card lost and take it back, over and over, while tills charge as fast
as they are answered and gates ask for their hotlist. Times count from the moment before the report is sent.
"""

from __future__ import annotations

import secrets
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import citycode
from citycode.hotlist import Hotlist
from command.gate_folder import EVERY_SECONDS, SESSION_SECONDS, GateFolder
from command.story.cast import Stage
from command.story.phone import Phone
from command.story.step import must
from command.story.till import Till
from command.story.walk import begin, issue, prove, sign_in, top_up

PATIENCE = 60.0


@dataclass
class Heard:
    """What each gate knows, and when it learnt it."""

    lists: dict[int, Hotlist] = field(default_factory=dict)
    changed: threading.Condition = field(default_factory=threading.Condition)

    def by(self, gate: int) -> Callable[[Hotlist], None]:
        """What a gate calls when it has a list."""

        def hear(hotlist: Hotlist) -> None:
            with self.changed:
                self.lists[gate] = hotlist
                self.changed.notify_all()

        return hear

    def wait(self, identity: bytes, *, listed: bool) -> list[float]:
        """When each gate came to list this, or no longer to; TimeoutError after a minute."""
        found: dict[int, float] = {}
        with self.changed:
            while len(found) < len(self.lists):
                for gate, hotlist in self.lists.items():
                    if gate not in found and hotlist.lists(identity) is listed:
                        found[gate] = time.monotonic()
                if len(found) < len(self.lists) and not self.changed.wait(PATIENCE):
                    raise TimeoutError("a gate does not hear of a change")
        return list(found.values())


@dataclass
class Figures:
    """Seconds from the report, at the centre and at the gates, and what the tills did meanwhile."""

    centre: list[float] = field(default_factory=list)
    gates: list[float] = field(default_factory=list)
    charges: int = 0
    seconds: float = 0.0

    def told(self) -> str:
        """One line for people."""
        rate = self.charges / self.seconds
        load = f"{len(self.centre)} losses in {self.seconds:.0f} s, {rate:.0f} charges a second beside"
        return f"{load}; centre {_spread(self.centre)}; {len(self.gates)} at gates asking every {EVERY_SECONDS:.0f} s {_spread(self.gates)}"


@dataclass(frozen=True, slots=True)
class Holder:
    """Somebody who will lose a card, with the id of an authorisation that their phone holds."""

    phone: Phone
    card: str
    identity: bytes


def measure(stage: Stage, *, losses: int, holders: int, gates: int) -> Figures:
    """Report that many losses in all, by so many residents in turn of each other, heard by so many gates."""
    figures, heard, stop, faults = Figures(), Heard(), threading.Event(), list[BaseException]()
    with ExitStack() as ending:
        losing = _holders(stage, holders)
        watching = [_gate(stage, Path(ending.enter_context(tempfile.TemporaryDirectory()))) for _ in range(gates)]
        background = [_thread(faults, gate.watch, stop, heard=heard.by(nth)) for nth, gate in enumerate(watching)]
        background += [_thread(faults, _charge, stage.till(each["code"]), losing[0], figures, stop) for each in _tills(stage)]
        while len(heard.lists) < gates and not faults:
            time.sleep(0.1)
        begun = time.monotonic()
        share = -(-losses // holders)
        front = [_thread(faults, _lose, stage, each, heard, figures, share) for each in losing]
        for thread in front:
            thread.join()
        figures.seconds = time.monotonic() - begun
        stop.set()
        for thread in background:
            thread.join()
    if faults:
        raise faults[0]
    return figures


def _lose(stage: Stage, holder: Holder, heard: Heard, figures: Figures, times: int) -> None:
    """Lose the card and find it again, so many times, at no special moment of the gates' rhythm."""
    till = stage.till()
    till.sign_in()
    phone, card, identity = holder.phone, holder.card, holder.identity
    for nth in range(times):
        time.sleep(secrets.randbelow(int(EVERY_SECONDS * 1000)) / 1000)
        if nth % 10 == 9:
            phone.refresh()
            till.sign_in()
        code, begun = phone.pay_code(), time.monotonic()
        phone.do("POST", f"/api/cards/{card}/loss", {"kind": "temporary"})
        refused = till.ask("POST", "/api/charges", {"amount_fen": 1, "code": code}, key=secrets.token_urlsafe(16))
        figures.centre.append(time.monotonic() - begun)
        must(refused.code == "card_lost", "the centre refuses at once", refused)
        figures.gates += [moment - begun for moment in heard.wait(identity, listed=True)]
        phone.find_card(card)
        heard.wait(identity, listed=False)


def _charge(till: Till, holder: Holder, figures: Figures, stop: threading.Event) -> None:
    """Ask for one charge over and over as fast as it is answered: token, signature, key and answer as in every charge."""
    till.sign_in()
    body, key = {"amount_fen": 1, "code": holder.phone.pay_code()}, secrets.token_urlsafe(16)
    while not stop.is_set():
        if till.now >= till.signed_in_at + SESSION_SECONDS:
            till.sign_in()
        answer = till.ask("POST", "/api/charges", body, key=key)
        if answer.status == 429:
            stop.wait(0.2)
            continue
        must(answer.status < 500, "the till is answered", answer)
        figures.charges += 1


def _holders(stage: Stage, count: int) -> list[Holder]:
    """New residents, each with a card of their own; the first has money for the tills."""
    made: dict[str, Holder] = {}
    while len(made) < count:
        walk = begin(stage)
        if walk.phone.number not in made:
            for step in (sign_in, prove, issue, *(() if made else (top_up,))):
                step(walk)
            made[walk.phone.number] = _holder(stage, walk.phone, walk.card)
    return list(made.values())


def _holder(stage: Stage, phone: Phone, card: str) -> Holder:
    phone.take_pay_key(card)
    # For identity alone: an empty wallet covers no more.
    phone.fetch_authorisations(card, count=1, limit_fen=0)
    with tempfile.TemporaryDirectory() as made:
        gate = _gate(stage, Path(made))
        return Holder(phone, card, citycode.verify(phone.city_code(), gate.trust(), now=int(phone.now)).id)


def _gate(stage: Stage, home: Path) -> GateFolder:
    gate = GateFolder(home)
    terminal = next(each for each in stage.city["terminals"] if "offline:accept" in each["functions"])
    gate.settle(terminal, address=stage.wire.url, issuer=stage.issuer)
    gate.sync()
    return gate


def _tills(stage: Stage) -> list[dict[str, Any]]:
    return [each for each in stage.city["terminals"] if "charge:create" in each["functions"]]


def _thread(faults: list[BaseException], work: Callable[..., object], *given: object, **named: object) -> threading.Thread:
    """A thread whose fault is kept for whoever waits for it."""

    def run() -> None:
        try:
            work(*given, **named)
        except BaseException as fault:  # noqa: BLE001  # raised again by `measure`
            faults.append(fault)

    made = threading.Thread(target=run, daemon=True)
    made.start()
    return made


def _spread(seconds: list[float]) -> str:
    ranked = sorted(seconds)
    at = {name: ranked[min(len(ranked) - 1, int(len(ranked) * share))] for name, share in (("p50", 0.5), ("p99", 0.99), ("most", 1.0))}
    return ", ".join(f"{name} {value:.3f} s" for name, value in at.items())
