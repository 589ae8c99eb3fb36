"""What a step of the story is, and how it is held to what must follow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from command.story.wire import Answer

if TYPE_CHECKING:
    from command.story.walk import Walk


class Broken(Exception):
    """Something that must hold in the story did not."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step: its title, and what was seen, in both languages."""

    zh: str
    en: str
    seen: tuple[tuple[str, str], ...]


def must(held: bool, what: str, answer: Any) -> None:
    """Stop the story where something does not hold."""
    if not held:
        raise Broken(f"{what}: {answer}")


def balance(walk: Walk) -> int:
    """What the wallet holds now."""
    return int(walk.phone.do("GET", "/api/wallet")["balance_fen"])


def word(answer: Answer, language: str) -> str:
    """The words of a refusal."""
    return str(answer.body["messages"][language])
