"""The callers of the access matrix: one of each kind, in both cities."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from werkzeug.test import TestResponse

from auth import parts
from auth.models import SignIn
from auth.scopes import PartnerScope
from auth.sessions import end
from command.story import proving
from core import clock, db, pulse, revocation
from core.actors import Actor, ActorKind
from tests.access.asking import Ask, Scene
from tests.access.asking_partners import admit
from tests.access.whole import ISSUER, LINHU, YUNCHUAN, Person, Till, Whole, whole
from tests.conftest import settings_for

CALLERS = (
    "anonymous", "owner", "owner_sms", "owner_l1", "neighbour", "stranger", "clerk", "supervisor", "administrator",
    "staff_elsewhere", "till", "till_beside", "till_other", "till_elsewhere", "owner_ended", "clerk_ended", "till_disabled",
    "partner", "partner_elsewhere",
)  # fmt: skip


@dataclass
class Stage:
    """The callers, and the scene of the row that is being asked."""

    whole: Whole
    scene: Scene
    neighbour: Person
    stranger: Person
    members: dict[str, UUID]
    tills: dict[str, Till]
    partners: dict[str, Actor]

    def renew(self) -> None:
        """Another owner with everything that is the owner's."""
        owner = self.whole.resident()
        self.whole.give_card(owner, 50_000)
        self.scene = Scene(self.whole, owner, self.tills["till"], self.partners["partner"].id)

    def bearer(self, caller: str) -> str:
        """The access token of a caller who is no till, each time of a session of its own where a session can end."""
        tokens, owner = parts().tokens, self.scene.owner
        if caller in self.partners:
            return tokens.issue(self.partners[caller]).access_token
        if caller == "owner":
            return owner.token
        if caller in ("owner_sms", "owner_l1"):
            level = 1 if caller == "owner_l1" else 4
            return tokens.issue(replace(owner.actor, identity_level=level, strength=1)).access_token
        if caller == "owner_ended":
            return self._ended(tokens.issue(replace(owner.actor, session_id=self._session(owner))).access_token)
        if caller in ("neighbour", "stranger"):
            person: Person = getattr(self, caller)
            return tokens.issue(replace(person.actor, session_id=self._session(person))).access_token
        token = self.whole.staff_token(self.members[caller.removesuffix("_ended")])
        return self._ended(token) if caller == "clerk_ended" else token

    def _session(self, person: Person) -> UUID:
        """A further session of somebody, so that one that is ended takes nothing from the others."""
        with db.transaction() as session:
            first = session.get_one(SignIn, person.session)
            values = {column.key: getattr(first, column.key) for column in SignIn.__table__.columns}
            made = SignIn(**{**values, "id": uuid.uuid4(), "ended_at": None, "ended_because": None})
            session.add(made)
            session.flush()
            return made.id

    def _ended(self, token: str) -> str:
        session_id = parts().tokens.verify(token).actor.session_id
        with db.transaction() as session:
            end(session.get_one(SignIn, session_id), "test")
        pulse.read_now()
        return token

    def send(self, method: str, ask: Ask, caller: str) -> TestResponse:
        """Ask in a caller's name."""
        headers = dict(ask.headers)
        if ask.key is not None:
            headers["DPoP"] = proving.proof(ask.key, method, ISSUER + ask.path, now=clock.timestamp())
        if ask.raw is not None or ask.body is not None:
            headers["Content-Type"] = ask.media
        if method == "POST":
            headers["Idempotency-Key"] = secrets.token_urlsafe(12)
        till = self.tills.get(caller)
        if till is None and caller != "anonymous":
            headers["Authorization"] = f"Bearer {self.bearer(caller)}"
        answer = self.whole.send(method, ask.path, headers=headers, body=ask.content(), till=till)
        pulse.read_now()
        return answer


@pytest.fixture(scope="module")
def stage(ground: Any, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """The whole program with one of each caller."""
    database, cache = ground
    name = f"test_access_{uuid.uuid4().hex[:8]}"
    database.create_database(name, template=template)
    settings = settings_for(database, cache, name, Path(tmp_path_factory.mktemp("access")), CITYCARD_REDIS_URL=cache.url)
    with whole(settings) as made:
        yield _stage(made)
    database.drop_database(name)


def _stage(made: Whole) -> Stage:
    every_role = ("counter_clerk", "supervisor", "administrator")
    members = {
        "clerk": made.staff("counter_clerk"),
        "supervisor": made.staff("supervisor"),
        "administrator": made.staff("administrator"),
        "staff_elsewhere": made.staff(*every_role, city=LINHU),
    }
    shops = {"till_other": "buses", "till_elsewhere": "linhu-shop"}
    tills = {caller: made.till(shops.get(caller, "bun-shop")) for caller in CALLERS if caller.startswith("till")}
    with db.transaction():
        revocation.revoke(f"terminal:{tills['till_disabled'].id}")
    pulse.read_now()
    neighbour, stranger = made.resident(), made.resident(city=LINHU)
    made.give_card(neighbour, 10_000)
    made.give_card(stranger, 10_000)
    owner = made.resident()
    scopes = frozenset(str(scope) for scope in PartnerScope)
    partners = {
        caller: Actor(kind=ActorKind.PARTNER, id=admit(city, "library"), city_id=city, scopes=scopes, signed_in_at=clock.now())
        for caller, city in (("partner", YUNCHUAN), ("partner_elsewhere", LINHU))
    }
    scene = Scene(made, owner, tills["till"], partners["partner"].id)
    stage = Stage(made, scene, neighbour, stranger, members, tills, partners)
    stage.renew()
    return stage
