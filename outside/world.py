"""Everything the played agencies share: settings, database, keys, people and the time."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from flask import current_app

from core.http_signatures import KeyFinder
from outside.database import Pool
from outside.keys import Keys
from outside.settings import Settings
from services.offices.utilities import Company

EXTENSION = "outside"


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


@dataclass(slots=True, kw_only=True)
class World:
    """`people` maps a citizen number to a name, all that the played register knows; `companies` keep their books at the office."""

    settings: Settings
    pool: Pool
    keys: Keys
    platform_keys: KeyFinder
    people: Mapping[str, str]
    companies: Mapping[str, Company] = field(default_factory=dict)
    now: Callable[[], dt.datetime] = _now
    wake: Callable[[], None] = lambda: None
    hidden: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        """Index the people by the name under which they stand in URLs."""
        self.hidden = {self.keys.hide("person", number): number for number in self.people}


def world() -> World:
    """The world of the running application."""
    found: World = current_app.extensions[EXTENSION]
    return found


def new_number(prefix: str) -> str:
    """A number that nobody can guess: the prefix and 120 random bits."""
    return f"{prefix}_{secrets.token_hex(15)}"
