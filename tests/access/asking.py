"""What is asked of each operation in the matrix: a request about a thing of the owner's, made anew whenever one was used up."""

from __future__ import annotations

import io
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from PIL import Image

import cards
import citycode
from auth import terminals
from auth.models import FaceCheck, SignInRequest
from auth.passkeys import challenges
from auth.passkeys.challenges import Purpose
from auth.passkeys.models import Passkey
from auth.staff import totp
from cards.codes import reading
from citycode import signatures
from citycode.journal import batch_to_sign
from command.story import proving
from core import clock, db, files, ids, limits
from core.actors import system
from payments import top_up_refunds, topping_up
from services.notices.models import NoticeRow
from tests.access.whole import EVERY_FUNCTION, YUNCHUAN, Person, Till, Whole
from tests.auth.authenticator import Authenticator, cbor
from tests.auth.conftest import PASSWORD, pack

Asking = Callable[["Scene"], "Ask"]
ASKED: dict[str, Asking] = {}


@dataclass
class Ask:
    """A request without its caller; ``thing`` is the shown id of the owner's thing in the path, ``key`` proves itself over it."""

    path: str
    body: Any = None
    thing: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    key: proving.PrivateKey | None = None
    raw: bytes | None = None
    media: str = "application/json"

    def content(self) -> bytes:
        """The body as it is sent."""
        if self.raw is not None:
            return self.raw
        return b"" if self.body is None else json.dumps(self.body).encode()

    def about_nothing(self) -> Ask:
        """The same about a thing that never was."""
        prefix = self.thing.rpartition("_")[0]
        path = self.path.replace(self.thing, ids.show(prefix, ids.new_id()))
        return Ask(path, self.body, "", self.headers, self.key, self.raw, self.media)


@dataclass
class Scene:
    """The owner of the things, the till that served them, a partner they may trust, and the program."""

    whole: Whole
    owner: Person
    till: Till
    partner: UUID

    def charge(self, amount_fen: int = 300) -> str:
        """A charge of the owner's at the till."""
        content = json.dumps({"amount_fen": amount_fen, "code": self.owner.code()}).encode()
        headers = {"content-type": "application/json", "idempotency-key": secrets.token_urlsafe(12)}
        answer = self.whole.send("POST", "/api/charges", headers=headers, body=content, till=self.till)
        assert answer.status_code == 201, answer.text
        return str(answer.json["id"])

    def request_to_enter(self, state: str = "waiting") -> tuple[SignInRequest, proving.PrivateKey]:
        """A new phone at the owner's door."""
        key = proving.new_key()
        with db.transaction() as session:
            now = clock.now()
            asked = SignInRequest(
                id=ids.new_id(), city_id=self.owner.city, resident_id=self.owner.id, thumbprint=proving.name_of(key),
                device_name="新手机", state=state, approved_by="device" if state == "approved" else None, created_at=now,
                expires_at=now.replace(year=now.year + 1),
            )  # fmt: skip
            session.add(asked)
            session.flush()
            session.expunge(asked)
        return asked, key

    def face_check(self, request_id: UUID | None = None) -> str:
        """An open face check of the owner's."""
        with db.transaction() as session:
            now = clock.now()
            check = FaceCheck(
                id=ids.new_id(), city_id=self.owner.city, resident_id=self.owner.id, request_id=request_id,
                nonce=secrets.token_urlsafe(24), state="open", opened_at=now, expires_at=now.replace(year=now.year + 1),
            )  # fmt: skip
            session.add(check)
            session.flush()
            return ids.show("face", check.id)

    def passkey(self) -> tuple[str, Authenticator]:
        """A passkey of the owner's, and the authenticator that holds it."""
        held = Authenticator(handle=self.owner.id.bytes)
        with db.transaction() as session:
            kept = Passkey(
                id=ids.new_id(), city_id=self.owner.city, resident_id=self.owner.id, credential_id=held.credential_id,
                public_key=cbor(held.cose()), sign_count=0, backup_eligible=True, backed_up=True, transports=[], name="手机",
                created_at=clock.now(),
            )  # fmt: skip
            session.add(kept)
            session.flush()
            return ids.show("passkey", kept.id), held

    def chip(self) -> dict[str, Any]:
        """The owner's identity card on the reader."""
        return {"name": self.owner.name, "citizen_number": self.owner.citizen_number, "valid_until": None, "reader": "R1"}


def asks(operation: str) -> Callable[[Asking], Asking]:
    """Register what is asked of an operation."""

    def register(asking: Asking) -> Asking:
        ASKED[operation] = asking
        return asking

    return register


