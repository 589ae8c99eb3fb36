"""The whole program over a database of its own, with the outside played in this process, and everybody who may call it."""

from __future__ import annotations

import base64
import datetime as dt
import itertools
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from uuid import UUID

from flask import Flask
from werkzeug.test import TestResponse

import auth
import cards
import payments
from app import create_app
from auth import devices, sessions, terminals
from auth.agreements import keeping as agreements
from auth.agreements import texts
from auth.models import Resident, StaffMember
from auth.proofs import Proof
from auth.rules import check_digit
from auth.verification.police import FaceResult
from cards.codes import pay_keys, reading
from cards.codes.pay_code import PayKey
from cards.lifecycle import held
from command.applying import apply_data
from command.story import proving
from config import cities
from config.settings import Settings
from core import clock, crypto, db, http_signatures, ids, pulse, revocation
from core.actors import Actor, ActorKind, system
from payments.wiring import wired
from services import notices
from tests.auth.conftest import PASSWORD, Inbox
from tests.auth.conftest import Police as PoliceOfOne
from tests.payments.conftest import Provider

ISSUER = "http://localhost:8080"
YUNCHUAN, LINHU = 990100, 990200
EVERY_FUNCTION = tuple(str(function) for function in auth.TerminalFunction)
_people = itertools.count(1)


class Police(PoliceOfOne):
    """Knows everybody who was told to it; a face whose token it never gave is still awaited."""

    def face_result(self, *, nonce: str, face_token: str) -> FaceResult:
        return FaceResult(face_token) if face_token in set(FaceResult) else FaceResult.PENDING


@dataclass
class Person:
    """A resident with a phone: facts, key, session, and the token that says so."""

    id: UUID
    city: int
    name: str
    citizen_number: str
    phone: str
    key: proving.PrivateKey
    device: UUID
    session: UUID
    token: str
    refresh_token: str
    actor: Actor
    card: UUID | None = None
    pay_key: PayKey | None = None
    taps: Iterator[int] = field(default_factory=lambda: itertools.cycle(range(4)))

    def proof(self, method: str, path: str) -> str:
        """A proof of the phone's key over one request."""
        return proving.proof(self.key, method, ISSUER + path, now=clock.timestamp())

    def code(self) -> str:
        """The next pay code."""
        assert self.pay_key is not None
        return self.pay_key.make(clock.timestamp(), next(self.taps))


@dataclass
class Till:
    """A terminal with its token and the key that signs its requests."""

    id: UUID
    key: proving.PrivateKey
    token: str = ""
    secret: bytes = b""

    def assertion(self) -> str:
        """What it signs to sign in."""
        return proving.assertion(self.key, ids.show("terminal", self.id), ISSUER, now=clock.timestamp())

    def sign_in(self) -> None:
        """Take ten minutes of work."""
        given = terminals.sign_in(self.assertion())
        self.token, self.secret = given.access_token, base64.urlsafe_b64decode(given.session_key + "=")

    def sign(self, method: str, path: str, query: str, headers: dict[str, str], body: bytes) -> dict[str, str]:
        """The headers that sign one request (RFC 9421); ``headers`` are those it already carries."""
        given = {name.lower(): value for name, value in headers.items()}
        request = http_signatures.Request(method, path, query, given, body)
        return dict(http_signatures.sign(request, http_signatures.HmacKey(self.secret), created=int(clock.timestamp())))


