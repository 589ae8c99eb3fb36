"""Who acts: the first argument of every operation."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum
from uuid import NAMESPACE_URL, UUID, uuid5


class ActorKind(StrEnum):
    """The kinds of callers the program knows."""

    ANONYMOUS = "anonymous"
    RESIDENT = "resident"
    STAFF = "staff"
    TERMINAL = "terminal"
    PARTNER = "partner"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """A caller as the edge knows it: kind, id, city, what it may do and how strongly it proved who it is (D27)."""

    kind: ActorKind
    id: UUID
    city_id: int
    scopes: frozenset[str] = frozenset()
    identity_level: int = 0
    strength: int = 0
    signed_in_at: dt.datetime | None = None
    session_id: UUID | None = None
    device_id: UUID | None = None
    agency_id: UUID | None = None
    merchant_id: UUID | None = None
    account_id: UUID | None = None
    name: str = ""


ANONYMOUS = Actor(kind=ActorKind.ANONYMOUS, id=UUID(int=0), city_id=0)


def system(name: str, city_id: int = 0) -> Actor:
    """A named part of the program acting by itself, such as a job; its id is the same in every run."""
    return Actor(kind=ActorKind.SYSTEM, id=uuid5(NAMESPACE_URL, f"citycard:system:{name}"), city_id=city_id, name=name)
