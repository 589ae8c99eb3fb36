"""The states of bills and payments as data; pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from services.kinds.statement.errors import RemedyUnfit, StepForbidden

# Payment of a bill: state and step → next state. `reserved` covers everything that is not certain yet.
ORDER_STEPS: Final[Mapping[tuple[str, str], str]] = MappingProxyType(
    {("reserved", "accepted"): "paid", ("reserved", "refused"): "refused", ("paid", "give_back"): "given_back"}
)
PUBLIC_ORDER_STATE: Final[Mapping[str, str]] = MappingProxyType(
    {"reserved": "processing", "paid": "paid", "refused": "failed", "given_back": "refunded"}
)
# Repair of a difference; a later reading may show it no more, show it again, or show it otherwise than it was proposed about.
REPAIR_STEPS: Final[Mapping[tuple[str, str], str]] = MappingProxyType(
    {
        ("open", "propose"): "proposed",
        ("proposed", "approve"): "repaired",
        ("proposed", "refuse"): "open",
        ("open", "vanish"): "gone",
        ("proposed", "vanish"): "gone",
        ("gone", "appear"): "open",
        ("repaired", "appear"): "open",
        ("proposed", "change"): "open",
    }
)
# Which remedy fits which difference: `note` says that people settled it with the agency and our books are right. Where the agency has
# more than we posted, it depends on whether the number is that of a payment of ours, see `OWN_PAYMENT`.
REMEDIES: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "missing": frozenset({"give_back", "note"}),
        "extra": frozenset({"adjust", "note"}),
        "differ": frozenset({"adjust", "note"}),
        "damaged": frozenset({"note"}),
    }
)
# An extra entry of a payment that is not certain yet is accepted as the agency has it, or voided; paid again out of the city's own money it
# would be paid twice. One of a payment that was posted is the agency's to correct.
OWN_PAYMENT: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {"waiting": frozenset({"accept", "void"}), "posted": frozenset({"note"})}
)
# What brings money back to the resident: the agency is made to withdraw the payment first.
GIVES_BACK: Final = frozenset({"give_back", "void"})
# The agency withdrew what was voided: shown again, it is a difference anew.
ENDS_AT_AGENCY: Final = frozenset({"void"})

# A lost answer is asked for after this pause, and then less and less often.
FIRST_PAUSE: Final = dt.timedelta(seconds=10)
LONGEST_PAUSE: Final = dt.timedelta(minutes=10)
# A payment that an agency does not know after this long is withdrawn there, and the money given back.
PATIENCE: Final = dt.timedelta(days=1)
MOST_BINDINGS: Final = 10


def masked_account(number: str) -> str:
    """An account's number by its end: enough to tell one's own accounts apart, and nobody else's from it."""
    shown = min(4, len(number) // 2)
    return "*" * (len(number) - shown) + number[len(number) - shown :]


def pause(asked: int) -> dt.timedelta:
    """How long to wait before asking again."""
    return min(FIRST_PAUSE * (1 << min(asked, 10)), LONGEST_PAUSE)


def bill_state(told: str, order: str | None) -> str:
    """A bill as its resident sees it: what the agency told, and what is on its way or settled since."""
    if order == "reserved":
        return "processing"
    return "paid" if "paid" in (told, order) else "due"


def repair_step(state: str, step: str) -> str:
    """The state of a difference after a step; raises StepForbidden."""
    found = REPAIR_STEPS.get((state, step))
    if found is None:
        raise StepForbidden(state=state)
    return found


def check_remedy(kind: str, remedy: str, *, ours_fen: int | None, theirs_fen: int | None, own: str | None = None) -> None:
    """Whether a remedy fits; an adjustment needs amounts that differ, `own` is a row of OWN_PAYMENT. Raises RemedyUnfit."""
    fitting = OWN_PAYMENT[own] if kind == "extra" and own is not None else REMEDIES[kind]
    if remedy not in fitting or (remedy == "adjust" and (ours_fen or 0) == (theirs_fen or 0)):
        raise RemedyUnfit(kind=kind, remedy=remedy)