@dataclass
class Whole:
    """The running program and what plays around it."""

    app: Flask
    settings: Settings
    inbox: Inbox
    police: Police
    provider: Provider
    shops: dict[str, payments.Merchant] = field(default_factory=dict)

    def send(
        self, method: str, path: str, *, headers: dict[str, str] | None = None, body: bytes = b"", till: Till | None = None
    ) -> TestResponse:
        """One request from an address of its own, signed where a till sends it."""
        given, (plain, _, query) = dict(headers or {}), path.partition("?")
        if till is not None:
            given["Authorization"] = f"Bearer {till.token}"
            given |= till.sign(method, plain, query, given, body)
        # Limits by network belong to other tests: each request comes from a network of its own.
        address = f"10.{secrets.randbelow(250)}.{secrets.randbelow(250)}.{secrets.randbelow(250)}"
        with self.app.test_client() as client:
            return client.open(path, method=method, headers=given, data=body, environ_overrides={"REMOTE_ADDR": address})

    def resident(self, *, city: int = YUNCHUAN, level: int = 4, strength: int = 3) -> Person:
        """Somebody who exists, signed in on a phone that stands for them."""
        nth = next(_people)
        name, born = "王" + chr(0x4E00 + nth % 20000) + "明", dt.date(1950, 1, 1) + dt.timedelta(days=nth)
        digits = f"{city // 100}01{born:%Y%m%d}{nth % 1000:03d}"
        number, phone, key = digits + check_digit(digits), f"199{50_000_000 + nth:08d}", proving.new_key()
        newcomer = auth.Newcomer(phone=phone, name=name, citizen_number=number, identity_level=level)
        self.police.people[number] = name
        with db.transaction() as session:
            auth.admit_many(city, [newcomer])
            jwk = proving.public_jwk(key)
            proof = Proof(dict(jwk), proving.name_of(key))
            actor = Actor(kind=ActorKind.RESIDENT, id=newcomer.id, city_id=city)
            device = devices.register(actor, resident_id=newcomer.id, city_id=city, proof=proof, name="手机")
            devices.note_proof(device.id)
            owner = session.get_one(Resident, newcomer.id)
            tokens = sessions.open_for_resident(owner, device_id=device.id, thumbprint=proof.thumbprint, strength=strength)
            device_id = device.id
            agreements.agree(actor, [(text.kind, text.version) for text in texts.present().values()])
        assert tokens.refresh_token is not None
        actor = auth.parts().tokens.verify(tokens.access_token).actor
        facts = (newcomer.id, city, name, number, phone, key, device_id)
        return Person(*facts, tokens.session, tokens.access_token, tokens.refresh_token, actor)

    def give_card(self, person: Person, balance_fen: int = 0) -> None:
        """A card, a wallet, a phone that makes codes, and money."""
        with db.transaction():
            person.card = cards.issue_card(person.actor, "resident").id
        with db.transaction():
            given = pay_keys.give(person.actor, held(person.actor, person.card))
        secret, permutation = proving.b64(given.device_secret), proving.b64(given.permutation_key)
        person.pay_key = PayKey(given.prefix, given.handle, secret, permutation)
        if balance_fen:
            with db.transaction():
                payments.credit_opening_top_ups(person.actor, city_id=person.city, amounts={person.id: balance_fen})

    def staff(self, *roles: str, city: int = YUNCHUAN) -> UUID:
        """A staff member with these roles."""
        with db.transaction():
            login = f"m{next(_people)}x"
            newcomer = auth.staff_accounts.Newcomer(login=login, display_name="何芳", roles=roles, password=PASSWORD, totp_secret=b"s" * 20)
            return auth.staff_accounts.admit(system("test", city), city, newcomer)

    def staff_token(self, member: UUID) -> str:
        """A new session of a staff member."""
        with db.transaction() as session:
            return sessions.open_for_staff(session.get_one(StaffMember, member), thumbprint="", strength=2).access_token

    def till(self, shop: str, *functions: str) -> Till:
        """A new terminal of a merchant, signed in."""
        merchant, key = self.shops[shop], proving.new_key()
        with db.transaction():
            wanted = auth.TerminalDescription(name="收银台", functions=functions or EVERY_FUNCTION, merchant_id=merchant.id)
            identity = auth.admit_terminal(merchant.city_id, wanted, proving.public_jwk(key))
        made = Till(identity, key)
        made.sign_in()
        return made

    def open_shops(self) -> None:
        """Two merchants here and one in the other city."""
        with db.transaction() as session:
            for name, city in (("bun-shop", YUNCHUAN), ("buses", YUNCHUAN), ("linhu-shop", LINHU)):
                self.shops[name] = payments.open_merchant(city_id=city, zh=name, en=name, refund_credit_fen=100_000)
            session.flush()
            session.expunge_all()


@contextmanager
def whole(settings: Settings) -> Iterator[Whole]:
    """The program as ``create_app`` makes it; only police, short messages and the payment provider are played."""
    forget()
    app, inbox, police, provider = create_app(settings), Inbox(), Police(), Provider()
    parts, money = auth.parts(), wired()
    auth.install(
        issuer=parts.issuer,
        cities=parts.cities,
        default_city=parts.default_city,
        sms=inbox,
        police=police,
        above=parts.above,
    )
    payments.configure(providers={"yunpay": provider}, keepers=money.keepers)
    notices.configure(inbox)
    with app.app_context():
        for slug in ("yunchuan", "linhu"):
            apply_data(cities.load(slug), "data")
        made = Whole(app, settings, inbox, police, provider)
        made.open_shops()
        yield made
        db.db.session.remove()
        db.db.engine.dispose()
    db.drop_connection()
    forget()


def forget() -> None:
    """Know what a new process knows."""
    clock.learn(dt.timedelta())
    revocation.forget()
    pulse.forget()
    crypto.signing.forget()
    crypto.residents.forget()
    reading.forget()
