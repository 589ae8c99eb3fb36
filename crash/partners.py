"""Registers a partner and prints its id and an access token: `python -m crash.partners`; the rest is the partner's endpoint."""

import base64
import hashlib
import hmac
import json
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import UUID

import psycopg
from cryptography.hazmat.primitives.asymmetric import ec
from jwt import get_algorithm_by_name

import auth
from auth.partners import registering
from auth.partners.registering import PurposeText, Registration
from bench.granian import ROOT
from bench.settings import CITY, Installation
from command.embedded import postgres
from command.web import application
from config import cities
from core import db, ids
from core.actors import Actor, ActorKind, system
from crash.calling import Caller
from crash.consents import GRANTED, PURPOSE, WITHDRAWN
from crash.record import Record

SCOPE = "webhooks:manage"
REFUSES, FORGETS = 40, 4  # of 256 events: how many are answered 503 at first, and after how many the line is cut


def main() -> None:
    """Registers and prints."""
    city_id = cities.load(CITY).facts.id
    public = get_algorithm_by_name("ES256").to_jwk(ec.generate_private_key(ec.SECP256R1()).public_key(), as_dict=True)
    key = {**{name: public[name] for name in ("kty", "crv", "x", "y")}, "kid": "one"}
    with application().app_context():
        with db.transaction():
            purpose = PurposeText(code=PURPOSE, zh="借书", en="Borrow books", fields=("age_band",))
            wanted = Registration(
                code="library", zh="图书馆", en="Library", agency_id=ids.new_id(), scopes=(SCOPE,), keys=[key], purposes=(purpose,)
            )
            partner = registering.register(system("crash", city_id), city_id, wanted).id
        token = auth.parts().tokens.issue(Actor(kind=ActorKind.PARTNER, id=partner, city_id=city_id, scopes=frozenset({SCOPE})))
        print(json.dumps({"id": str(partner), "token": token.access_token}))


def registered(installation: Installation) -> tuple[UUID, str]:
    """A partner of the city and its token; made by the program itself, in a process of its own."""
    environment = installation.environment(database_url=installation.owner_database_url.replace(postgres.OWNER, postgres.APP, 1))
    words = [sys.executable, "-m", "crash.partners"]
    done = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"no partner: {done.stderr[-2000:]}")
    made = json.loads(done.stdout)
    return UUID(made["id"]), made["token"]


class Endpoint:
    """A partner's endpoint on this machine: takes what is signed, once for each id; refuses some at first, takes some in silence."""

    def __init__(self, owner_url: str, record: Record) -> None:
        self.owner_url, self.record = owner_url, record
        self.secret = b""
        self._met: set[str] = set()
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _door(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, name="endpoint", daemon=True)
        self._thread.start()

    def subscribe(self, installation: Installation, token: str) -> None:
        """Asks the platform to tell of consents."""
        url = f"http://127.0.0.1:{self._server.server_address[1]}/events"
        headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
        body = json.dumps({"url": url, "events": [GRANTED, WITHDRAWN]}).encode()
        caller = Caller(("127.0.0.1", installation.port))
        answer = caller.send("POST", "/api/partner/webhook-endpoints", body, headers)
        caller.close()
        if answer.status != 201:
            raise RuntimeError(f"no endpoint: {answer.status} {answer.body}")
        self.secret = base64.b64decode(answer.body["secret"].removeprefix("whsec_"))

    def stop(self) -> None:
        """Hears nothing any more."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)

    def take(self, identity: str, timestamp: str, signature: str, body: bytes) -> int | None:
        """The status of the answer, or None for a line that is cut after the event was taken."""
        if not self._signed(identity, timestamp, signature, body):
            self.record.contradict(f"event {identity} came with a wrong signature")
            return 400
        with self._lock:
            first = identity not in self._met
            self._met.add(identity)
        if first:
            self._must_be_committed(identity)
        lot = hashlib.sha256(identity.encode()).digest()[0]
        if first and lot < REFUSES:
            return 503
        self.record.hear(identity, body)
        return None if first and lot < REFUSES + FORGETS else 204

    def _signed(self, identity: str, timestamp: str, signature: str, body: bytes) -> bool:
        mac = hmac.digest(self.secret, f"{identity}.{timestamp}.".encode() + body, "sha256")
        return any(hmac.compare_digest(each, "v1," + base64.b64encode(mac).decode()) for each in signature.split(" "))

    def _must_be_committed(self, identity: str) -> None:
        """What is told is in the books at this very moment, for everybody to see; nothing is said while PostgreSQL is away."""
        try:
            with psycopg.connect(self.owner_url, autocommit=True, connect_timeout=2) as books:
                found = books.execute("SELECT FROM webhook_delivery WHERE id = %s", (ids.parse("delivery", identity),)).fetchone()
        except psycopg.OperationalError:
            return
        if found is None:
            self.record.contradict(f"event {identity} was told before it was committed")


def _door(endpoint: Endpoint) -> type[BaseHTTPRequestHandler]:
    class Door(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            identity, timestamp, signature = (self.headers.get(f"webhook-{name}") or "" for name in ("id", "timestamp", "signature"))
            status = endpoint.take(identity, timestamp, signature, body)
            if status is None:
                self.close_connection = True
                return
            self.send_response(status)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_words: Any) -> None:
            """Says nothing."""

    return Door


if __name__ == "__main__":
    main()
