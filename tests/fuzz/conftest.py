"""The whole program as Schemathesis calls it: every caller of the document signed in, tills signing, things of two residents at hand."""

from __future__ import annotations

import io
import itertools
import random
import re
import secrets
import uuid
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
import schemathesis
from schemathesis.config import GenerationConfig, ProjectConfig, ProjectsConfig, SchemathesisConfig

from auth import parts
from auth.models import SignIn
from core import db, http_signatures, ids
from tests.access import asking_money as asking_money
from tests.access import asking_sign_in as asking_sign_in
from tests.access import asking_staff as asking_staff
from tests.access.asking import ASKED, Scene
from tests.access.asking_partners import admit
from tests.access.whole import YUNCHUAN, Person, Till, Whole, whole
from tests.conftest import settings_for

SHOWN = re.compile(r"\b([a-z]+(?:_[a-z]+)?)_[0-7][0-9a-hjkmnp-tv-z]{25}\b")
# Operations after which a session or a device is gone.
ENDING = {"signOut", "signOutEverywhere", "endSession", "removeDevice", "signOutAtCounter"}
# Every so many requests two new residents come: cards are lost, sessions ended and wallets emptied on the way.
LIFE = 400


@dataclass
class Fuzzed:
    """The program and who calls it; ``things`` are ids seen in the answers to each resident."""

    whole: Whole
    till: Till
    staff: dict[str, uuid.UUID]
    partner: uuid.UUID
    chance: random.Random = field(default_factory=lambda: random.Random(20260101))
    pair: list[Person] = field(default_factory=list)
    things: dict[uuid.UUID, dict[str, set[str]]] = field(default_factory=dict)
    calls: int = 0
    reads: int = 0

    def __post_init__(self) -> None:
        """Let the first two move in, and tell them apart from there on."""
        self.turn = itertools.cycle((0, 1))
        self.move_in()

    def move_in(self) -> None:
        """Two residents with one of everything, and a till whose ten minutes begin anew."""
        self.till.sign_in()
        self.pair = [self.whole.resident() for _ in range(2)]
        for person in self.pair:
            self.whole.give_card(person, 50_000)
            self.things[person.id] = {}
            scene = Scene(self.whole, person, self.till, self.partner)
            for operation in ("getTopUp", "readFile", "readNotice", "getReceipt", "getCharge", "finishFaceCheck", "decideSignIn"):
                self.see(person, ASKED[operation](scene).path)
            assert person.card is not None
            own = {"card": person.card, "device": person.device, "session": person.session, "resident": person.id}
            self.see(person, " ".join(ids.show(prefix, identity) for prefix, identity in own.items()))

    def see(self, person: Person, text: str) -> None:
        """Remember what was shown to somebody."""
        for found in SHOWN.finditer(text):
            self.things[person.id].setdefault(found[1], set()).add(found[0])

    def bearer(self, kinds: Iterable[str], operation: str) -> tuple[str, Person | None]:
        """A token of one of these kinds of callers, and the resident it belongs to."""
        self.calls += 1
        if self.calls % LIFE == 0:
            self.move_in()
        kind = self.chance.choice(sorted(kinds))
        if kind == "terminal":
            return self.till.token, None
        if kind == "staff":
            role = self.chance.choice(sorted(self.staff))
            return self.whole.staff_token(self.staff[role]), None
        person = self.pair[next(self.turn)]
        return self.token(person, operation), person

    def token(self, person: Person, operation: str) -> str:
        """A token of a resident, of a session and device of its own where the operation may end them."""
        if operation == "signOutEverywhere":
            self.calls = -1  # their sessions are gone after this: the next request comes from two new ones
        if operation not in ENDING:
            return parts().tokens.issue(person.actor).access_token
        with db.transaction() as session:
            first = session.get_one(SignIn, person.session)
            values = {column.key: getattr(first, column.key) for column in SignIn.__table__.columns}
            made = SignIn(**{**values, "id": ids.new_id(), "ended_at": None, "ended_because": None})
            session.add(made)
            session.flush()
            session_id = made.id
        return parts().tokens.issue(replace(person.actor, session_id=session_id, device_id=None)).access_token

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        """The program as a WSGI application: requests come from networks of their own, and the till's are signed."""
        environ["REMOTE_ADDR"] = f"10.{secrets.randbelow(250)}.{secrets.randbelow(250)}.{secrets.randbelow(250)}"
        if environ.get("HTTP_AUTHORIZATION") == f"Bearer {self.till.token}":
            body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            environ["wsgi.input"] = io.BytesIO(body)
            headers = {"authorization": environ["HTTP_AUTHORIZATION"]}
            if "HTTP_IDEMPOTENCY_KEY" in environ:
                headers["idempotency-key"] = environ["HTTP_IDEMPOTENCY_KEY"]
            path = environ["PATH_INFO"].encode("latin-1").decode("utf-8", "replace")
            with suppress(http_signatures.SignatureRefused):
                # What cannot be signed goes out unsigned.
                signed = self.till.sign(environ["REQUEST_METHOD"], path, environ.get("QUERY_STRING", ""), headers, body)
                environ |= {"HTTP_" + name.upper().replace("-", "_"): value for name, value in signed.items()}
        return self.whole.app.wsgi_app(environ, start_response)


@pytest.fixture(scope="module")
def fuzzed(ground: Any, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fuzzed]:
    """The whole program over a database of this module's own."""
    database, cache = ground
    name = f"test_fuzz_{uuid.uuid4().hex[:8]}"
    database.create_database(name, template=template)
    with whole(settings_for(database, cache, name, tmp_path_factory.mktemp("fuzz"))) as made:
        till = made.till("bun-shop")
        roles = ("counter_clerk", "supervisor", "administrator")
        yield Fuzzed(made, till, {role: made.staff(role) for role in roles}, admit(YUNCHUAN, "library"))
    database.drop_database(name)


def document(fuzzed: Fuzzed, examples: int) -> Any:
    """The API document as Schemathesis reads it from the running program."""
    generation = GenerationConfig(max_examples=examples, deterministic=True, with_security_parameters=False, database="none")
    projects = ProjectsConfig(default=ProjectConfig(generation=generation))
    return schemathesis.openapi.from_wsgi("/openapi.json", fuzzed, config=SchemathesisConfig(projects=projects))


@pytest.fixture(scope="module")
def api(fuzzed: Fuzzed) -> Any:
    """The document, a few examples an operation."""
    return document(fuzzed, 12)


@pytest.fixture(scope="module")
def api_at_length(fuzzed: Fuzzed) -> Any:
    """The document, many examples an operation."""
    return document(fuzzed, 400)


@pytest.fixture(autouse=True)
def _node_id(request: pytest.FixtureRequest) -> None:
    """Schemathesis 4.32 reads an attribute of test nodes that newer releases of pytest keep under another name."""
    if not hasattr(request.node, "_nodeid"):
        request.node._nodeid = request.node.nodeid
