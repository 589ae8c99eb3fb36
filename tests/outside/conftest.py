"""The outside world, served over real HTTP on this machine, and a platform's ear for its notices."""

from __future__ import annotations

import datetime as dt
import json
import secrets
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import urllib3
from cryptography.hazmat.primitives.asymmetric import ec
from flask import Flask
from werkzeug import Request as WsgiRequest
from werkzeug import Response
from werkzeug.serving import BaseWSGIServer, make_server

from auth.verification.police import HttpPoliceRegister
from command.embedded import postgres
from core.gateway import Breaker, Gateway, HttpTransport, Limits, PeerKeys
from core.http_signatures import EcdsaPublicKey, EcdsaSigner
from outside import faults
from outside.app import create_app, start_messenger
from outside.settings import Settings
from outside.world import World
from payments.providers import YunPay
from services.offices.utilities import Company, Customer, Reading, enter
from services.tariffs import Terms, Tier

WANG = ("王晓明", "990103199003070015")
LI = ("李秀英", "990103195205040024")
WATER = Company("990100-water", "m3", (Terms(start=dt.date(2020, 1, 1), tiers=(Tier(180, 28_500), Tier(300, 42_750), Tier(None, 85_500))),))
ACCOUNT = Customer("990100-water", "1010000011", "王晓明", "云川市桥东区河湾街道1号1幢302室", 3, "M1")
SIGNER = EcdsaSigner("gateway-test", ec.generate_private_key(ec.SECP256R1()))


def free_port() -> int:
    """A port below the range from which the system gives out its own."""
    while True:
        port = 20_000 + secrets.randbelow(12_000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


@dataclass
class Ear:
    """What the platform heard: each notice with its headers and raw body; answers `status`."""

    status: int = 204
    heard: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    _news: threading.Condition = field(default_factory=threading.Condition)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        request = WsgiRequest(environ)
        with self._news:
            headers = {name.lower(): value for name, value in request.headers.items()}
            self.heard.append((headers, request.get_data()))
            self._news.notify_all()
        return Response(status=self.status)(environ, start_response)

    def wait(self, count: int, seconds: float = 10) -> list[dict[str, Any]]:
        """The bodies, once `count` notices came."""
        with self._news:
            assert self._news.wait_for(lambda: len(self.heard) >= count, seconds), f"only {len(self.heard)} notices came"
            return [json.loads(body) for _, body in self.heard]


@dataclass
class Outside:
    """The running process as a test sees it."""

    app: Flask
    url: str
    ear: Ear
    platform_url: str
    ahead: dt.timedelta = dt.timedelta()
    pool: urllib3.PoolManager = field(default_factory=lambda: urllib3.PoolManager(retries=False))

    @property
    def world(self) -> World:
        found: World = self.app.extensions["outside"]
        return found

    def now(self) -> dt.datetime:
        return dt.datetime.now(dt.UTC) + self.ahead

    def gateway(self, name: str, **changes: Any) -> Gateway:
        given: dict[str, Any] = {
            "signer": lambda: SIGNER,
            "peer_keys": PeerKeys(f"{self.url}/.well-known/jwks.json", prefix=f"{name}-"),
            "transport": HttpTransport(),
            "breaker": Breaker(failures=100),
            "limits": Limits(total=5),
            "wall_clock": lambda: self.now().timestamp(),
            **changes,
        }
        return Gateway(name=name, base_url=self.url, **given)

    def police(self) -> HttpPoliceRegister:
        return HttpPoliceRegister(self.gateway("police"))

    def yunpay(self, **changes: Any) -> YunPay:
        gateway = self.gateway("yunpay", **changes)
        notify = f"{self.platform_url}/api/callbacks/payments/yunpay"
        keys = PeerKeys(f"{self.url}/.well-known/jwks.json", prefix="yunpay-")
        return YunPay(gateway=gateway, merchant="M990100", notify_url=notify, peer_keys=keys, wall_clock=lambda: self.now().timestamp())

    def fault(self, place: str, kind: str, **how: Any) -> None:
        with self.app.app_context():
            faults.switch_on(place, kind, **how)

    def get(self, path: str, **headers: str) -> urllib3.BaseHTTPResponse:
        return self.pool.request("GET", self.url + path, headers=headers, redirect=False)

    def post(self, path: str, fields: dict[str, str], **headers: str) -> urllib3.BaseHTTPResponse:
        given = {"Accept": "application/json", **headers}
        return self.pool.request("POST", path, fields=fields, headers=given, encode_multipart=False, redirect=False)


def serve(app: Any, port: int) -> BaseWSGIServer:
    server = make_server("127.0.0.1", port, app, threaded=True)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    return server


@pytest.fixture(scope="session")
def _outside(ground: tuple[postgres.Server, Any], tmp_path_factory: Any) -> Iterator[Outside]:
    """One process' worth of the outside world for all tests of the session."""
    database, _ = ground
    port, platform_port, ear = free_port(), free_port(), Ear()
    data: Path = tmp_path_factory.mktemp("outside")
    settings = Settings(
        database_url=database.url(postgres.OUTSIDE, postgres.OUTSIDE_DATABASE),
        data=data,
        port=port,
        platform_url=f"http://127.0.0.1:{platform_port}",
        url=f"http://127.0.0.1:{port}",
    )
    people = {number: name for name, number in (WANG, LI)}
    keys = {SIGNER.keyid: EcdsaPublicKey(SIGNER.private.public_key())}
    app = create_app(settings, people, companies={WATER.code: WATER}, platform_keys=keys)
    found = Outside(app, settings.url, ear, settings.platform_url)
    found.world.now = found.now
    today = found.now().date()
    months = [dt.date(today.year - 1 + nth // 12, nth % 12 + 1, 1) for nth in range(12 + today.month)]
    enter(found.world.pool, [ACCOUNT], [Reading(WATER.code, ACCOUNT.account, day, 100 + 20 * nth) for nth, day in enumerate(months)])
    messenger = start_messenger(app)
    servers = [serve(app, port), serve(ear, platform_port)]
    yield found
    for server in servers:
        server.shutdown()
        server.server_close()
    messenger.stop()
    found.pool.clear()
    found.world.pool.close()


@pytest.fixture
def outside(_outside: Outside) -> Outside:
    """The outside world as on its first day: no message, no order, no fault, the right time."""
    with _outside.world.pool.connection() as connection:
        connection.execute("TRUNCATE message, face_check, pay_refund, pay_order, notice, fault, nonce_seen, utility_payment")
    _outside.ahead = dt.timedelta()
    _outside.ear.status = 204
    _outside.ear.heard.clear()
    return _outside
