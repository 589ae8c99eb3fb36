"""Threat 10: in whatever order residents and thieves add and remove what signs them in, strength never rises from a weaker proof."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.auth.authenticator import Authenticator
from tests.auth.conftest import WANG, House, Phone, pack
from tests.auth.test_passkeys import ADD, CHECK, add, ask, enter, face

STEPS = 14


@dataclass
class Person:
    """Somebody with a phone of their own and, sometimes, a session on it."""

    house: House
    phone: Phone
    tokens: dict[str, Any] = field(default_factory=dict)

    @property
    def token(self) -> str:
        return str(self.tokens.get("access_token", "none"))

    def renew(self) -> None:
        """The session goes on if it may."""
        if self.tokens:
            answer = self.house.refresh(self.phone, self.tokens["refresh_token"])
            self.tokens = dict(answer.json) if answer.status_code == 200 else {}

    def enter(self) -> Any:
        assert self.house.send_code(self.phone).status_code == 202
        answer = self.house.try_code(self.phone, self.house.inbox.code(self.phone.number))
        if answer.status_code == 201:
            self.tokens = dict(answer.json)
        return answer

    def clear_away(self, *paths: str) -> None:
        for path in paths or (ADD, "/api/me/devices"):
            for thing in self.house.call("GET", path, token=self.token).json.get("items", []):
                self.house.call("DELETE", f"{path}/{thing['id']}", token=self.token)


@dataclass
class Thief(Person):
    """Reads the resident's text messages and knows name and number, but has neither face, card nor passkey."""

    key: Authenticator = field(default_factory=lambda: Authenticator(handle=b"h" * 16))

    def knock(self) -> None:
        if request := self.enter().json.get("facts", {}).get("request"):
            decided = self.house.post(f"/api/me/sign-in-requests/{request}/decision", {"approve": True}, token=self.token)
            claimed = self.house.post(f"/api/sign-in-requests/{request}/session", None, self.phone)
            assert (decided.status_code, claimed.status_code) == (401, 409), decided.text

    def prove(self) -> None:
        if (issued := self.house.prove(self.token, WANG).json.get("access_token")) is not None:
            self.tokens["access_token"] = issued

    def add_passkey(self) -> None:
        self.prove()
        begun = self.house.post(f"{ADD}/options", None, token=self.token)
        asked = {"public_key": {**ask(self.house, self.phone)["public_key"], "user": {"id": pack(self.key.handle)}}}
        kept = self.house.post(ADD, {"name": "x", "credential": self.key.create(asked)}, token=self.token)
        assert {begun.status_code, kept.status_code} <= {401, 403}, kept.text

    def use_passkey(self) -> None:
        assert enter(self.house, self.phone, self.key.get(ask(self.house, self.phone))).status_code == 401
        begun = self.house.post(f"{CHECK}/options", None, token=self.token)
        if begun.status_code == 200:
            assert self.house.post(CHECK, {"credential": self.key.get(begun.json)}, token=self.token).status_code == 401


@dataclass
class Owner(Person):
    """Does what residents do."""

    keys: list[Authenticator] = field(default_factory=list)

    def show_face(self) -> None:
        if not self.tokens:
            self.enter()
        if self.tokens:
            self.tokens["access_token"] = face(self.house, self.token)

    def add_passkey(self) -> None:
        self.show_face()
        key = Authenticator()
        if self.tokens:
            assert add(self.house, self.token, key).status_code == 201
            self.keys.append(key)

    def lose_phone(self) -> None:
        self.clear_away("/api/me/devices")

    def use_passkey(self) -> None:
        for key in self.keys:
            answer = enter(self.house, self.phone, key.get(ask(self.house, self.phone)))
            self.tokens = dict(answer.json) if answer.status_code == 201 else self.tokens


@pytest.mark.parametrize("seed", range(6))
def test_no_order_of_steps_lifts_a_thief_of_messages_to_the_top(house: House, seed: int) -> None:
    chance = random.Random(seed)
    phone, tokens = house.named()
    owner, thief = Owner(house, phone, tokens), Thief(house, Phone(number=phone.number))
    steps = [thief.knock, thief.prove, thief.add_passkey, thief.use_passkey, thief.clear_away]
    steps += [owner.show_face, owner.add_passkey, owner.use_passkey, owner.lose_phone, owner.clear_away]
    if seed % 2:
        owner.add_passkey()
        owner.lose_phone()
    for _ in range(STEPS):
        house.later(hours=25)
        for person in (owner, thief):
            person.renew()
        chance.choice(steps)()
        of_thief = "SELECT coalesce(max(s.strength), 0) FROM session s JOIN device d ON d.id = s.device_id WHERE d.public_jwk->>'x' = %s"
        assert house.rows(of_thief, thief.phone.jwk["x"])[0][0] <= 2
        assert house.rows("SELECT count(*) FROM passkey WHERE credential_id = %s", thief.key.credential_id) == [(0,)]
        if house.rows("SELECT 1 FROM passkey WHERE revoked_at IS NULL"):
            # Where a passkey stands, a message opens no new device.
            house.later(minutes=2)
            fresh = Phone(number=phone.number)
            house.send_code(fresh)
            assert house.try_code(fresh, house.inbox.code(fresh.number)).json["code"] == "stronger_factor_required"
