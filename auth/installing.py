"""What the auth floor is given once, at the start of a process: its issuer, its cities and its ways to the outside."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from auth.policy import Policy
from auth.tokens import AccessTokens
from auth.verification.police import PoliceRegister
from core import crypto
from core.actors import Actor
from core.channels import SmsSender

MerchantAccount = Callable[[int, UUID], UUID | None]
HoldsMoney = Callable[[UUID], bool]
BeforeClose = Callable[[Actor, UUID], None]


def _no_account(city_id: int, merchant_id: UUID) -> UUID | None:
    """Without the payments floor a merchant has no account."""
    return None


def _no_money(resident_id: UUID) -> bool:
    """Without the payments floor nobody has money."""
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Above:
    """What the floors above hand down (D20): a merchant's account, whether a resident has money, and what ends with an account."""

    merchant_account: MerchantAccount = _no_account
    holds_money: HoldsMoney = _no_money
    before_close: tuple[BeforeClose, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What ``app.py`` hands in."""

    issuer: str
    tokens: AccessTokens
    cities: Mapping[int, str]
    default_city: int
    sms: SmsSender
    police: PoliceRegister
    policy: Policy = field(default_factory=Policy)
    above: Above = field(default_factory=Above)
    origins: tuple[str, ...] = ()


_installed: list[Parts] = []


def install(
    *,
    issuer: str,
    cities: Mapping[int, str],
    sms: SmsSender,
    police: PoliceRegister,
    default_city: int | None = None,
    policy: Policy | None = None,
    above: Above | None = None,
    origins: tuple[str, ...] = (),
) -> Parts:
    """Set the auth floor up; ``origins`` are further addresses under which a proof may name this program (a LAN mode)."""
    tokens = AccessTokens(issuer, signing=crypto.signing_key, verification=crypto.verification_keys)
    parts = Parts(
        issuer=issuer,
        tokens=tokens,
        cities=dict(cities),
        default_city=default_city or next(iter(cities)),
        sms=sms,
        police=police,
        policy=policy or Policy(),
        above=above or Above(),
        origins=(issuer, *origins),
    )
    _installed[:] = [parts]
    return parts


def parts() -> Parts:
    """What was installed; a RuntimeError when nothing was."""
    if not _installed:
        raise RuntimeError("auth.install was not called")
    return _installed[0]
