"""How a staff member changes their own password: by the present one and a fresh one-time code; whoever found a session open cannot."""

from __future__ import annotations

from auth import sessions
from auth.models import StaffMember
from auth.networks import key as network_key
from auth.staff import accounts, passwords
from core import audit, ids, limits
from core.actors import Actor
from core.db import session, transaction
from core.errors import Denied, Invalid
from core.vocabulary import AuditEvent


class PresentPasswordRefused(Denied):
    code = "present_password_refused"
    zh = "现在的密码或动态码不正确，或尝试过多；每个动态码只能用一次，请等下一个动态码再试，或稍后再试"
    en = (
        "The present password or the one-time code is wrong, or there were too many attempts; a one-time code counts once, "
        "so wait for the next one, or try again later"
    )


class PasswordUnchanged(Invalid):
    code = "password_unchanged"
    zh, en = "新密码与现在的密码相同，请换一个", "The new password is the present one; choose another"


def change_password(actor: Actor, *, present: str, one_time_code: str, new: str, address: str) -> None:
    """Set the caller's new password and end all their other sessions. PresentPasswordRefused says the same for a wrong password, a
    wrong code and a lock, which it shares with signing in; PasswordWeak, PasswordUnchanged."""
    network = network_key(address)
    with transaction():
        member = session().get_one(StaffMember, actor.id)
        login, stored = member.login, member.password_hash
    # Of the new password alone, and so before the present one is looked at: this answer tells nothing about that.
    passwords.check_strength(new, login=login)
    if new == present:
        raise PasswordUnchanged()
    # Whoever holds a stolen session gets no more guesses here than at the door.
    if stored is None or accounts.shut_out(actor.id, network):
        raise PresentPasswordRefused()
    # The slow hashes are computed outside every transaction.
    right = passwords.matches(present, stored)
    if not right:
        accounts.count_wrong_password(actor.id, network)
    hashed = passwords.hashed(new) if right else ""
    with transaction():
        changed = _change(actor, stored, hashed, one_time_code)
    # Raised only now: what was counted and written down stays.
    if not changed:
        raise PresentPasswordRefused()
    limits.forgive(accounts.FROM_NETWORK, f"{actor.id}:{network}")


def _change(actor: Actor, stored: str, hashed: str, one_time_code: str) -> bool:
    """Take the new password if the proof stands; an empty `hashed` is a wrong present one."""
    member = session().get_one(StaffMember, actor.id, with_for_update=True, populate_existing=True)
    subject = ids.show("staff", member.id)
    # Of two changes at once the second began from a password that is no longer the present one.
    unchanged = member.password_hash == stored
    if not accounts.is_open(member) or not accounts.proves(member, one_time_code, password_right=bool(hashed) and unchanged):
        audit.record(actor, AuditEvent.STAFF_PASSWORD_CHANGED, city_id=member.city_id, subject=subject, outcome="failed")
        return False
    member.password_hash = hashed
    session().flush()
    ended = sessions.end_all("password_changed", staff_id=member.id, but=actor.session_id)
    audit.record(actor, AuditEvent.STAFF_PASSWORD_CHANGED, city_id=member.city_id, subject=subject, detail={"sessions_ended": ended})
    return True
