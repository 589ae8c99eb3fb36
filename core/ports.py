"""What the ground floor needs from above, as small interfaces that ``app.py`` fills (D20)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from core.actors import Actor


@dataclass(frozen=True, slots=True)
class Call:
    """A request as it came over the wire: what a signature covers and a log may not hold."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    address: str


class Authenticator(Protocol):
    """Tells who calls."""

    def authenticate(self, call: Call) -> Actor:
        """The caller behind a request with an ``Authorization`` header; raises Unauthenticated for anything not valid now."""
        ...


class PersonalDataSource(Protocol):
    """A room that holds data of residents: what it can export and how it forgets (law: PIPL articles 45 and 47)."""

    @property
    def tables(self) -> Iterable[str]:
        """The names of its tables with a resident in them."""
        ...

    def export(self, resident_id: UUID) -> dict[str, Any]:
        """All it holds of one resident, readable by them."""
        ...

    def erase(self, resident_id: UUID) -> None:
        """Remove what no law requires to keep, in the current transaction."""
        ...
