"""Who may call a route. Stated on each route; nothing is open by default."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Protocol

from core import clock
from core.actors import Actor, ActorKind
from core.errors import Denied, StepUpNeeded, Unauthenticated


class Access(Protocol):
    """A rule of access: which kinds of callers, and what it asks of them."""

    @property
    def kinds(self) -> frozenset[ActorKind]:
        """The kinds of callers it may let in."""
        ...

    def check(self, actor: Actor) -> None:
        """Return for a caller who may; raise Unauthenticated, Denied or StepUpNeeded for one who may not."""
        ...

    def stated(self) -> str:
        """The rule in words, for the API document and the access matrix."""
        ...


@dataclass(frozen=True, slots=True)
class Anyone:
    """Open to all, with the reason why that is right."""

    reason: str
    kinds: frozenset[ActorKind] = frozenset(ActorKind)

    def check(self, actor: Actor) -> None:
        return

    def stated(self) -> str:
        return f"anyone ({self.reason})"


@dataclass(frozen=True, slots=True)
class Resident:
    """A signed-in resident, of an identity level (L0-L4), a sign-in strength (S1-S3) and, if asked, a fresh proof."""

    level: int
    strength: int
    fresh: dt.timedelta | None
    kinds: frozenset[ActorKind] = frozenset({ActorKind.RESIDENT})

    def check(self, actor: Actor) -> None:
        require_kind(actor, ActorKind.RESIDENT)
        stale = self.fresh is not None and (actor.signed_in_at is None or clock.now() - actor.signed_in_at > self.fresh)
        if actor.identity_level < self.level or actor.strength < self.strength or stale:
            oldest = int(self.fresh.total_seconds()) if self.fresh else None
            raise StepUpNeeded(level=self.level, strength=self.strength, max_age_seconds=oldest)

    def stated(self) -> str:
        age = f", proved within {int(self.fresh.total_seconds())} s" if self.fresh else ""
        return f"resident of level L{self.level}, strength S{self.strength}{age}"


@dataclass(frozen=True, slots=True)
class Scoped:
    """A staff member, terminal or partner that holds a scope."""

    kind: ActorKind
    scope: str

    @property
    def kinds(self) -> frozenset[ActorKind]:
        return frozenset({self.kind})

    def check(self, actor: Actor) -> None:
        require_kind(actor, self.kind)
        if self.scope not in actor.scopes:
            raise Denied(needed=self.scope)

    def stated(self) -> str:
        return f"{self.kind} with {self.scope}"


@dataclass(frozen=True, slots=True)
class Either:
    """Any one of several rules."""

    rules: tuple[Access, ...]

    @property
    def kinds(self) -> frozenset[ActorKind]:
        return frozenset().union(*(rule.kinds for rule in self.rules))

    def check(self, actor: Actor) -> None:
        for rule in self.rules:
            if actor.kind in rule.kinds:
                rule.check(actor)
                return
        require_kind(actor, *self.kinds)

    def stated(self) -> str:
        return " or ".join(rule.stated() for rule in self.rules)


def require_kind(actor: Actor, *kinds: ActorKind) -> None:
    """Raise unless the caller is of one of these kinds."""
    if actor.kind is ActorKind.ANONYMOUS:
        raise Unauthenticated()
    if actor.kind not in kinds:
        raise Denied()


def anyone(*, reason: str) -> Access:
    """Open to all; the reason is printed in the API document."""
    return Anyone(reason)


def resident(*, level: int = 0, strength: int | None = None, fresh: dt.timedelta | None = None) -> Access:
    """A signed-in resident; ``fresh`` is the greatest age of the last proof of who they are.

    What asks for a named person (L2 and above) also asks for a second proof in this session (S2) unless it says otherwise: a text
    message alone enters a named account that has no device yet, and must not reach its money.
    """
    return Resident(level, strength or (2 if level >= 2 else 1), fresh)


def staff(permission: str) -> Access:
    """A staff member with this permission (``area:thing:action``)."""
    return Scoped(ActorKind.STAFF, permission)


def terminal(function: str) -> Access:
    """A terminal with this function (``area:thing:action``)."""
    return Scoped(ActorKind.TERMINAL, function)


def partner(scope: str) -> Access:
    """A partner's system with this scope."""
    return Scoped(ActorKind.PARTNER, scope)


def either(*rules: Access) -> Access:
    """Any one of these rules, chosen by the kind of caller."""
    return Either(rules)
