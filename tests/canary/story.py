"""Two hundred people walk the whole story, and much of what goes wrong in a day happens to them."""

from __future__ import annotations

import datetime as dt
import json
import random
import secrets
from dataclasses import dataclass, field
from typing import Any

import auth
from auth.rules import check_digit
from auth.verification.police import PoliceRegister
from cards.codes.pay_code import PayKey
from command.story import proving
from core import clock, ids
from tests.access.asking import picture
from tests.access.whole import ISSUER, YUNCHUAN, Till, Whole

SURNAMES, GIVEN = "赵钱孙李周吴郑王冯陈", "龘靐齉爩鱻麤龖厵灪籱"


@dataclass
class Planted:
    """One of them."""

    name: str
    citizen_number: str
    phone: str
    key: proving.PrivateKey = field(default_factory=proving.new_key)
    token: str = ""


def plant(count: int) -> list[Planted]:
    """People who do not exist, with right check digits and nothing that marks them."""
    chance, made = random.Random(7), {}
    while len(made) < count:
        born = dt.date(1950, 1, 1) + dt.timedelta(days=chance.randrange(20_000))
        digits = f"9901{chance.randrange(1, 7):02d}{born:%Y%m%d}{chance.randrange(1, 999):03d}"
        nth = len(made)
        name = SURNAMES[nth % 10] + GIVEN[nth // 10 % 10] + chr(0x9000 + nth)
        made[digits] = Planted(name, digits + check_digit(digits), f"199{chance.randrange(10**7, 10**8)}")
    return list(made.values())


@dataclass
class Walk:
    """One of them meets the program."""

    whole: Whole
    person: Planted
    till: Till

    def ask(
        self, method: str, path: str, body: Any = None, *, expected: int, proved: bool = False, token: str | None = None, **raw: Any
    ) -> Any:
        """A request whose status is known beforehand."""
        headers = {"Idempotency-Key": secrets.token_urlsafe(12), "Content-Type": raw.get("media", "application/json")}
        if bearer := self.person.token if token is None else token:
            headers["Authorization"] = f"Bearer {bearer}"
        if proved:
            headers["DPoP"] = proving.proof(self.person.key, method, ISSUER + path, now=clock.timestamp())
        content = raw.get("raw", b"" if body is None else json.dumps(body, ensure_ascii=bool(secrets.randbelow(2))).encode())
        answer = self.whole.send(method, path, headers=headers, body=content)
        assert answer.status_code == expected, (method, path, answer.status_code, answer.text)
        return answer.json

    def charge(self, path: str, body: Any, *, expected: int) -> Any:
        """A request of the till's."""
        headers = {"content-type": "application/json", "idempotency-key": secrets.token_urlsafe(12)}
        answer = self.whole.send("POST", path, headers=headers, body=json.dumps(body).encode(), till=self.till)
        assert answer.status_code == expected, answer.text
        return answer.json

    def enter(self) -> None:
        """Code, a wrong one first, and the session."""
        person = self.person
        wanted = {"phone": person.phone, "city": YUNCHUAN, "device_key": proving.public_jwk(person.key)}
        self.ask("POST", "/api/sign-in-codes", {**wanted, "phone": person.citizen_number}, expected=422)
        self.ask("POST", "/api/sign-in-codes", wanted, expected=202)
        code = self.whole.inbox.code(person.phone)
        body = {"phone": person.phone, "city": YUNCHUAN, "code": code, "device_name": "手机"}
        wrong = {**body, "code": f"{(int(code) + 1) % 10**6:06d}"}
        self.ask("POST", "/api/sessions", wrong, expected=401, proved=True)
        self.person.token = self.ask("POST", "/api/sessions", body, expected=201, proved=True)["access_token"]

    def prove(self, unreachable: PoliceRegister | None) -> None:
        """Name and number, wrongly and rightly, with the register away for some, then the face."""
        person, played = self.person, auth.parts().police
        right = {"name": person.name, "citizen_number": person.citizen_number}
        for text in self.ask("GET", "/api/agreements", expected=200)["items"]:
            agreed = {"kind": text["kind"], "version": text["version"]}
            self.ask("POST", "/api/me/agreements", {"items": [agreed]}, expected=201)
        self.ask("GET", "/api/me/agreements", expected=200)
        last = "0" if person.citizen_number[-1] != "0" else "1"
        self.ask("POST", "/api/me/identity", {**right, "citizen_number": person.citizen_number[:-1] + last}, expected=422)
        self.ask("POST", "/api/me/identity", {**right, "extra": person.citizen_number}, expected=422)
        if unreachable is not None:
            use_register(unreachable)
            self.ask("POST", "/api/me/identity", right, expected=503)
            use_register(played)
        self.person.token = self.ask("POST", "/api/me/identity", right, expected=200)["access_token"]
        check = self.ask("POST", "/api/me/face-checks", expected=201)["id"]
        self.ask("POST", f"/api/me/face-checks/{check}/result", {"face_token": person.citizen_number}, expected=409)
        done = self.ask("POST", f"/api/me/face-checks/{check}/result", {"face_token": "same_person"}, expected=200)
        self.person.token = done["access_token"]

    def live(self) -> None:
        """Card, money, codes, payments, loss, files and everything that can be read."""
        card = self.ask("POST", "/api/cards", {"product": "resident"}, expected=201)["id"]
        order = self.ask("POST", "/api/top-ups", {"amount_fen": 10_000, "provider": "yunpay"}, expected=201)["id"]
        self.whole.provider.paid(order)
        headers, raw = self.whole.provider.notice(order, id=order)
        assert self.whole.send("POST", "/api/callbacks/payments/yunpay", headers=headers, body=raw).status_code == 200
        given = self.ask("POST", f"/api/cards/{card}/pay-key", expected=201)
        key = PayKey(given["prefix"], given["handle"], proving.b64(given["device_secret"]), proving.b64(given["permutation_key"]))
        shown = self.charge("/api/presentations", {"code": key.make(clock.timestamp(), 0)}, expected=201)
        self.charge("/api/charges", {"amount_fen": 100, "presentation_id": shown["id"]}, expected=201)
        paid = self.charge("/api/charges", {"amount_fen": 1_230, "code": key.make(clock.timestamp(), 1)}, expected=201)["id"]
        self.charge(f"/api/charges/{paid}/refunds", {"amount_fen": 430, "reason": "退一份"}, expected=201)
        self.ask("POST", f"/api/cards/{card}/loss", {"kind": "temporary"}, expected=200)
        self.charge("/api/charges", {"amount_fen": 100, "code": key.make(clock.timestamp(), 2)}, expected=409)
        self.ask("DELETE", f"/api/cards/{card}/loss", expected=200)
        self.ask("POST", "/api/files?purpose=evidence", expected=201, raw=picture(), media="application/octet-stream")
        for path in ("me", "cards", f"cards/{card}", f"cards/{card}/events", "wallet", "receipts", "notices", "sessions", "me/devices"):
            self.ask("GET", f"/api/{path}", expected=200)

    def err(self) -> None:
        """The person's data where they do not belong: in paths, queries, broken and oversized bodies."""
        number, phone = self.person.citizen_number, self.person.phone
        self.ask("GET", f"/api/cards/{number}", expected=404)
        self.ask("GET", f"/{phone}", expected=404)
        self.ask("GET", f"/api/receipts?cursor={number}", expected=400)
        self.ask("POST", "/api/cards", {"product": number}, expected=404)
        self.ask("POST", "/api/cards", expected=400, raw=f'{{"product": "{number}'.encode())
        self.ask("POST", "/api/cards", expected=413, raw=number.encode() * 8_000)

    def be_served(self, clerk: str, supervisor: str) -> None:
        """A clerk looks for them by number and phone, proves them by chip, and a supervisor opens their name."""
        person = self.person
        found = self.ask("POST", "/api/counter/resident-searches", {"citizen_number": person.citizen_number}, expected=200, token=clerk)
        self.ask("POST", "/api/counter/resident-searches", {"phone": person.phone}, expected=200, token=clerk)
        opened = {"purpose": "核对投诉", "fields": ["name", "phone", "citizen_number"]}
        told = self.ask("POST", f"/api/counter/residents/{found['resident']}/reveals", opened, expected=200, token=supervisor)
        assert told["citizen_number"] == person.citizen_number
        chip = {"name": person.name, "citizen_number": person.citizen_number, "valid_until": None, "reader": "R1"}
        self.ask("POST", "/api/counter/sign-outs", {"chip": chip}, expected=200, token=clerk)
        assert ids.parse("resident", found["resident"])


def use_register(register: PoliceRegister) -> None:
    """Let the auth floor ask this register from now on."""
    parts = auth.parts()
    auth.install(
        issuer=parts.issuer, cities=parts.cities, default_city=parts.default_city, sms=parts.sms, police=register,
        above=parts.above,
    )  # fmt: skip
