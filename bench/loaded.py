"""The program under load: a filled city, the web as it ships, signed-in tills, and requests made just before they are sent."""

import gc
import itertools
import json
import secrets
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from flask import Flask

import migrations
from bench import granian
from bench.books import offences
from bench.codes import Made, Phones
from bench.granian import Web
from bench.people import People, settle
from bench.settings import Installation
from bench.terminals import Session, Terminal, sign_in
from command.embedded import postgres, valkey
from config import settings
from core import db

HANDLES, POOR, TILLS, HOT_TILLS = 20_000, 5_000, 100, 16
AMOUNT_FEN = 100
WEB = "command.web"
TOKEN_LIFE = 300.0  # seconds after which tills sign in anew, well before their ten minutes are over


class BooksBroken(Exception):
    """The books contradict themselves after a run, so its rate means nothing."""


@dataclass(slots=True)
class Loaded:
    """A city that can be charged as fast as it answers."""

    installation: Installation
    people: People
    web: Web
    phones: Phones
    poor: Phones
    _sessions: dict[int, tuple[float, list[Session]]] = field(default_factory=dict)
    _app: Flask | None = None

    def sessions(self, tills: list[Terminal]) -> list[Session]:
        """Sessions of these tills that are good for the next minutes."""
        since, known = self._sessions.get(id(tills), (0.0, []))
        if time.monotonic() - since > TOKEN_LIFE or not known:
            known = [sign_in(self.web.url, self.installation.public_url, till) for till in tills]
            self._sessions[id(tills)] = (time.monotonic(), known)
        return known

    def charges(self, made: Iterable[Made], tills: list[Terminal]) -> list[bytes]:
        """One signed charge per code, tills in turn, each under a key of its own."""
        sessions, now = itertools.cycle(self.sessions(tills)), time.time()
        return [
            session.post("/api/charges", _charge(code), key=secrets.token_urlsafe(16), now=now)
            for code, session in zip(made, sessions, strict=False)
        ]

    def presentations(self, made: Iterable[Made]) -> list[bytes]:
        """One signed presentation per code, tills in turn."""
        sessions, now = itertools.cycle(self.sessions(self.people.terminals)), time.time()
        return [
            session.post("/api/presentations", json.dumps({"code": code.digits}).encode(), key=None, now=now)
            for code, session in zip(made, sessions, strict=False)
        ]

    def fresh(self, count: int) -> list[Made]:
        """Unused codes of residents with money; waits for the next half minute when this one has too few left."""
        return list(itertools.islice(self._fresh(self.phones, count), count))

    def fresh_of_poor(self, count: int) -> list[Made]:
        """Codes of residents without money; a refused charge does not consume its code, so they may come again."""
        some = list(itertools.islice(self._fresh(self.poor, min(count, POOR)), min(count, POOR)))
        return list(itertools.islice(itertools.cycle(some), count))

    def _fresh(self, phones: Phones, count: int) -> Iterator[Made]:
        while phones.left(time.time()) < count:
            time.sleep(0.5)
        return phones.fresh(time.time())

    def check(self) -> None:
        """Raises BooksBroken unless the books hold."""
        with psycopg.connect(self.installation.owner_database_url) as connection:
            if broken := offences(connection):
                raise BooksBroken("; ".join(broken))

    def app(self) -> Flask:
        """The application in this process, for what is measured without HTTP."""
        if self._app is None:
            from app import create_app

            self._app = create_app(settings.read(self.installation.environment()))
            gc.freeze()  # as command.web does before it serves
        return self._app

    def close(self) -> None:
        """Ends the web, and the connections of the application in this process."""
        granian.stop(self.web)
        if self._app is not None:
            with self._app.app_context():
                db.db.engine.dispose()
            db.drop_connection()


def _charge(code: Made) -> bytes:
    return json.dumps({"code": code.digits, "amount_fen": AMOUNT_FEN}).encode()


def load_city(home: Path, database: postgres.Server, cache: valkey.Server) -> Loaded:
    """Migrates, fills and serves a city over these servers; the caller stops its web."""
    installation = Installation(
        home=home,
        database_url=database.url(),
        owner_database_url=database.url(postgres.OWNER),
        redis_url=cache.url,
        public_url="http://localhost:8080",
        outside_url="http://127.0.0.1:9",
        outside_database_url=database.url(postgres.OUTSIDE, postgres.OUTSIDE_DATABASE),
        port=granian.free_port(),
    )
    migrations.upgrade(installation.owner_database_url)
    root_key = bytes.fromhex(installation.root_key)
    people = settle(installation.owner_database_url, root_key, handles=HANDLES, poor=POOR, terminals=TILLS, merchants=TILLS, hot=HOT_TILLS)
    return Loaded(
        installation, people, serve(installation, WEB, home / "web.log"),
        _phones(people, people.handles), _phones(people, people.poor),
    )  # fmt: skip


def serve(installation: Installation, module: str, log: Path) -> Web:
    """The web over this installation as `citycard run` starts it, or a stubbed one: a module that serves when it is run."""
    port = granian.free_port(installation.port)
    environment = installation.environment(port=str(port))
    del environment["CITYCARD_OWNER_DATABASE_URL"]
    return granian.start([sys.executable, "-m", module], port, log, environment)


def _phones(people: People, handles: range) -> Phones:
    return Phones(people.master, people.city_id, people.prefix, handles)