def plain(operation: str, path: str, body: Any = None) -> None:
    """An operation about nobody's thing."""
    ASKED[operation] = lambda scene: Ask(path, body)


def on_card(operation: str, path: str, body: Any = None) -> None:
    """An operation about the owner's card."""

    def ask(scene: Scene) -> Ask:
        assert scene.owner.card is not None
        shown = ids.show("card", scene.owner.card)
        return Ask(path.format(shown), body, shown)

    ASKED[operation] = ask


plain("getApiDocument", "/openapi.json")
plain("isAlive", "/healthz/live")
plain("isReady", "/healthz/ready")
plain("getKeys", "/.well-known/jwks.json")
plain("listRegions", "/api/places/regions?city=990100")
plain("listCells", "/api/places/cells?city=990100")
plain("listSessions", "/api/sessions")
plain("signOut", "/api/sessions/current")
plain("signOutEverywhere", "/api/sessions")
plain("listSignInRequests", "/api/me/sign-in-requests")
plain("getMe", "/api/me")
plain("beginFaceCheck", "/api/me/face-checks")
plain("listDevices", "/api/me/devices")
plain("listPasskeys", "/api/me/passkeys")
plain("beginPasskey", "/api/me/passkeys/options")
plain("beginPasskeyCheck", "/api/me/passkey-checks/options")
plain("listStaff", "/api/staff")
plain("listTerminals", "/api/terminals")
plain("listProducts", "/api/products")
plain("issueCard", "/api/cards", {"product": "resident"})
plain("listCards", "/api/cards")
plain("getWallet", "/api/wallet")
plain("changeLimits", "/api/wallet/limits", {"single_fen": 10_000})
plain("createTopUp", "/api/top-ups", {"amount_fen": 1_000, "provider": "yunpay"})
plain("listReceipts", "/api/receipts")
plain("getStatement", "/api/statement?month=2026-01")
plain("getTrialBalance", "/api/ledger/trial-balance")
plain("readJournal", "/api/ledger/journal?since=2026-01-01&until=2026-01-15")
plain("listNotices", "/api/notices")
plain("reportEverythingLost", "/api/loss-reports")

on_card("getCard", "/api/cards/{}")
on_card("listCardEvents", "/api/cards/{}/events")
on_card("givePayKey", "/api/cards/{}/pay-key")


@asks("giveAuthorisations")
def _authorisations(scene: Scene) -> Ask:
    assert scene.owner.card is not None
    shown = ids.show("card", scene.owner.card)
    x, odd = citycode.x_and_parity(proving.new_key().public_key())
    body = {"keys": [proving.text(bytes([2 + odd]) + x)], "limit_fen": 0}
    return Ask(f"/api/cards/{shown}/authorisations", body, shown)


plain("getTrustList", "/api/terminals/trust-list")
plain("getHotlist", "/api/hotlist?since=0")
plain("acknowledgeHotlist", "/api/hotlist/acknowledgements", {"version": 0})


@asks("uploadOfflineTrades")
def _offline_trades(scene: Scene) -> Ask:
    """A batch that one till alone has signed."""
    now = clock.now().replace(microsecond=0)
    told = batch_to_sign(ids.show("terminal", scene.till.id), [(1, "CC1:0", 0, int(now.timestamp()))])
    trade = {"serial": 1, "code": "CC1:0", "amount_fen": 0, "occurred_at": now.isoformat()}
    return Ask("/api/offline-trades", {"trades": [trade], "signature": proving.text(signatures.sign(scene.till.key, told))})


on_card("reportLoss", "/api/cards/{}/loss", {"kind": "temporary"})
on_card("replaceCard", "/api/cards/{}/replacement", {"reason": "number_exposed"})
on_card("getCardAtCounter", "/api/counter/cards/{}")
on_card("reportLossAtCounter", "/api/counter/cards/{}/loss", {"reason": "本人到柜台"})
on_card("stepAtCounter", "/api/counter/cards/{}/steps", {"step": "freeze", "reason": "调查"})


@asks("takeBackLoss")
def _take_back(scene: Scene) -> Ask:
    assert scene.owner.card is not None
    with db.transaction():
        cards.report_loss(scene.owner.actor, scene.owner.card, kind="temporary")
    shown = ids.show("card", scene.owner.card)
    return Ask(f"/api/cards/{shown}/loss", None, shown)


@asks("sendSignInCode")
def _send_code(scene: Scene) -> Ask:
    phone = f"199{secrets.randbelow(10**8):08d}"
    return Ask("/api/sign-in-codes", {"phone": phone, "city": YUNCHUAN, "device_key": proving.public_jwk(proving.new_key())})


