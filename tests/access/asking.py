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
from auth.models import FaceCheck, SignInRequest
from auth.passkeys.models import Passkey
from citycode import signatures
from citycode.journal import batch_to_sign
from command.story import proving
from core import clock, db, files, ids
from services.notices.models import NoticeRow
from tests.access.whole import Person, Till, Whole
from tests.auth.authenticator import Authenticator, cbor

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

    def lost_card(self) -> str:
        """The owner's card, reported lost."""
        assert self.owner.card is not None
        with db.transaction():
            cards.report_loss(self.owner.actor, self.owner.card, kind="temporary")
        return ids.show("card", self.owner.card)

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
    shown = scene.lost_card()
    return Ask(f"/api/cards/{shown}/loss", None, shown)


@asks("takeBackLossAtCounter")
def _take_back_at_counter(scene: Scene) -> Ask:
    shown = scene.lost_card()
    return Ask(f"/api/counter/cards/{shown}/loss-withdrawal", {"chip": scene.chip()}, shown)


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


def picture() -> bytes:
    """A small photograph."""
    out = io.BytesIO()
    Image.new("RGB", (8, 8), (200, 20, 20)).save(out, "PNG")
    return out.getvalue()
