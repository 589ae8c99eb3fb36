"""HTTP of staff and terminals."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from auth import jwk, proofs, scopes, staff_schemas, terminals
from auth.access import any_staff
from auth.errors import (
    AssertionRefused,
    EnrolmentRefused,
    FunctionUnknown,
    KeyInvalid,
    PasswordWeak,
    ProofRefused,
    StaffRefused,
)
from auth.models import StaffMember, Terminal
from auth.schemas import TokensOut
from auth.sessions import Tokens
from auth.staff import accounts, changing, enrolling
from auth.staff.accounts import LoginTaken, RoleUnknown
from auth.staff.changing import PasswordUnchanged, PresentPasswordRefused
from auth.staff.enrolling import AdmittedAtConsole, AlreadyEnrolled, OneTimeCodeWrong, SecondAdministratorNeeded
from core.actors import Actor
from core.errors import Busy, NotFound, Throttled
from core.paging import CursorUnknown, Page
from core.ports import Call
from core.web import PageQuery, Routes, anyone, page_of, staff

routes = Routes("staff")


@routes.post(
    "/api/staff-sessions",
    operation="signInStaff",
    access=anyone(reason="nobody is known before signing in"),
    takes=staff_schemas.StaffSignInIn,
    gives=TokensOut,
    mode="calls",
    status=201,
    errors=(StaffRefused, ProofRefused, Throttled, Busy),
    per_minute=30,
)
def sign_in_staff(actor: Actor, body: dict[str, Any], call: Call) -> Tokens:
    """Sign a staff member in; with a DPoP header the session can be refreshed by that key."""
    thumbprint = proofs.of_call(call).thumbprint if "DPoP" in call.headers else ""
    return accounts.sign_in(
        city_id=body["city"],
        login=body["login"],
        password=body["password"],
        code=body["code"],
        address=call.address,
        thumbprint=thumbprint,
    )


@routes.get(
    "/api/staff",
    operation="listStaff",
    access=staff(scopes.Permission.STAFF_READ),
    query=PageQuery,
    gives=page_of(staff_schemas.StaffOut),
    errors=(CursorUnknown,),
)
def list_staff(actor: Actor, query: dict[str, Any]) -> Page:
    """List the staff of the caller's city, by login."""
    return accounts.of_city(actor, **query)


@routes.post(
    "/api/staff",
    operation="admitStaff",
    access=staff(scopes.Permission.STAFF_ADMIT),
    takes=staff_schemas.StaffIn,
    gives=staff_schemas.StaffOut,
    status=201,
    errors=(LoginTaken, RoleUnknown),
)
def admit_staff(actor: Actor, body: dict[str, Any]) -> StaffMember:
    """Admit a staff member, whom another administrator has to confirm; a repetition is refused by the login name."""
    return enrolling.invite(actor, login=body["login"], display_name=body["display_name"], roles=tuple(body["roles"]))


@routes.post(
    '/api/staff/<id("staff"):member>/confirmation',
    operation="confirmStaff",
    access=staff(scopes.Permission.STAFF_ADMIT),
    gives=staff_schemas.StaffConfirmedOut,
    errors=(NotFound, SecondAdministratorNeeded, AlreadyEnrolled, AdmittedAtConsole),
)
def confirm_staff(actor: Actor, member: UUID) -> enrolling.Confirmed:
    """Confirm whom another administrator admitted; the code for the newcomer is shown once, and asked for again it is a new one."""
    return enrolling.confirm(actor, member)


@routes.post(
    "/api/staff-enrolments",
    operation="beginStaffEnrolment",
    access=anyone(reason="the one-time code says who it is"),
    takes=staff_schemas.StaffEnrolmentIn,
    gives=staff_schemas.StaffEnrolmentOut,
    mode="calls",
    errors=(EnrolmentRefused, Throttled),
    per_minute=20,
)
def begin_staff_enrolment(actor: Actor, body: dict[str, Any], call: Call) -> enrolling.Begun:
    """Begin to enrol by the one-time code: the newcomer gets the secret for their authenticator app."""
    return enrolling.begin(code=body["code"], address=call.address)