@asks("signIn")
def _sign_in(scene: Scene) -> Ask:
    phone, key = f"199{secrets.randbelow(10**8):08d}", proving.new_key()
    wanted = json.dumps({"phone": phone, "city": YUNCHUAN, "device_key": proving.public_jwk(key)}).encode()
    sent = scene.whole.send("POST", "/api/sign-in-codes", headers={"Content-Type": "application/json"}, body=wanted)
    assert sent.status_code == 202, sent.text
    body = {"phone": phone, "city": YUNCHUAN, "code": scene.whole.inbox.code(phone), "device_name": "手机"}
    return Ask("/api/sessions", body, key=key)


@asks("refreshSession")
def _refresh(scene: Scene) -> Ask:
    path = "/api/sessions/refresh"
    return Ask(path, {"refresh_token": scene.owner.refresh_token}, key=scene.owner.key)


@asks("endSession")
def _end_session(scene: Scene) -> Ask:
    shown = ids.show("session", scene.owner.session)
    return Ask(f"/api/sessions/{shown}", None, shown)


@asks("claimSignIn")
def _claim(scene: Scene) -> Ask:
    request, key = scene.request_to_enter("approved")
    shown = ids.show("signin", request.id)
    path = f"/api/sign-in-requests/{shown}/session"
    return Ask(path, None, shown, key=key)


@asks("beginFaceCheckForSignIn")
def _begin_face(scene: Scene) -> Ask:
    request, key = scene.request_to_enter()
    shown = ids.show("signin", request.id)
    path = f"/api/sign-in-requests/{shown}/face-checks"
    return Ask(path, None, shown, key=key)


@asks("finishFaceCheckForSignIn")
def _finish_face(scene: Scene) -> Ask:
    request, key = scene.request_to_enter()
    check, shown = scene.face_check(request.id), ids.show("signin", request.id)
    path = f"/api/sign-in-requests/{shown}/face-checks/{check}/result"
    return Ask(path, {"face_token": "same_person"}, check, key=key)


@asks("decideSignIn")
def _decide(scene: Scene) -> Ask:
    shown = ids.show("signin", scene.request_to_enter()[0].id)
    return Ask(f"/api/me/sign-in-requests/{shown}/decision", {"approve": True}, shown)


@asks("proveIdentity")
def _prove(scene: Scene) -> Ask:
    return Ask("/api/me/identity", {"name": scene.owner.name, "citizen_number": scene.owner.citizen_number})


@asks("finishFaceCheck")
def _finish_own_face(scene: Scene) -> Ask:
    shown = scene.face_check()
    return Ask(f"/api/me/face-checks/{shown}/result", {"face_token": "same_person"}, shown)


@asks("removeDevice")
def _remove_device(scene: Scene) -> Ask:
    shown = ids.show("device", scene.owner.device)
    return Ask(f"/api/me/devices/{shown}", None, shown)


@asks("addPasskey")
def _add_passkey(scene: Scene) -> Ask:
    with db.transaction():
        actor = scene.owner.actor
        binding = f"session:{scene.owner.session}"
        challenge = challenges.give(Purpose.ADD, city_id=actor.city_id, binding=binding, resident_id=actor.id)
    asked = {"public_key": {"challenge": pack(challenge), "user": {"id": pack(scene.owner.id.bytes)}}}
    return Ask("/api/me/passkeys", {"name": "手机", "credential": Authenticator().create(asked)})


@asks("removePasskey")
def _remove_passkey(scene: Scene) -> Ask:
    shown, _ = scene.passkey()
    return Ask(f"/api/me/passkeys/{shown}", None, shown)


@asks("beginPasskeySignIn")
def _begin_passkey_sign_in(scene: Scene) -> Ask:
    return Ask("/api/passkey-sign-ins/options", {"device_key": proving.public_jwk(proving.new_key())})


@asks("signInWithPasskey")
def _sign_in_with_passkey(scene: Scene) -> Ask:
    _, passkey = scene.passkey()
    key = proving.new_key()
    with db.transaction():
        challenge = challenges.give(Purpose.SIGN_IN, city_id=scene.owner.city, binding=proving.name_of(key))
    credential = passkey.get({"public_key": {"challenge": pack(challenge)}})
    return Ask("/api/passkey-sign-ins", {"credential": credential, "device_name": "手机"}, key=key)


