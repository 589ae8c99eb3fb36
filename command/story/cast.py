"""Who plays in the story: read from what `citycard people` tells, so that any program could do the same."""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from command.story import proving
from command.story.desk import Desk
from command.story.phone import Phone
from command.story.system import System
from command.story.till import Till
from command.story.wire import Unexpected, Wire
from core.clock import today


def at_a_shell(*words: str) -> str:
    """What `citycard clock` with these words says, as anybody would ask at a shell."""
    done = subprocess.run([sys.executable, "-m", "command", "clock", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr.strip())
    return done.stdout


@dataclass(frozen=True, slots=True)
class Stage:
    """The addresses and everybody who may appear."""

    wire: Wire
    outside: Wire
    issuer: str
    city: dict[str, Any]
    clock: Callable[..., str] = at_a_shell
    _chosen: list[dict[str, Any]] = field(default_factory=list)

    @classmethod
    def of(
        cls, told: dict[str, Any], *, language: str = "zh-CN", address: str | None = None, clock: Callable[..., str] | None = None
    ) -> Stage:
        """The stage of the first city of a program that told who one can be."""
        outside = told["phones"].removesuffix("/phones")
        return cls(
            Wire(address or told.get("address_here", told["address"]), language=language),
            Wire(outside),
            told["address"],
            told["cities"][0],
            clock or at_a_shell,
        )

    def newcomer(self) -> tuple[Phone, dict[str, Any]]:
        """The phone of a stranger, and the facts that only they know."""
        person = self.stranger()
        return self.phone(person), person

    def stranger(self) -> dict[str, Any]:
        """Somebody grown up who has not proved who they are yet; each time another, of another household."""
        began_unproved = [person for person in self.city["people"] if person["settled_level"] == 1 and _born(person) < today().year - 18]
        # Whoever has proved it since, or is in a story now, pays the bills of the household.
        met = [person for person in began_unproved if person["identity_level"] > 1 or person in self._chosen]
        paid = [person["utility_accounts"] for person in met]
        waiting = [person for person in began_unproved if person["utility_accounts"] not in paid]
        if not waiting:
            raise LookupError("nobody is left who has not proved who they are: begin with a fresh data folder")
        person: dict[str, Any] = secrets.choice(waiting)
        self._chosen.append(person)
        return person

    def phone(self, person: dict[str, Any]) -> Phone:
        """A new phone with somebody's number."""
        return Phone(self.wire, self.outside, number=person["phone"], city=self.city["city_id"], issuer=self.issuer)

    def till(self, code: str | None = None) -> Till:
        """A terminal by its code, or the first that may charge."""
        wanted = (each for each in self.city["terminals"] if (each["code"] == code if code else "charge:create" in each["functions"]))
        found = next(wanted)
        return Till(self.wire, terminal=found["terminal"], key=proving.read_key(found["private_jwk"]), issuer=self.issuer)

    @contextmanager
    def borrowed_time(self) -> Iterator[None]:
        """Let the clock be moved inside; however this ends, the city's time is afterwards as far ahead as it was."""
        ahead = self.clock("show", "--ahead").strip()
        try:
            yield
        finally:
            self.clock("back", ahead)

    @contextmanager
    def fault(self, place: str, kind: str, **how: int) -> Iterator[None]:
        """A fault of the sandbox, on inside and off however this ends; `how` is its value or how many times it strikes."""
        self._switch("POST", "/faults", json.dumps({"place": place, "kind": kind, **how}).encode())
        try:
            yield
        finally:
            self._switch("DELETE", f"/faults?place={place}", b"")

    def _switch(self, method: str, path: str, body: bytes) -> None:
        answer = self.outside.send(method, path, body=body, headers={"Content-Type": "application/json"})
        if answer.status != 204:
            raise Unexpected(method, path, answer)

    def desk(self, role: str) -> Desk:
        """A staff member of a role, signed in."""
        desk = Desk(self.wire, self.staff(role), city=self.city["city_id"])
        desk.sign_in()
        return desk

    def system(self, code: str) -> System:
        """A partner's own program, by the partner's code."""
        found = next(each for each in self.city["partners"] if each["code"] == code)
        return System(self.wire, client_id=found["client_id"], key=proving.read_key(found["private_jwk"]), issuer=self.issuer)

    def staff(self, role: str) -> dict[str, Any]:
        """A staff member of a role."""
        found: dict[str, Any] = next(each for each in self.city["staff"] if each["role"] == role)
        return found


def _born(person: dict[str, Any]) -> int:
    """The year in a citizen number (GB 11643)."""
    return int(person["citizen_number"][6:10])
