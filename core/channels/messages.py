"""A short message and the interface of whoever sends it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from core.channels.templates import TEMPLATES, checked

_NUMBER = re.compile(r"1[3-9][0-9]{9}")
LANGUAGES = ("zh-CN", "en")


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One short message to one mainland mobile number; `reference` is ours and makes a repetition the same message."""

    number: str = field(repr=False)
    template: str
    language: str
    values: Mapping[str, str] = field(repr=False)
    reference: str

    def __post_init__(self) -> None:
        """Refuse a number, language, template or value that no provider would take."""
        if not _NUMBER.fullmatch(self.number):
            raise ValueError("not a mainland mobile number")
        if self.language not in LANGUAGES or self.template not in TEMPLATES:
            raise ValueError(f"no template {self.template} in {self.language}")
        checked(self.template, self.values)


class SmsSender(Protocol):
    """Hands a message to a provider, outside any transaction; raises ChannelUnavailable (try again) or ChannelRefused.

    Limits per number are the caller's: a sender sends what it is told.
    """

    @property
    def name(self) -> str: ...

    def send(self, message: Message) -> str:
        """Send; returns the provider's own number of the message."""