@asks("finishPasskeyCheck")
def _finish_passkey_check(scene: Scene) -> Ask:
    _, passkey = scene.passkey()
    with db.transaction():
        binding = f"session:{scene.owner.session}"
        challenge = challenges.give(Purpose.STEP_UP, city_id=scene.owner.city, binding=binding, resident_id=scene.owner.id)
    return Ask("/api/me/passkey-checks", {"credential": passkey.get({"public_key": {"challenge": pack(challenge)}})})


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
    return Ask("/api/staff", {"login": login, "display_name": "新人", "roles": ["counter_clerk"], "password": PASSWORD})


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


@asks("present")
def _present(scene: Scene) -> Ask:
    return Ask("/api/presentations", {"code": scene.owner.code()})


@asks("presentAtCounter")
def _present_at_counter(scene: Scene) -> Ask:
    return Ask("/api/counter/presentations", {"code": scene.owner.code()})


@asks("createCharge")
def _charge(scene: Scene) -> Ask:
    return Ask("/api/charges", {"amount_fen": 100, "code": scene.owner.code()})


@asks("getCharge")
def _get_charge(scene: Scene) -> Ask:
    shown = scene.charge()
    return Ask(f"/api/charges/{shown}", None, shown)


@asks("reverseCharge")
def _reverse(scene: Scene) -> Ask:
    shown = scene.charge()
    return Ask(f"/api/charges/{shown}/reversal", {"reason": "金额输错"}, shown)


@asks("refundCharge")
def _refund(scene: Scene) -> Ask:
    shown = scene.charge()
    return Ask(f"/api/charges/{shown}/refunds", {"amount_fen": 100, "reason": "退一份"}, shown)


@asks("getReceipt")
def _receipt(scene: Scene) -> Ask:
    shown = ids.show("receipt", ids.parse("charge", scene.charge()))
    return Ask(f"/api/receipts/{shown}", None, shown)


@asks("getTopUp")
def _top_up(scene: Scene) -> Ask:
    identity = ids.new_id()
    topping_up.top_up(scene.owner.actor, amount_fen=1_000, provider="yunpay", top_up_id=identity)
    shown = ids.show("top_up", identity)
    return Ask(f"/api/top-ups/{shown}", None, shown)


def _credited(scene: Scene) -> UUID:
    """A top-up of the owner's that the provider has been paid for."""
    identity = ids.new_id()
    topping_up.top_up(scene.owner.actor, amount_fen=1_000, provider="yunpay", top_up_id=identity)
    scene.whole.provider.paid(ids.show("top_up", identity))
    topping_up.find_out(identity)
    return identity


@asks("refundTopUp")
def _refund_top_up(scene: Scene) -> Ask:
    shown = ids.show("top_up", _credited(scene))
    return Ask(f"/api/top-ups/{shown}/refunds", {"amount_fen": 300}, shown)


@asks("getTopUpRefund")
def _top_up_refund(scene: Scene) -> Ask:
    refund_id = ids.new_id()
    top_up_refunds.refund_top_up(scene.owner.actor, _credited(scene), amount_fen=300, refund_id=refund_id)
    shown = ids.show("top_up_refund", refund_id)
    return Ask(f"/api/top-up-refunds/{shown}", None, shown)


@asks("takePaymentNotice")
def _notice_of_payment(scene: Scene) -> Ask:
    identity = ids.new_id()
    topping_up.top_up(scene.owner.actor, amount_fen=1_000, provider="yunpay", top_up_id=identity)
    number = ids.show("top_up", identity)
    scene.whole.provider.paid(number)
    headers, raw = scene.whole.provider.notice(number)
    return Ask("/api/callbacks/payments/yunpay", None, headers=headers, raw=raw)


@asks("storeFile")
def _store(scene: Scene) -> Ask:
    return Ask("/api/files?purpose=evidence", raw=picture(), media="application/octet-stream")


@asks("readFile")
def _read_file(scene: Scene) -> Ask:
    with db.transaction():
        shown = ids.show("file", files.store_own(scene.owner.actor, picture(), purpose="evidence").id)
    return Ask(f"/api/files/{shown}", None, shown)


@asks("readNotice")
def _read_notice(scene: Scene) -> Ask:
    with db.transaction() as session:
        row = NoticeRow(
            id=ids.new_id(), city_id=scene.owner.city, resident_id=scene.owner.id, fact_id=ids.new_id(), kind="cards:card:issue",
            facts={"at": clock.now().isoformat(), "subject": "", "tail": "1234"}, created_at=clock.now(),
        )  # fmt: skip
        session.add(row)
        session.flush()
        shown = ids.show("notice", row.id)
    return Ask(f"/api/notices/{shown}/reading", None, shown)


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


def picture() -> bytes:
    """A small photograph."""
    out = io.BytesIO()
    Image.new("RGB", (8, 8), (200, 20, 20)).save(out, "PNG")
    return out.getvalue()
