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
    """The other system said no to this attempt, with a code of its own.

    Whether the thing was not done is the caller's to judge, by codes that say so. `in_doubt`: an earlier attempt of the same call may
    have been done, so that nothing is certain and the caller asks.
    """

    code: str
    status: int
    in_doubt: bool = False


@dataclass(frozen=True, slots=True)
class Unknown:
    """Perhaps done: the caller keeps what it reserved and asks later."""

    reason: str


Outcome = Answered | Refused | Unknown
