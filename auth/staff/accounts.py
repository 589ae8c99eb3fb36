"""Staff accounts: made with roles, signed in with password and one-time code, locked after failures, disabled at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import select, update

from auth import sessions
from auth.errors import FunctionUnknown, StaffRefused
from auth.installing import parts
from auth.models import StaffMember
from auth.networks import key as network_key
from auth.policy import HOUR
from auth.rules import Strength
from auth.scopes import Role
from auth.sessions import Tokens
from auth.staff import passwords, totp
from core import audit, clock, crypto, ids, limits, pulse, revocation
from core.actors import Actor, ActorKind
from core.db import session, transaction
from core.errors import Conflict, NotFound
from core.paging import Page, page
from core.vocabulary import AuditEvent

FROM_NETWORK, _FROM_ALL = "staff_failures_network", "staff_failures_login"


class LoginTaken(Conflict):
    code = "login_taken"
    zh, en = "该登录名已被使用", "This login name is taken"


class RoleUnknown(FunctionUnknown):
    code = "role_unknown"
    zh, en = "没有这个角色：{role}", "There is no such role: {role}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Newcomer:
    """A staff member whose password and secret are known already: in a demo city, which derives them from its root key."""

    login: str
    display_name: str
    roles: tuple[str, ...]
    password: str = field(repr=False)
    totp_secret: bytes = field(repr=False)
    agency_id: UUID | None = None


def admit(actor: Actor, city_id: int, newcomer: Newcomer) -> UUID:
    """Admit and enrol a staff member in the current transaction, for demo cities; no route leads here. RoleUnknown, LoginTaken,
    PasswordWeak."""
    passwords.check_strength(newcomer.password, login=newcomer.login)
    made = make(city_id, login=newcomer.login, display_name=newcomer.display_name, roles=newcomer.roles)
    made.agency_id, made.enrolled_at = newcomer.agency_id, made.created_at
    made.password_hash = passwords.hashed(newcomer.password)
    made.totp_wrapped = crypto.keyring().wrap(city_id, place(made.id), newcomer.totp_secret)
    session().add(made)
    session().flush()
    note_admitted(actor, made)
    return made.id


def make(city_id: int, *, login: str, display_name: str, roles: Sequence[str]) -> StaffMember:
    """A staff member who is not kept yet and cannot sign in; RoleUnknown, LoginTaken."""
    for role in roles:
        if role not in set(Role):
            raise RoleUnknown(role=role)
    if _by_login(city_id, login) is not None:
        raise LoginTaken()
    return StaffMember(id=ids.new_id(), city_id=city_id, login=login, display_name=display_name, roles=list(roles), created_at=clock.now())


def note_admitted(actor: Actor, member: StaffMember) -> None:
    """Write down who was admitted, and as what."""
    subject, detail = ids.show("staff", member.id), {"roles": list(member.roles)}
    audit.record(actor, AuditEvent.STAFF_ADMITTED, city_id=member.city_id, subject=subject, detail=detail)


def sign_in(*, city_id: int | None, login: str, password: str, code: str, address: str, thumbprint: str) -> Tokens:
    """Sign a staff member in; StaffRefused says the same for a wrong name, password, code, and for a locked account."""
    network = network_key(address)
    limits.count("staff_sign_ins_network", network, per=HOUR, at_most=parts().policy.staff_tries_per_network_hour)
    city = parts().default_city if city_id is None else city_id
    with transaction():
        found = _by_login(city, login)
        staff_id, stored = (found.id, found.password_hash) if found else (None, None)
    # The slow hash is computed outside every transaction: a row held for a fifth of a second is a queue.
    if staff_id is None or stored is None:
        passwords.waste(password)
        raise StaffRefused()
    right = passwords.matches(password, stored)
    if shut_out(staff_id, network):
        raise StaffRefused()
    if not right:
        count_wrong_password(staff_id, network)
    with transaction():
        entered = _enter(staff_id, right, code, thumbprint)
    if entered is None:
        raise StaffRefused()
    limits.forgive(FROM_NETWORK, f"{staff_id}:{network}")
    return entered


def shut_out(staff_id: UUID, network: str) -> bool:
    """Whether too many wrong passwords for this login came from this network, or from everywhere."""
    policy = parts().policy
    here = limits.used(FROM_NETWORK, f"{staff_id}:{network}")
    return here >= policy.staff_failures or limits.used(_FROM_ALL, str(staff_id)) >= policy.staff_failures_per_login_hour


def count_wrong_password(staff_id: UUID, network: str) -> None:
    """Count a wrong password against this login from this network, and from everywhere."""
    without_end, policy = 2**31 - 1, parts().policy
    limits.count(FROM_NETWORK, f"{staff_id}:{network}", per=policy.staff_lock, at_most=without_end, locks_at=policy.staff_failures)
    limits.count(_FROM_ALL, str(staff_id), per=HOUR, at_most=without_end)


def _enter(staff_id: UUID, password_right: bool, code: str, thumbprint: str) -> Tokens | None:
    member = session().get_one(StaffMember, staff_id, with_for_update=True, populate_existing=True)
    actor = Actor(kind=ActorKind.STAFF, id=member.id, city_id=member.city_id)
    if not is_open(member):
        return None
    subject = ids.show("staff", member.id)
    if not proves(member, code, password_right=password_right):
        audit.record(actor, AuditEvent.STAFF_SIGN_IN_FAILED, city_id=member.city_id, subject=subject, outcome="failed")
        return None
    audit.record(actor, AuditEvent.STAFF_SIGNED_IN, city_id=member.city_id, subject=subject)
    return sessions.open_for_staff(member, thumbprint=thumbprint, strength=int(Strength.TWO))


def is_open(member: StaffMember) -> bool:
    """Whether an account is neither shut, nor locked, nor without a one-time secret."""
    locked = member.locked_until is not None and clock.now() < member.locked_until
    return member.disabled_at is None and member.totp_wrapped is not None and not locked


def proves(member: StaffMember, code: str, *, password_right: bool) -> bool:
    """Whether both factors are right, which uses the code up; wrong codes with the right password lock the account (its row is held)."""
    policy, secret = parts().policy, crypto.keyring().unwrap(member.city_id, place(member.id), member.totp_wrapped or b"")
    step = totp.step_of(secret, code, clock.timestamp(), after=member.totp_step, set_back=pulse.offset_allowed())
    if not password_right or step is None:
        # Only whoever has the password can lock the account: for everybody else the login of another is no lever.
        member.failures += int(password_right)
        if member.failures >= policy.staff_failures:
            member.failures, member.locked_until = 0, clock.now() + policy.staff_lock
        session().flush()
        return False
    member.failures, member.locked_until, member.totp_step = 0, None, step
    session().flush()
    return True


def of_city(actor: Actor, *, cursor: str | None, limit: int) -> Page:
    """A page of the staff of the caller's city, by login."""
    wanted = select(StaffMember).where(StaffMember.city_id == actor.city_id)
    return page(wanted, StaffMember.login, cursor=cursor, limit=limit, descending=False)


_NO_CODE = {"enrolment_digest": None, "enrolment_expires_at": None}


def disable(actor: Actor, staff_id: UUID) -> None:
    """Shut a staff member out at once; NotFound in another city, and nobody shuts themselves out."""
    member = session().get(StaffMember, staff_id, with_for_update=True)
    if member is None or member.city_id != actor.city_id or member.id == actor.id:
        raise NotFound()
    if member.disabled_at is None:
        session().execute(update(StaffMember).where(StaffMember.id == staff_id).values(disabled_at=clock.now(), **_NO_CODE))
        sessions.end_all("disabled", staff_id=staff_id)
        revocation.revoke(f"staff:{staff_id}")
        audit.record(actor, AuditEvent.STAFF_DISABLED, city_id=member.city_id, subject=ids.show("staff", staff_id))


def _by_login(city_id: int, login: str) -> StaffMember | None:
    return session().scalar(select(StaffMember).where(StaffMember.city_id == city_id, StaffMember.login == login.strip().lower()))


def place(staff_id: UUID) -> str:
    """What the wrapping of a one-time secret is bound to."""
    return f"staff_totp|{staff_id}"
