"""Every permission, role and terminal function there is: the closed vocabulary of access, ``area:thing:action``."""

from __future__ import annotations

from enum import StrEnum


class Permission(StrEnum):
    """What a staff member may do."""

    IDENTITY_CHECK = "auth:identity:check"
    SIGN_IN_APPROVE = "auth:sign_in:approve"
    RESIDENT_FIND = "auth:resident:find"
    PERSON_REVEAL = "auth:person:reveal"
    TERMINAL_REGISTER = "auth:terminal:register"
    TERMINAL_READ = "auth:terminal:read"
    TERMINAL_DISABLE = "auth:terminal:disable"
    STAFF_ADMIT = "auth:staff:admit"
    STAFF_READ = "auth:staff:read"
    STAFF_DISABLE = "auth:staff:disable"
    PARTNER_REGISTER = "auth:partner:register"
    PARTNER_READ = "auth:partner:read"
    PARTNER_SWITCH = "auth:partner:switch"
    CARD_READ = "cards:card:read"
    LOSS_REPORT = "cards:loss:report"
    CARD_FREEZE = "cards:card:freeze"
    CARD_CANCEL = "cards:card:cancel"
    TERMINAL_RELEASE = "cards:terminal:release"
    LEDGER_READ = "payments:ledger:read"
    JOURNAL_READ = "payments:journal:read"
    CHARGE_READ = "payments:charge:read"
    CHARGE_REFUND = "payments:charge:refund"
    ITEM_SWITCH = "services:item:switch"
    DIFFERENCE_READ = "services:difference:read"
    DIFFERENCE_PROPOSE = "services:difference:propose"
    DIFFERENCE_APPROVE = "services:difference:approve"


class TerminalFunction(StrEnum):
    """What a terminal may do."""

    PRESENT = "presentation:create"
    SEE_CONCESSION = "concession:read"
    CHARGE = "charge:create"
    REVERSE = "charge:reverse"
    REFUND = "charge:refund"
    OFFLINE = "offline:accept"


class PartnerScope(StrEnum):
    """What a partner may ask for: four for itself, four on behalf of a resident who signs in (OpenID Connect Core 5.4, 11)."""

    VERIFY = "presentation:verify"
    SEE_CONCESSION = "concession:read"
    READ_RESIDENT = "resident:read"
    WEBHOOKS = "webhooks:manage"
    OPENID = "openid"
    PROFILE = "profile"
    PHONE = "phone"
    OFFLINE = "offline_access"


class Role(StrEnum):
    """The roles a staff member holds."""

    COUNTER_CLERK = "counter_clerk"
    SUPERVISOR = "supervisor"
    ADMINISTRATOR = "administrator"


_CLERK = frozenset(
    {
        Permission.IDENTITY_CHECK,
        Permission.SIGN_IN_APPROVE,
        Permission.RESIDENT_FIND,
        Permission.CARD_READ,
        Permission.LOSS_REPORT,
        Permission.DIFFERENCE_READ,
        Permission.DIFFERENCE_PROPOSE,
    }
)
_SUPERVISOR = _CLERK | {
    Permission.PERSON_REVEAL,
    Permission.CARD_FREEZE,
    Permission.CARD_CANCEL,
    Permission.CHARGE_READ,
    Permission.CHARGE_REFUND,
    Permission.LEDGER_READ,
    Permission.JOURNAL_READ,
    Permission.TERMINAL_READ,
    Permission.TERMINAL_RELEASE,
    Permission.STAFF_READ,
    Permission.DIFFERENCE_APPROVE,
}
# An administrator runs the machinery and sees no resident: whoever grants rights does not use them.
_ADMINISTRATOR = frozenset(
    {
        Permission.TERMINAL_REGISTER,
        Permission.TERMINAL_READ,
        Permission.TERMINAL_DISABLE,
        Permission.TERMINAL_RELEASE,
        Permission.STAFF_ADMIT,
        Permission.STAFF_READ,
        Permission.STAFF_DISABLE,
        Permission.PARTNER_REGISTER,
        Permission.PARTNER_READ,
        Permission.PARTNER_SWITCH,
        Permission.LEDGER_READ,
        Permission.ITEM_SWITCH,
    }
)

PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.COUNTER_CLERK: _CLERK,
    Role.SUPERVISOR: _SUPERVISOR,
    Role.ADMINISTRATOR: _ADMINISTRATOR,
}


def permissions(roles: list[str]) -> frozenset[str]:
    """Everything these roles allow together; a role that is no longer listed allows nothing."""
    held = [PERMISSIONS[Role(role)] for role in roles if role in set(Role)]
    return frozenset(str(permission) for allowed in held for permission in allowed)
