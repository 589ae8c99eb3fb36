"""What is asked of the operations by which residents sign in, prove who they are, and keep devices and passkeys."""

from __future__ import annotations

import json
import secrets

from auth.agreements import texts
from auth.passkeys import challenges
from auth.passkeys.challenges import Purpose
from command.story import proving
from core import db, ids
from tests.access.asking import Ask, Scene, asks
from tests.access.whole import YUNCHUAN
from tests.auth.authenticator import Authenticator
from tests.auth.conftest import pack


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
    return Ask(path, {"agreed": texts.present()[texts.Kind.FACE_DATA].version}, shown, key=key)


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
