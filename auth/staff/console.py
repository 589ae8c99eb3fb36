"""Administrators from the console of the machine: a city's first two, whom nobody could admit, and one in the place of another.

Whoever runs the program there founds a city's staff once. After that the console never holds both parts again: the replacement it admits
is confirmed by the administrator who is left, who alone is shown the code.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import marshmallow as ma
from sqlalchemy import select, text

from auth.models import StaffMember
from auth.scopes import Role
from auth.staff import accounts, enrolling
from auth.staff_schemas import StaffIn
from core import audit, ids
from core.actors import Actor, system
from core.db import session
from core.errors import Conflict, Invalid
from core.vocabulary import AuditEvent

FIRST, REPLACEMENT = "first", "replacement"
WANTED = 2


class AdministratorsEnrolled(Conflict):
    code = "administrators_enrolled"
    zh = "本市已有两位管理员完成登记，控制台不能再发登记码；请由他们在工作人员页面录用与确认"
    en = "Two administrators of this city have enrolled, and the console gives out no more codes; they admit and confirm on the staff page"


class TwoAdministratorsWanted(Conflict):
    code = "two_administrators_wanted"
    zh = "请写明两位不同的管理员，已完成登记的包括在内；已登记：{enrolled}"
    en = "Name two different administrators, whoever has enrolled already among them; enrolled: {enrolled}"


class FirstAdministratorsMissing(Conflict):
    code = "first_administrators_missing"
    zh = "本市头两位管理员尚未全部登记，请用 citycard staff first"
    en = "The first two administrators of this city have not both enrolled; use citycard staff first"


class AdministratorsSuffice(Conflict):
    code = "administrators_suffice"
    zh = "本市还有两位以上在岗管理员，请由他们录用与确认；不在岗的请先停用"
    en = "This city still has two administrators, who admit and confirm; if one of them is gone, the other shuts them out first"


class NoAdministratorLeft(Conflict):
    code = "no_administrator_left"
    zh = "本市没有在岗管理员，无人能确认替补；控制台不能一人兼两职（见 docs/access.md）"
    en = "No administrator of this city is left to confirm a replacement, and the console does not take both parts (docs/access.md)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """Somebody who is to be an administrator."""

    login: str
    display_name: str


def admit_first(city_id: int, named: Sequence[Named], *, lifetime: dt.timedelta, place: Mapping[str, Any]) -> list[enrolling.Confirmed]:
    """The codes of the first two administrators but for whoever has enrolled; each time new ones, and all codes before them end.

    `place` says in the audit log which console it was. AdministratorsEnrolled, TwoAdministratorsWanted, LoginTaken, Invalid.
    """
    actor, there = _at_console(city_id)
    enrolled = {each.login for each in there if each.enrolled_at is not None}
    if len(enrolled) >= WANTED:
        raise AdministratorsEnrolled()
    wanted = {each.login: each for each in map(_well_formed, named) if each.login not in enrolled}
    if len(wanted) + len(enrolled) != WANTED:
        raise TwoAdministratorsWanted(enrolled=", ".join(sorted(enrolled)) or "–")
    waiting = _withdraw_others(actor, there, FIRST, keep=set(wanted))
    return [_with_code(actor, _seat(actor, each, FIRST, waiting), lifetime, place) for each in wanted.values()]


def admit_replacement(city_id: int, named: Named, *, reason: str, place: Mapping[str, Any]) -> StaffMember:
    """Somebody in the place of an administrator who was shut out; the one who is left confirms them and takes the code.

    FirstAdministratorsMissing, AdministratorsSuffice, NoAdministratorLeft, LoginTaken, Invalid.
    """
    actor, there = _at_console(city_id)
    enrolled = [each for each in there if each.enrolled_at is not None]
    left = [each for each in enrolled if each.disabled_at is None]
    if len(enrolled) < WANTED:
        raise FirstAdministratorsMissing()
    if len(left) != 1:
        raise AdministratorsSuffice() if left else NoAdministratorLeft()
    wanted = _well_formed(named)
    waiting = _withdraw_others(actor, there, REPLACEMENT, keep={wanted.login})
    made = _seat(actor, wanted, REPLACEMENT, waiting)
    _note(actor, made, {**place, "reason": reason})
    return made


def _at_console(city_id: int) -> tuple[Actor, list[StaffMember]]:
    """The console as an actor, and the city's administrators, held so that neither a second console nor an enrolment comes between."""
    session().execute(text("SELECT pg_advisory_xact_lock(hashtextextended('administrators|' || :city, 0))"), {"city": str(city_id)})
    here = select(StaffMember).where(StaffMember.city_id == city_id, StaffMember.roles.contains([str(Role.ADMINISTRATOR)]))
    return system("console", city_id), list(session().scalars(here.order_by(StaffMember.id).with_for_update()))


def _well_formed(named: Named) -> Named:
    """The same rules of form as on the route of admitting."""
    given = {"login": named.login.strip().lower(), "display_name": named.display_name, "roles": [str(Role.ADMINISTRATOR)]}
    try:
        read = StaffIn().load(given)
    except ma.ValidationError as fault:
        raise Invalid(fault.normalized_messages()) from fault  # type: ignore[no-untyped-call]  # marshmallow leaves it untyped
    return Named(login=read["login"], display_name=read["display_name"])


def _withdraw_others(actor: Actor, there: list[StaffMember], door: str, *, keep: set[str]) -> dict[str, StaffMember]:
    """Who came in by this door and has not enrolled, by login; whoever is not named any more is shut out."""
    waiting = [each for each in there if each.from_console == door and each.enrolled_at is None and each.disabled_at is None]
    for each in waiting:
        if each.login not in keep:
            accounts.disable(actor, each.id)
    return {each.login: each for each in waiting if each.login in keep}


def _seat(actor: Actor, named: Named, door: str, waiting: Mapping[str, StaffMember]) -> StaffMember:
    """Whoever waits under this login already, or a new administrator."""
    member = waiting.get(named.login)
    if member is None:
        role = str(Role.ADMINISTRATOR)
        member = accounts.make(actor.city_id, login=named.login, display_name=named.display_name, roles=[role])
        member.from_console = door
        session().add(member)
    member.display_name = named.display_name
    session().flush()
    return member


def _with_code(actor: Actor, member: StaffMember, lifetime: dt.timedelta, place: Mapping[str, Any]) -> enrolling.Confirmed:
    given = enrolling.give_code(member, lifetime)
    _note(actor, member, place)
    return given


def _note(actor: Actor, member: StaffMember, said: Mapping[str, Any]) -> None:
    """One line for every act of the console, of an event that nothing else writes: whoever watches the log can ring at it."""
    detail = {"from": "console", "door": member.from_console, "roles": list(member.roles), **said}
    subject = ids.show("staff", member.id)
    audit.record(actor, AuditEvent.STAFF_FROM_CONSOLE, city_id=member.city_id, subject=subject, detail=detail)
