"""Who plays in the story: read from what `citycard people` tells, so that any program could do the same."""

from __future__ import annotations

import secrets
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from command.story import proving
from command.story.phone import Phone
from command.story.till import Till
from command.story.wire import Wire


def advance_clock(step: str) -> None:
    """Move the time of the running installation forward, as anybody would at a shell."""
    moved = subprocess.run([sys.executable, "-m", "command", "clock", "advance", step], capture_output=True, text=True, check=False)
    if moved.returncode:
        raise RuntimeError(moved.stderr.strip())


@dataclass(frozen=True, slots=True)
class Stage:
    """The addresses and everybody who may appear."""

    wire: Wire
    outside: Wire
    issuer: str
    city: dict[str, Any]
    advance: Callable[[str], object] = advance_clock

    @classmethod
    def of(
        cls, told: dict[str, Any], *, language: str = "zh-CN", address: str | None = None, advance: Callable[[str], object] | None = None
    ) -> Stage:
        """The stage of the first city of a program that told who one can be."""
        outside = told["phones"].removesuffix("/phones")
        return cls(
            Wire(address or told["address"], language=language), Wire(outside), told["address"], told["cities"][0], advance or advance_clock
        )

    def newcomer(self) -> tuple[Phone, dict[str, Any]]:
        """The phone of somebody who has not proved who they are yet, and the facts that only they know; another one at each call."""
        waiting = [person for person in self.city["people"] if person["identity_level"] == 1 and not person["cards"]]
        if not waiting:
            raise LookupError("nobody is left who has not proved who they are: begin with a fresh data folder")
        person = secrets.choice(waiting)
        return self.phone(person), person

    def phone(self, person: dict[str, Any]) -> Phone:
        """A new phone with somebody's number."""
        return Phone(self.wire, self.outside, number=person["phone"], city=self.city["city_id"], issuer=self.issuer)

    def till(self, code: str | None = None) -> Till:
        """A terminal by its code, or the first that may charge."""
        wanted = (each for each in self.city["terminals"] if (each["code"] == code if code else "charge:create" in each["functions"]))
        found = next(wanted)
        return Till(self.wire, terminal=found["terminal"], key=proving.read_key(found["private_jwk"]), issuer=self.issuer)

    def staff(self, role: str) -> dict[str, Any]:
        """A staff member of a role."""
        found: dict[str, Any] = next(each for each in self.city["staff"] if each["role"] == role)
        return found
