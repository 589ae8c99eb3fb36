"""What ``app.py`` hands to the card floor: the cities' code prefixes and the steps that upper floors take along (D20)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cards.viewing import CardView
from core.actors import Actor

# Each runs in the transaction of the step and may refuse it by raising.
AfterIssue = Callable[[Actor, CardView], None]
BeforeReplace = Callable[[Actor, CardView], None]
BeforeCancel = Callable[[Actor, CardView], None]
# The amount is what all living authorisations of the card may cost together, in fen.
BeforeAuthorise = Callable[[Actor, CardView, int], None]
AfterFound = Callable[[Actor, CardView], None]


@dataclass(frozen=True, slots=True)
class Wiring:
    """The prefixes of pay codes by city, and what runs with the steps of cards named below."""

    prefixes: Mapping[int, str]
    after_issue: tuple[AfterIssue, ...] = ()
    before_replace: tuple[BeforeReplace, ...] = ()
    before_cancel: tuple[BeforeCancel, ...] = ()
    before_authorise: tuple[BeforeAuthorise, ...] = ()
    after_found: tuple[AfterFound, ...] = ()


_wiring = Wiring({})


def configure(
    *,
    prefixes: Mapping[int, str],
    after_issue: tuple[AfterIssue, ...] = (),
    before_replace: tuple[BeforeReplace, ...] = (),
    before_cancel: tuple[BeforeCancel, ...] = (),
    before_authorise: tuple[BeforeAuthorise, ...] = (),
    after_found: tuple[AfterFound, ...] = (),
) -> None:
    """Wire the card floor, once per process; a prefix has two digits and belongs to one city."""
    global _wiring
    if len(set(prefixes.values())) != len(prefixes) or not all(len(p) == 2 and p.isascii() and p.isdigit() for p in prefixes.values()):
        raise ValueError("each city needs a pay-code prefix of two digits of its own")
    _wiring = Wiring(dict(prefixes), after_issue, before_replace, before_cancel, before_authorise, after_found)


def wired() -> Wiring:
    """The wiring of this process."""
    return _wiring
