"""How somebody new comes in: admitted by one administrator, confirmed by another, and password and secret known to themselves alone.

Nobody who grants rights can use them in another's name: who admits never holds the code, and who holds the code did not choose the roles.
"""

from __future__ import annotations

import datetime as dt
import secrets
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import select

from auth import enrolment_codes
from auth.errors import EnrolmentRefused
from auth.installing import parts
from auth.models import StaffMember
from auth.networks import key as network_key
from auth.policy import HOUR
from auth.staff import accounts, passwords, totp
from core import audit, clock, crypto, ids, limits
from core.actors import Actor, ActorKind
from core.db import session, transaction
from core.errors import Conflict, NotFound
from core.vocabulary import AuditEvent


class SecondAdministratorNeeded(Conflict):
    code = "second_administrator_needed"
    zh, en = "录用与确认须为两人，请由另一位管理员确认", "Two administrators are needed: somebody else must confirm whom you admitted"


class AdmittedAtConsole(Conflict):
    code = "staff_admitted_at_console"
    zh = "此人由本机控制台录用，登记码只在控制台给出"
    en = "This person was admitted at the console of the machine, which alone gives out their code"


class AlreadyEnrolled(Conflict):
    code = "staff_already_enrolled"
    zh, en = "该工作人员已完成登记，不能再发登记码", "This staff member has enrolled already and gets no further code"


class OneTimeCodeWrong(Conflict):
    code = "staff_one_time_code_wrong"
    zh, en = (
        "动态码不正确，请核对验证器应用中的条目和手机时间后重试",
        "The one-time code is wrong; check the entry in your authenticator app and the time of your phone, and try again",
    )


@dataclass(frozen=True, slots=True)
class Confirmed:
    """A newcomer and the code by which they enrol, shown once to whoever may hand it over."""

    id: UUID
    login: str
    enrolment_code: str = field(repr=False)
    expires_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Begun:
    """What the newcomer puts into their authenticator app."""

    login: str
    display_name: str
    totp_address: str = field(repr=False)
    expires_at: dt.datetime


def invite(actor: Actor, *, login: str, display_name: str, roles: tuple[str, ...]) -> StaffMember:
    """Admit somebody who cannot sign in until another administrator has confirmed them and they have enrolled; RoleUnknown, LoginTaken."""
    made = accounts.make(actor.city_id, login=login, display_name=display_name, roles=roles)
    made.admitted_by = actor.id
    session().add(made)
    session().flush()
    accounts.note_admitted(actor, made)
    return made


def confirm(actor: Actor, staff_id: UUID) -> Confirmed:
    """Confirm whom another administrator admitted, and take the code for them; each time a new one, and the one before ends.

    NotFound in another city and for somebody shut out, SecondAdministratorNeeded, AlreadyEnrolled, AdmittedAtConsole.
    """
    member = session().get(StaffMember, staff_id, with_for_update=True)
    if member is None or member.city_id != actor.city_id or member.disabled_at is not None:
        raise NotFound()
    if member.enrolled_at is not None:
        raise AlreadyEnrolled()
    if member.admitted_by == actor.id:
        raise SecondAdministratorNeeded()
    if member.from_console == "first":
        # Otherwise whoever of a city's first two enrols first could take the other's place as well.
        raise AdmittedAtConsole()
    member.confirmed_by = actor.id
    given = give_code(member, parts().policy.enrolment_lifetime)
    audit.record(actor, AuditEvent.STAFF_CONFIRMED, city_id=member.city_id, subject=ids.show("staff", member.id))
    return given


def give_code(member: StaffMember, lifetime: dt.timedelta) -> Confirmed:
    """A new enrolment code, the only one that is good from now on."""
    code, until = enrolment_codes.new(), clock.now() + lifetime
    member.enrolment_digest, member.enrolment_expires_at, member.totp_wrapped = enrolment_codes.digest(code), until, None
    session().flush()
    return Confirmed(member.id, member.login, code, until)


def begin(*, code: str, address: str) -> Begun:
    """Give the newcomer a new secret for their authenticator app; EnrolmentRefused is the same for a wrong, used and expired code.

    The code stays good until ``finish``, so that an answer lost on the way costs nothing.
    """
    _count("staff_enrolments_network", address)
    with transaction():
        member, until = _of_code(code)
        secret = secrets.token_bytes(20)
        member.totp_wrapped = crypto.keyring().wrap(member.city_id, accounts.place(member.id), secret)
        shown = totp.address(secret, login=member.login, issuer=parts().cities[member.city_id])
        return Begun(member.login, member.display_name, shown, until)


def finish(*, code: str, password: str, one_time_code: str, address: str) -> StaffMember:
    """Take the password that the newcomer chose, and the proof that their app holds the secret; the code is used up with this.

    EnrolmentRefused, OneTimeCodeWrong, PasswordWeak.
    """
    _count("staff_enrolments_finished_network", address)
    with transaction():
        member, _ = _of_code(code)
        _step(member, one_time_code)
        login = member.login
    passwords.check_strength(password, login=login)
    # The slow hash is computed outside every transaction, and for holders of a code alone.
    stored = passwords.hashed(password)
    with transaction():
        member, _ = _of_code(code)
        member.totp_step, member.password_hash, member.enrolled_at = _step(member, one_time_code), stored, clock.now()
        member.enrolment_digest = member.enrolment_expires_at = None
        session().flush()
        actor = Actor(kind=ActorKind.STAFF, id=member.id, city_id=member.city_id)
        audit.record(actor, AuditEvent.STAFF_ENROLLED, city_id=member.city_id, subject=ids.show("staff", member.id))
        session().expunge(member)
        return member


def _count(what: str, address: str) -> None:
    limits.count(what, network_key(address), per=HOUR, at_most=parts().policy.enrolment_tries_per_network_hour)


def _of_code(code: str) -> tuple[StaffMember, dt.datetime]:
    """The newcomer of a code and until when it holds."""
    wanted = select(StaffMember).where(StaffMember.enrolment_digest == enrolment_codes.digest(code))
    member = session().scalar(wanted.with_for_update().execution_options(populate_existing=True))
    until = member.enrolment_expires_at if member is not None else None
    if member is None or until is None or clock.now() >= until:
        raise EnrolmentRefused()
    return member, until


def _step(member: StaffMember, one_time_code: str) -> int:
    """The time step of a one-time code by the secret that was given last; OneTimeCodeWrong."""
    if member.totp_wrapped is None:
        raise OneTimeCodeWrong()
    secret = crypto.keyring().unwrap(member.city_id, accounts.place(member.id), member.totp_wrapped)
    step = totp.step_of(secret, one_time_code, clock.timestamp(), after=0)
    if step is None:
        raise OneTimeCodeWrong()
    return step
