"""A phone is stolen with the SIM card in it: what the thief can do with both, and what the resident still can (threat 6)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

import cards
from core import db, ids
from core.actors import system
from tests.auth.conftest import LI, WANG, YUNCHUAN, House, Phone, house
from tests.auth.test_signing_in import asking, chip
from tests.cards.conftest import PREFIXES, products

__all__ = ["house"]  # a fixture of the auth floor


@dataclass
class Theft:
    """王晓明's card, the stolen phone that knows its number's messages, and the clerk who is told of it."""

    house: House
    phone: Phone
    token: str
    card: str
    clerk: str

    @property
    def path(self) -> str:
        return f"/api/cards/{self.card}"

    def entered(self) -> str:
        """The thief reads one message on the stolen phone; gives the token, or the code of the refusal."""
        self.house.later(seconds=61)
        self.house.send_code(self.phone)
        answer = self.house.try_code(self.phone, self.house.inbox.code(self.phone.number))
        return str(answer.json.get("access_token") or answer.json["code"])

    def report_at_counter(self, kind: str = "formal") -> None:
        path = f"/api/counter/cards/{self.card}/loss"
        assert self.house.post(path, {"kind": kind, "reason": "手机被盗"}, token=self.clerk).status_code == 200

    def sign_out(self) -> Any:
        return self.house.post("/api/counter/sign-outs", {"chip": chip(WANG)}, token=self.clerk).json

    def refusal(self) -> str | None:
        """Why the card is refused."""
        with db.transaction():
            return cards.card_of(system("test"), ids.parse("card", self.card)).refused


@pytest.fixture
def theft(house: House) -> Theft:
    """The auth and the card floor together, and a card with its pay key on the phone."""
    cards.configure(prefixes=PREFIXES)
    with db.transaction():
        cards.apply_products(YUNCHUAN, products("yunchuan"))
    house.app.extensions["edge"].serve((cards.routes,))
    phone, tokens = house.named()
    token = tokens["access_token"]
    card = house.post("/api/cards", {"product": "resident"}, token=token, Idempotency_Key="issue-0001").json["id"]
    assert house.post(f"/api/cards/{card}/pay-key", {}, token=token).status_code == 201
    return Theft(house, phone, token, card, house.staff("counter_clerk"))


def test_signing_out_at_a_counter_takes_the_trust_from_every_device_and_request(theft: Theft) -> None:
    house = theft.house
    new, request = asking(house, theft.phone)
    house.post(f"/api/me/sign-in-requests/{request}/decision", {"approve": True}, token=theft.token)
    assert theft.sign_out() == {"ended": 1}
    assert house.rows("SELECT count(*) FROM device WHERE revoked_at IS NULL") == [(0,)]
    assert house.post(f"/api/sign-in-requests/{request}/session", None, new).json["code"] == "sign_in_request_over"
    assert theft.entered() == "stronger_factor_required"
    assert house.call("GET", "/api/me", token=theft.token).json["code"] == "token_revoked"
    assert house.rows("SELECT event FROM outbox WHERE event = 'auth:device:remove'") == [("auth:device:remove",)]
    removed = house.rows("SELECT actor_kind FROM audit WHERE event = 'auth:device:remove'")
    assert removed == [("staff",)]


def test_the_owner_comes_back_by_face_or_counter_after_signing_out_there(theft: Theft) -> None:
    house = theft.house
    theft.sign_out()
    new = Phone(theft.phone.number)
    house.later(seconds=61)
    house.send_code(new)
    answer = house.try_code(new, house.inbox.code(new.number))
    assert answer.json["facts"]["ways"] == ["face", "counter"]
    request = answer.json["facts"]["request"]
    assert house.post(f"/api/counter/sign-in-requests/{request}/approval", {"chip": chip(WANG)}, token=theft.clerk).status_code == 200
    entered = house.post(f"/api/sign-in-requests/{request}/session", None, new).json
    assert (entered["strength"], entered["identity_level"]) == (3, 4)


def test_a_phone_removed_by_its_owner_comes_back_by_no_message_either(theft: Theft) -> None:
    house = theft.house
    device = house.call("GET", "/api/me/devices", token=theft.token).json["current"]
    assert house.call("DELETE", f"/api/me/devices/{device}", token=theft.token).status_code == 204
    assert theft.entered() == "stronger_factor_required"


def test_a_stolen_phone_takes_no_report_of_loss_back(theft: Theft) -> None:
    house = theft.house
    house.post("/api/loss-reports", {}, token=theft.token)
    thief = theft.entered()
    for method, path, body in (("DELETE", f"{theft.path}/loss", None), ("POST", f"{theft.path}/replacement", {"reason": "lost"})):
        answer = house.call(method, path, body, token=thief, Idempotency_Key=f"thief-{method}")
        assert (answer.status_code, answer.json["code"]) == (403, "step_up_needed"), answer.text
    # Name and number are leaked with half the phones there are.
    again = house.prove(thief).json["access_token"]
    assert house.call("DELETE", f"{theft.path}/loss", token=again).json["code"] == "step_up_needed"
    assert theft.refusal() == "card_lost"


def test_the_holder_who_finds_the_phone_again_shows_a_face_and_pays_on(theft: Theft) -> None:
    house = theft.house
    house.post(f"{theft.path}/loss", {"kind": "temporary"}, token=theft.token)
    check = house.post("/api/me/face-checks", {}, token=theft.token).json["id"]
    shown = house.post(f"/api/me/face-checks/{check}/result", {"face_token": "same_person"}, token=theft.token).json
    back = house.call("DELETE", f"{theft.path}/loss", token=shown["access_token"])
    assert (back.status_code, back.json["refusal"]) == (200, None), back.text


def test_a_formal_loss_comes_back_with_the_holders_chip_at_a_counter_alone(theft: Theft) -> None:
    house = theft.house
    theft.report_at_counter()
    check = house.post("/api/me/face-checks", {}, token=theft.token).json["id"]
    shown = house.post(f"/api/me/face-checks/{check}/result", {"face_token": "same_person"}, token=theft.token).json
    assert house.call("DELETE", f"{theft.path}/loss", token=shown["access_token"]).json["code"] == "loss_is_formal"
    house.named(person=LI)
    path = f"/api/counter/cards/{theft.card}/loss-withdrawal"
    assert house.post(path, {"chip": chip(LI)}, token=theft.clerk).json["code"] == "not_the_holder"
    assert house.post(path, {"chip": chip(WANG, "2020-01-01")}, token=theft.clerk).json["code"] == "document_expired"
    assert house.post(path, {"chip": chip(WANG)}, token=shown["access_token"]).status_code == 403
    assert theft.refusal() == "card_lost"
    back = house.post(path, {"chip": chip(WANG)}, token=theft.clerk)
    assert (back.status_code, back.json["refusal"]) == (200, None), back.text
    assert house.post(path, {"chip": chip(WANG)}, token=theft.clerk).json["code"] == "loss_not_reported"
