"""What can be known after a call: it was answered, it was refused, or nobody can tell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Answered:
    """Done; `body` has passed the call's schema."""

    body: dict[str, Any]
    status: int = 200
    text: str = ""


@dataclass(frozen=True, slots=True)
class Refused:
    """Surely not done: the other system said no, with a code of its own."""

    code: str
    status: int


@dataclass(frozen=True, slots=True)
class Unknown:
    """Perhaps done: the caller keeps what it reserved and asks later."""

    reason: str


Outcome = Answered | Refused | Unknown
