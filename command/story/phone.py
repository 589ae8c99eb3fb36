"""A resident's phone: its key, its session, its pay codes."""

from __future__ import annotations

import datetime as dt
import json
import secrets
import time
from typing import Any

import citycode
from cards.codes.pay_code import PayKey
from command.story import proving
from command.story.wire import Answer, Unexpected, Wire, wait_for


class Phone:
    """One phone with one number; ``issuer`` is the address under which the platform knows itself."""

    def __init__(self, wire: Wire, outside: Wire, *, number: str, city: int, issuer: str, name: str = "演示手机") -> None:
        self.wire, self.outside, self.number, self.city, self.issuer, self.name = wire, outside, number, city, issuer, name
        self.key = proving.new_key()
        self.tokens: dict[str, Any] = {}
        self.pay_key: PayKey | None = None
        self.ahead = 0.0
        self._taps: dict[int, int] = {}
        self._authorised: list[tuple[proving.PrivateKey, bytes]] = []

    @property
    def now(self) -> float:
        """The platform's time, learnt when last online."""
        return time.time() + self.ahead

    def set_clock(self) -> None:
        """Learn how far the platform's clock is from this phone's."""
        there = dt.datetime.fromisoformat(self.wire.send("GET", "/healthz/ready").body["time"])
        self.ahead = there.timestamp() - time.time()

    def ask(self, method: str, path: str, body: Any = None, *, key: str | None = None, proved: bool = False) -> Answer:
        """A request in this phone's name, whatever comes of it."""
        headers = {"Authorization": f"Bearer {self.tokens['access_token']}"} if self.tokens else {}
        if body is not None:
            headers["Content-Type"] = "application/json"
        if key is not None:
            headers["Idempotency-Key"] = key
        if proved:
            headers["DPoP"] = proving.proof(self.key, method, self.issuer + path, now=self.now)
        return self.wire.send(method, path, body=b"" if body is None else json.dumps(body).encode(), headers=headers)

    def do(self, method: str, path: str, body: Any = None, *, proved: bool = False) -> Any:
        """A request that must succeed; a write carries a fresh key."""
        answer = self.ask(method, path, body, key=secrets.token_urlsafe(16) if method == "POST" else None, proved=proved)
        return _good(method, path, answer)

    def sign_in(self) -> None:
        """Ask for a code, read it off the phone's screen, and come in with it."""
        self.set_clock()
        before = {message["id"] for message in self.messages()}
        self.do("POST", "/api/sign-in-codes", {"phone": self.number, "city": self.city, "device_key": proving.public_jwk(self.key)})
        code = wait_for(lambda: self._code(before), what=f"a sign-in code on {self.number}")
        body = {"phone": self.number, "code": code, "city": self.city, "device_name": self.name}
        self.tokens = self.do("POST", "/api/sessions", body, proved=True)
        self.agree("user_agreement", "privacy_policy")

    def agree(self, *kinds: str) -> None:
        """Agree to the present texts of these kinds, as their holder does after reading them."""
        read = [text for text in self.do("GET", "/api/agreements")["items"] if text["kind"] in kinds]
        self.do("POST", "/api/me/agreements", {"items": [{"kind": text["kind"], "version": text["version"]} for text in read]})

    def refresh(self) -> None:
        """Change the refresh token for new ones."""
        # Alone: an access token that has run out beside it would be refused.
        refresh_token, self.tokens = self.tokens["refresh_token"], {}
        self.tokens = self.do("POST", "/api/sessions/refresh", {"refresh_token": refresh_token}, proved=True)

    def prove(self, name: str, citizen_number: str) -> Any:
        """Name and number against the police register; the new token says the new level."""
        self.agree("identity_data")
        return self._stepped(self.do("POST", "/api/me/identity", {"name": name, "citizen_number": citizen_number}))

    def show_face(self, choice: str = "approve") -> Any:
        """Hold the phone before the face, and hand the result on."""
        self.agree("face_data")
        check = self.do("POST", "/api/me/face-checks")
        page = check["capture_url"].partition("/faces/")[2]
        token = self.outside.form(f"/faces/{page}", choice=choice).body["face_token"]
        return self._stepped(self.do("POST", f"/api/me/face-checks/{check['id']}/result", {"face_token": token}))

    def find_card(self, card: str) -> Any:
        """Take the report of loss back, with a face: one shown within five minutes, or one more."""
        path = f"/api/cards/{card}/loss"
        answer = self.ask("DELETE", path)
        if answer.code != "step_up_needed":
            return _good("DELETE", path, answer)
        self.show_face()
        return self.do("DELETE", path)

    def take_pay_key(self, card: str) -> None:
        """Fetch, once, the key from which codes are made without network."""
        given = self.do("POST", f"/api/cards/{card}/pay-key")
        secret, permutation = proving.b64(given["device_secret"]), proving.b64(given["permutation_key"])
        self.pay_key = PayKey(given["prefix"], given["handle"], secret, permutation)

    def pay_code(self) -> str:
        """The code of this moment, made without network; a second one in the same half minute takes the next tap."""
        if self.pay_key is None:
            raise LookupError("this phone has no pay key")
        step = int(self.now // 30)
        tap = self._taps.get(step, 0)
        if tap == 4:
            time.sleep(30 - self.now % 30)
            return self.pay_code()
        self._taps = {step: tap + 1}
        return self.pay_key.make(self.now, tap)

    def fetch_authorisations(self, card: str, *, count: int = 3, limit_fen: int = 1_000) -> None:
        """Make one-time keys and have them authorised, for codes that a gate without network takes."""
        keys = [proving.new_key() for _ in range(count)]
        halves = (citycode.x_and_parity(key.public_key()) for key in keys)
        told = {"keys": [proving.text(bytes([2 + odd]) + x) for x, odd in halves], "limit_fen": limit_fen}
        given = self.do("POST", f"/api/cards/{card}/authorisations", told)
        self._authorised += [(key, proving.b64(text)) for key, text in zip(keys, given["authorisations"], strict=True)]

    def city_code(self) -> str:
        """A city code with the next authorisation, made without network."""
        key, authorisation = self._authorised.pop()
        return citycode.make(authorisation, key, now=self.now)

    def messages(self) -> list[dict[str, Any]]:
        """What stands on this phone's screen."""
        answer = self.outside.send("GET", f"/phones/{self.number}/messages")
        found: list[dict[str, Any]] = answer.body["messages"] if answer.status == 200 else []
        return found

    def _code(self, before: set[Any]) -> str | None:
        for message in self.messages():
            if message["id"] not in before and message["template"] == "sign_in_code":
                return str(message["values"]["code"])
        return None

    def _stepped(self, given: dict[str, Any]) -> dict[str, Any]:
        if given["access_token"]:
            self.tokens["access_token"] = given["access_token"]
        return given


def _good(method: str, path: str, answer: Answer) -> Any:
    if answer.status >= 400:
        raise Unexpected(method, path, answer)
    return answer.body
