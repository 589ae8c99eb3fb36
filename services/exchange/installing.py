"""What the exchange is handed at the start: its sender, and the name under which the platform speaks."""

from __future__ import annotations

from dataclasses import dataclass

from services.exchange.sending import Sender


@dataclass
class _Handed:
    sender: Sender
    source: str


_handed: list[_Handed] = []


def configure(sender: Sender, *, source: str) -> None:
    """Give the exchange its way out and the ``source`` of its CloudEvents."""
    _handed[:] = [_Handed(sender, source)]


def sender() -> Sender:
    """The way out."""
    return _handed[0].sender


def source() -> str:
    """Who speaks."""
    return _handed[0].source
