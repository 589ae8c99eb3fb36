"""What ``app.py`` hands to the payments floor: the payment providers, and who keeps the residents' money in each city."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from payments.errors import ProviderUnknown
from payments.providers import PaymentProvider


@dataclass(frozen=True, slots=True)
class Keeper:
    """The bank that holds the residents' money for the platform, in both languages."""

    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Wiring:
    """Providers by name, in the order in which a wallet offers them; keepers by city."""

    providers: Mapping[str, PaymentProvider]
    keepers: Mapping[int, Keeper]


_wiring = Wiring({}, {})


def configure(*, providers: Mapping[str, PaymentProvider], keepers: Mapping[int, Keeper]) -> None:
    """Wire the payments floor, once per process."""
    global _wiring
    _wiring = Wiring(dict(providers), dict(keepers))


def wired() -> Wiring:
    """The wiring of this process."""
    return _wiring


def provider_named(name: str) -> PaymentProvider:
    """The provider of this name; ProviderUnknown when it is not connected or switched off."""
    found = _wiring.providers.get(name)
    if found is None:
        raise ProviderUnknown()
    return found
