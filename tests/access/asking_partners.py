"""What is asked of partners' operations: their registration by staff, consent, shared data, and the forms of OAuth without their proof."""

from __future__ import annotations

import base64
import hashlib
import secrets
from urllib.parse import urlencode
from uuid import UUID

from auth.agreements import keeping as agreements
from auth.agreements.texts import Kind
from auth.consents import ledger, subjects
from auth.partners import registering
from auth.partners.registering import PurposeText, Registration
from auth.scopes import PartnerScope
from command.story import proving
from core import db, ids
from tests.access.asking import ASKED, Ask, Scene, asks, plain
from tests.access.whole import YUNCHUAN

FORM = "application/x-www-form-urlencoded"
CALLBACK = "https://library.example/callback"
LENDING = PurposeText(code="lending", zh="凭卡借书，按年龄段确定图书", en="Borrow books by age group", fields=("masked_name", "age_band"))


def admit(city: int, code: str) -> UUID:
    """A partner with every scope and one purpose."""
    scopes = tuple(str(scope) for scope in PartnerScope)
    key = {**proving.public_jwk(proving.new_key()), "kid": "one"}
    with db.transaction():
        wanted = Registration(
            code=code, zh="图书馆", en="Library", agency_id=ids.new_id(), scopes=scopes, redirect_uris=(CALLBACK,), keys=(key,),
            purposes=(LENDING,),
        )  # fmt: skip
        return registering.admit(city, wanted).id


def shared(scene: Scene) -> UUID:
    """The owner consents to the partner's purpose."""
    with db.transaction():
        return ledger.grant_by_code(scene.owner.actor, scene.partner, LENDING.code, 1).id


plain("getInstallation", "/api/installation")
plain("listPartners", "/api/partners")
plain("listConsentOffers", "/api/me/consent-offers")
plain("listConsents", "/api/me/consents")
plain("listAgreementTexts", "/api/agreements")
plain("getAgreementText", "/api/agreements/user_agreement/2026-11-01")
plain("listAgreements", "/api/me/agreements")
plain("listDataUses", "/api/me/data-uses")
plain("getOpenidConfiguration", "/.well-known/openid-configuration")
plain("getOauthMetadata", "/.well-known/oauth-authorization-server")
plain("authorize", "/oauth2/authorize")
plain("getUserinfo", "/oauth2/userinfo")
plain("getUserinfoByPost", "/oauth2/userinfo")
plain("logout", "/oauth2/logout")


def form(operation: str, path: str, **values: str) -> None:
    """A form of OAuth that a client sends without proving itself."""
    ASKED[operation] = lambda scene: Ask(path, raw=urlencode(values).encode(), media=FORM)


form("authorizeByForm", "/oauth2/authorize", response_type="code")
form("pushAuthorizationRequest", "/oauth2/par", response_type="code")
form("createToken", "/oauth2/token", grant_type="client_credentials")
form("introspectToken", "/oauth2/introspect", token="x" * 40)
form("revokeToken", "/oauth2/revoke", token="x" * 40)
form("logoutByForm", "/oauth2/logout", state="1")


@asks("registerPartner")
def _register_partner(scene: Scene) -> Ask:
    body = {"code": "p-" + secrets.token_hex(5), "zh": "图书馆", "en": "Library", "agency": ids.show("agency", ids.new_id())}
    key = {**proving.public_jwk(proving.new_key()), "kid": "one"}
    return Ask("/api/partners", {**body, "scopes": ["presentation:verify"], "keys": [key]})


def on_partner(operation: str, path: str, body: object) -> None:
    """An operation about a partner of the owner's city."""

    def ask(scene: Scene) -> Ask:
        shown = ids.show("partner", admit(YUNCHUAN, "p-" + secrets.token_hex(5)))
        return Ask(path.format(shown), body, shown)

    ASKED[operation] = ask


on_partner("switchPartner", "/api/partners/{}/state", {"on": False})
on_partner("replacePartnerKeys", "/api/partners/{}/keys", {"keys": [{**proving.public_jwk(proving.new_key()), "kid": "two"}]})
RECORDS = {"code": "records", "zh": "为您建立档案", "en": "To keep a file", "fields": ["masked_name"]}
on_partner("writePurpose", "/api/partners/{}/purposes", RECORDS)


@asks("grantConsent")
def _grant(scene: Scene) -> Ask:
    return Ask("/api/me/consents", {"partner": ids.show("partner", scene.partner), "purpose": LENDING.code, "text_version": 1})


@asks("withdrawConsent")
def _withdraw(scene: Scene) -> Ask:
    shown = ids.show("consent", shared(scene))
    return Ask(f"/api/me/consents/{shown}", None, shown)


AGREED = {"kind": "face_data", "version": "2026-11-01"}
plain("agree", "/api/me/agreements", {"items": [AGREED]})


@asks("withdrawAgreement")
def _withdraw_agreement(scene: Scene) -> Ask:
    with db.transaction():
        agreements.agree(scene.owner.actor, [(Kind(AGREED["kind"]), AGREED["version"])])
        mine = agreements.of_resident(scene.owner.actor, cursor=None, limit=10).items
        shown = ids.show("agreement", next(each.id for each in mine if each.kind == AGREED["kind"] and each.withdrawn_at is None))
    return Ask(f"/api/me/agreements/{shown}", None, shown)


@asks("readSharedResident")
def _read_shared(scene: Scene) -> Ask:
    shared(scene)
    with db.transaction():
        subject = subjects.subject_for(scene.partner, scene.owner.id, scene.owner.city)
    return Ask(f"/api/partner/residents/{subject}?purpose={LENDING.code}")


@asks("presentToPartner")
def _present(scene: Scene) -> Ask:
    return Ask("/api/partner/presentations", {"code": scene.owner.code(), "purpose": LENDING.code})


def interaction(scene: Scene) -> str:
    """An interaction that another browser began."""
    challenge = base64.urlsafe_b64encode(hashlib.sha256(secrets.token_bytes(32)).digest()).decode().rstrip("=")
    wanted = {
        "response_type": "code", "client_id": ids.show("partner", scene.partner), "redirect_uri": CALLBACK, "scope": "openid",
        "state": "s" * 12, "nonce": "n" * 12, "code_challenge": challenge, "code_challenge_method": "S256",
    }  # fmt: skip
    answer = scene.whole.send("GET", "/oauth2/authorize?" + urlencode(wanted))
    assert answer.status_code == 303, answer.text
    return str(answer.headers["Location"]).rpartition("/")[2]


@asks("showInteraction")
def _show(scene: Scene) -> Ask:
    shown = interaction(scene)
    return Ask(f"/oauth2/interactions/{shown}", None, shown)


@asks("actOnInteraction")
def _act(scene: Scene) -> Ask:
    shown = interaction(scene)
    typed = urlencode({"token": "t" * 43, "step": "phone", "phone": scene.owner.phone}).encode()
    return Ask(f"/oauth2/interactions/{shown}", None, shown, raw=typed, media=FORM)
