"""What is asked of the operations of counters, of staff and of terminals."""

from __future__ import annotations

import base64
import datetime as dt
import secrets
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import auth
from auth import terminals
from auth.agreements import texts
from auth.staff import enrolling, totp
from cards.codes import reading
from command.story import proving
from core import clock, db, ids, limits
from core.actors import Actor, ActorKind, system
from tests.access.asking import Ask, Scene, asks
from tests.access.whole import EVERY_FUNCTION, YUNCHUAN
from tests.auth.conftest import PASSWORD, citizen_number


@asks("sendCounterCode")
def _counter_code(scene: Scene) -> Ask:
    return Ask("/api/counter/phone-codes", {"phone": f"199{secrets.randbelow(10**8):08d}"})


@asks("proveIdentityAtCounter")
def _prove_at_counter(scene: Scene) -> Ask:
    # A code that nobody sent: whoever may ask is told that it is wrong.
    body = {"phone": scene.owner.phone, "code": "000000", "chip": scene.chip()}
    return Ask("/api/counter/identity-checks", body)


@asks("approveSignInAtCounter")
def _approve_at_counter(scene: Scene) -> Ask:
    shown = ids.show("signin", scene.request_to_enter()[0].id)
    return Ask(f"/api/counter/sign-in-requests/{shown}/approval", {"chip": scene.chip()}, shown)


@asks("signOutAtCounter")
def _sign_out_at_counter(scene: Scene) -> Ask:
    return Ask("/api/counter/sign-outs", {"chip": scene.chip()})


@asks("agreeAsGuardian")
def _agree_as_guardian(scene: Scene) -> Ask:
    """For a child of the city, by the owner as the grown-up."""
    born, nth = clock.today() - dt.timedelta(days=2_000 + secrets.randbelow(2_000)), secrets.randbelow(1_000)
    child = auth.Newcomer(name="王小宝", citizen_number=citizen_number(born, nth), identity_level=3)
    with db.transaction():
        auth.admit_many(YUNCHUAN, [child])
    shown, read = ids.show("resident", child.id), {"kind": "user_agreement", "version": texts.present()[texts.Kind.USER_AGREEMENT].version}
    body = {"items": [read], "guardian": scene.chip(), "document": "birth_certificate"}
    return Ask(f"/api/counter/residents/{shown}/guardian-agreements", body, shown)


@asks("signInStaff")
def _sign_in_staff(scene: Scene) -> Ask:
    member = scene.whole.staff("counter_clerk")
    login = db.connection().execute("SELECT login FROM staff WHERE id = %s", (member,)).fetchone()
    assert login is not None
    code = totp.code(b"s" * 20, int(clock.timestamp()) // 30)
    return Ask("/api/staff-sessions", {"login": login[0], "password": PASSWORD, "code": code, "city": YUNCHUAN})


@asks("admitStaff")
def _admit(scene: Scene) -> Ask:
    login = "n" + secrets.token_hex(6)
    return Ask("/api/staff", {"login": login, "display_name": "新人", "roles": ["counter_clerk"]})


def _invited(scene: Scene) -> UUID:
    """Somebody whom an administrator of the city admitted, and nobody confirmed yet."""
    actor = Actor(kind=ActorKind.STAFF, id=scene.whole.staff("administrator"), city_id=YUNCHUAN)
    with db.transaction():
        return enrolling.invite(actor, login="n" + secrets.token_hex(6), display_name="新人", roles=("counter_clerk",)).id


def _enrolment_code(scene: Scene) -> str:
    """The code of somebody admitted by one administrator and confirmed by another."""
    member = _invited(scene)
    actor = Actor(kind=ActorKind.STAFF, id=scene.whole.staff("administrator"), city_id=YUNCHUAN)
    with db.transaction():
        return enrolling.confirm(actor, member).enrolment_code


@asks("confirmStaff")
def _confirm_staff(scene: Scene) -> Ask:
    shown = ids.show("staff", _invited(scene))
    return Ask(f"/api/staff/{shown}/confirmation", None, shown)


@asks("beginStaffEnrolment")
def _begin_staff_enrolment(scene: Scene) -> Ask:
    return Ask("/api/staff-enrolments", {"code": _enrolment_code(scene)})


@asks("finishStaffEnrolment")
def _finish_staff_enrolment(scene: Scene) -> Ask:
    code, elsewhere = _enrolment_code(scene), f"10.{secrets.randbelow(256)}.{secrets.randbelow(256)}.{secrets.randbelow(256)}"
    told = enrolling.begin(code=code, address=elsewhere).totp_address
    secret = base64.b32decode(parse_qs(urlsplit(told).query)["secret"][0])
    now = totp.code(secret, int(clock.timestamp()) // 30)
    return Ask("/api/staff-enrolments/completion", {"code": code, "password": PASSWORD, "one_time_code": now})


@asks("changeOwnPassword")
def _change_own_password(scene: Scene) -> Ask:
    """Everybody's secret is the same here, and each staff member is asked once."""
    now = totp.code(b"s" * 20, int(clock.timestamp()) // 30)
    body = {"present_password": PASSWORD, "one_time_code": now, "new_password": "another good phrase"}
    return Ask("/api/staff/me/password", body)


@asks("disableStaff")
def _disable_staff(scene: Scene) -> Ask:
    shown = ids.show("staff", scene.whole.staff("counter_clerk"))
    return Ask(f"/api/staff/{shown}", None, shown)


@asks("registerTerminal")
def _register(scene: Scene) -> Ask:
    shop = ids.show("merchant", scene.whole.shops["bun-shop"].id)
    return Ask("/api/terminals", {"name": "新收银台", "functions": ["charge:create"], "merchant": shop})


@asks("disableTerminal")
def _disable_terminal(scene: Scene) -> Ask:
    shown = ids.show("terminal", scene.whole.till("bun-shop").id)
    return Ask(f"/api/terminals/{shown}", None, shown)


@asks("releaseTerminal")
def _release_terminal(scene: Scene) -> Ask:
    till = scene.whole.till("bun-shop")
    limits.count(reading.GUESS, str(till.id), per=reading.DAY, at_most=reading.GUESSES_A_DAY, by=reading.GUESSES_A_DAY)
    shown = ids.show("terminal", till.id)
    return Ask(f"/api/terminals/{shown}/release", {"reason": "店员核实：二维码污损"}, shown)


@asks("enrolTerminal")
def _enrol(scene: Scene) -> Ask:
    key = proving.new_key()
    with db.transaction():
        made = terminals.register(system("test"), YUNCHUAN, terminals.Description(name="新", functions=EVERY_FUNCTION))
    path = "/api/terminals/enrolments"
    return Ask(path, {"code": made.enrolment_code, "public_key": proving.public_jwk(key)}, key=key)


@asks("signInTerminal")
def _sign_in_terminal(scene: Scene) -> Ask:
    return Ask("/api/terminal-sessions", {"assertion": scene.till.assertion()})


@asks("findResident")
def _find(scene: Scene) -> Ask:
    return Ask("/api/counter/resident-searches", {"citizen_number": scene.owner.citizen_number})


@asks("listCardsAtCounter")
def _cards_at_counter(scene: Scene) -> Ask:
    shown = ids.show("resident", scene.owner.id)
    return Ask(f"/api/counter/residents/{shown}/cards", None, shown)


@asks("revealResident")
def _reveal(scene: Scene) -> Ask:
    shown = ids.show("resident", scene.owner.id)
    return Ask(f"/api/counter/residents/{shown}/reveals", {"purpose": "调查 A-1", "fields": ["phone"]}, shown)