@routes.post(
    "/api/staff-enrolments/completion",
    operation="finishStaffEnrolment",
    access=anyone(reason="the one-time code and the authenticator app say who it is"),
    takes=staff_schemas.StaffEnrolledIn,
    gives=staff_schemas.StaffOut,
    mode="calls",
    errors=(EnrolmentRefused, OneTimeCodeWrong, PasswordWeak, Throttled),
    per_minute=20,
)
def finish_staff_enrolment(actor: Actor, body: dict[str, Any], call: Call) -> StaffMember:
    """Set the newcomer's own password and prove the authenticator app; the one-time code is used up."""
    return enrolling.finish(code=body["code"], password=body["password"], one_time_code=body["one_time_code"], address=call.address)


@routes.put(
    "/api/staff/me/password",
    operation="changeOwnPassword",
    access=any_staff(),
    takes=staff_schemas.PasswordChangeIn,
    mode="calls",
    errors=(PasswordWeak, PasswordUnchanged, PresentPasswordRefused, Busy),
    per_minute=20,
)
def change_own_password(actor: Actor, body: dict[str, Any], call: Call) -> None:
    """Change the caller's own password, by the present one and a fresh one-time code; all their other sessions end."""
    changing.change_password(
        actor,
        present=body["present_password"],
        one_time_code=body["one_time_code"],
        new=body["new_password"],
        address=call.address,
    )


@routes.delete(
    '/api/staff/<id("staff"):member>', operation="disableStaff", access=staff(scopes.Permission.STAFF_DISABLE), errors=(NotFound,)
)
def disable_staff(actor: Actor, member: UUID) -> None:
    """Shut a staff member out at once."""
    accounts.disable(actor, member)


@routes.get("/api/terminals", operation="listTerminals", access=staff(scopes.Permission.TERMINAL_READ), gives=staff_schemas.TerminalListOut)
def list_terminals(actor: Actor) -> dict[str, Any]:
    """List the terminals of the caller's city."""
    return {"items": terminals.of_city(actor)}


@routes.post(
    "/api/terminals",
    operation="registerTerminal",
    access=staff(scopes.Permission.TERMINAL_REGISTER),
    takes=staff_schemas.TerminalIn,
    gives=staff_schemas.TerminalRegisteredOut,
    status=201,
    errors=(FunctionUnknown, NotFound),
)
def register_terminal(actor: Actor, body: dict[str, Any]) -> terminals.Registered:
    """Register a terminal; the code by which it enrols its key works once, and one that is never used runs out."""
    wanted = terminals.Description(
        name=body["name"], functions=tuple(body["functions"]), merchant_id=body["merchant"], agency_id=body["agency"]
    )
    return terminals.register(actor, actor.city_id, wanted)


@routes.delete(
    "/api/terminals/<id:terminal>", operation="disableTerminal", access=staff(scopes.Permission.TERMINAL_DISABLE), errors=(NotFound,)
)
def disable_terminal(actor: Actor, terminal: UUID) -> None:
    """Take the trust back from a terminal, within a second everywhere."""
    terminals.disable(actor, terminal)


@routes.post(
    "/api/terminals/enrolments",
    operation="enrolTerminal",
    access=anyone(reason="the one-time code and the proof of the key say which terminal it is"),
    takes=staff_schemas.EnrolmentIn,
    gives=staff_schemas.TerminalOut,
    mode="calls",
    errors=(EnrolmentRefused, KeyInvalid, ProofRefused, Throttled),
    per_minute=20,
)
def enrol_terminal(actor: Actor, body: dict[str, Any], call: Call) -> Terminal:
    """Give a registered terminal its key, by its one-time code."""
    jwk.read(body["public_key"])
    return terminals.enrol(code=body["code"], public_jwk=body["public_key"], proof=proofs.of_call(call), address=call.address)


@routes.post(
    "/api/terminal-sessions",
    operation="signInTerminal",
    access=anyone(reason="the assertion is signed with the terminal's key"),
    takes=staff_schemas.AssertionIn,
    gives=staff_schemas.TerminalSessionOut,
    mode="calls",
    status=201,
    errors=(AssertionRefused,),
    per_minute=600,
)
def sign_in_terminal(actor: Actor, body: dict[str, Any]) -> terminals.TerminalSession:
    """Exchange a terminal's signed assertion for a token and the key that signs each request."""
    return terminals.sign_in(body["assertion"])
