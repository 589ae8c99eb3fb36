"""LAN mode: an authority of this machine's own that can speak for local networks alone, and a door that passes on what is on its list."""

from __future__ import annotations

import http.client
import io
import ipaddress
import socket
import ssl
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from cryptography import x509
from werkzeug.test import Client

from command.embedded.errors import CannotStart
from command.home import ROOT, Home
from command.lan import door, open_to_lan
from command.lan.authority import Authority
from command.lan.certificate_page import CertificatePage
from command.ports import is_free
from command.run import run

HERE = ipaddress.IPv4Address("127.0.0.2")
HOST = "127.0.0.2:9"


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    made = Authority(tmp_path / "lan")
    made.prepare([HERE], ["box.local"])
    return made


def trusting(authority: Authority) -> ssl.SSLContext:
    """A client that trusts this authority and nobody else."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(str(authority.certificate))
    return context


def shake_hands(authority: Authority, name: str, *, context: ssl.SSLContext | None = None) -> None:
    """A TLS handshake in memory with the server's certificate, as a client that looks for `name`."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(authority.server_certificate, authority.server_key)
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = (context or trusting(authority)).wrap_bio(back, there, server_hostname=name)
    theirs = server.wrap_bio(there, back, server_side=True)
    for _ in range(3):
        for side in (ours, theirs):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue


@pytest.mark.parametrize("name", ["127.0.0.2", "box.local"])
def test_who_trusts_the_authority_trusts_the_server(authority: Authority, name: str) -> None:
    shake_hands(authority, name)


def test_who_does_not_trust_it_refuses(authority: Authority) -> None:
    with pytest.raises(ssl.SSLCertVerificationError, match="issuer"):
        shake_hands(authority, "127.0.0.2", context=ssl.create_default_context())


@pytest.mark.parametrize(("address", "name"), [("127.0.0.2", "bank.example"), ("203.0.113.7", "box.local")])
def test_a_stolen_key_cannot_speak_for_the_world(authority: Authority, address: str, name: str) -> None:
    authority.prepare([ipaddress.IPv4Address(address)], [name])
    with pytest.raises(ssl.SSLCertVerificationError, match="permitted subtree"):
        shake_hands(authority, name)


def test_the_keys_are_for_their_owner_alone(authority: Authority) -> None:
    assert stat.S_IMODE(authority.folder.stat().st_mode) == 0o700
    assert {path.name: stat.S_IMODE(path.stat().st_mode) for path in authority.folder.iterdir()} == dict.fromkeys(
        ("ca.key", "ca.crt", "server.key", "server.crt"), 0o600
    )


def test_the_authority_stays_and_the_server_is_certified_anew_for_another_address(authority: Authority) -> None:
    def now() -> list[bytes]:
        return [authority.certificate.read_bytes(), authority.server_certificate.read_bytes()]

    before = now()
    authority.prepare([HERE], ["box.local"])
    assert now() == before
    authority.prepare([ipaddress.IPv4Address("127.0.0.3")], [])
    assert now()[0] == before[0]
    assert now()[1] != before[1]
    shake_hands(authority, "127.0.0.3")


def test_a_broken_file_is_made_anew(authority: Authority) -> None:
    authority.server_certificate.write_text("nothing")
    authority.prepare([HERE], [])
    shake_hands(authority, "127.0.0.2")


@pytest.mark.parametrize("wanted", ["8.8.8.8", "0.0.0.0", "203.0.113.1", "card.example.com", "box", "10.255.254.253"])
def test_nothing_is_opened_but_an_address_of_this_machine_in_a_local_network(tmp_path: Path, wanted: str) -> None:
    released: list[Callable[[], None]] = []
    with pytest.raises(CannotStart):
        open_to_lan(Home(tmp_path), wanted, released.append)
    assert not (tmp_path / "lan").exists()


def test_lan_mode_is_never_for_production(tmp_path: Path) -> None:
    given = {"CITYCARD_ENVIRONMENT": "production", "CITYCARD_DATA_DIR": str(tmp_path)}
    said = CliRunner().invoke(run, ["--lan", "127.0.0.2"], env=given)
    assert said.exit_code == 1
    assert "never for production" in said.output
    assert not (tmp_path / "lan").exists()


class Upstream(BaseHTTPRequestHandler):
    """Answers with what it was asked, so that a test sees what was passed on."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        told = "\n".join(
            [f"{self.command} {self.path}", *(f"{name.lower()}: {value}" for name, value in self.headers.items()), body.decode()]
        )
        self.send_response(201)
        self.send_header("Set-Cookie", "a=1")
        self.send_header("Set-Cookie", "b=2")
        self.send_header("Content-Length", str(len(told.encode())))
        self.end_headers()
        self.wfile.write(told.encode())

    do_GET = do_POST  # noqa: N815  # the name that the library looks for

    def log_message(self, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def upstream() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Upstream) as server:
        serving = threading.Thread(target=server.serve_forever, args=(0.05,))
        serving.start()
        yield server.server_address[1]
        server.shutdown()
        serving.join()


@pytest.fixture
def platform(upstream: int) -> Iterator[Client]:
    made = door.platform(upstream, frozenset({HOST}))
    yield Client(made)
    made.pool.close()


def test_the_door_passes_on_what_came_but_not_who_somebody_claims_to_be(platform: Client) -> None:
    headers = {
        "Host": HOST,
        "DPoP": "proof",
        "X-Forwarded-For": "1.2.3.4",
        "Forwarded": "for=1.2.3.4",
        "X-Real-IP": "1.2.3.4",
        "TE": "trailers",
    }
    came = platform.post("/api/a%2Cb?c=%20d", headers=headers, data=b"body", content_type="text/plain")
    lines = came.text.splitlines()
    assert came.status_code == 201
    assert lines[0] == "POST /api/a,b?c=%20d"
    assert {f"host: {HOST}", "dpop: proof", "content-type: text/plain", "content-length: 4"} <= set(lines)
    assert lines[-1] == "body"
    assert "1.2.3.4" not in came.text
    assert "trailers" not in came.text
    assert came.headers.getlist("Set-Cookie") == ["a=1", "b=2"]


@pytest.mark.parametrize("path", ["/metrics", "/apix", "/api/../metrics/../../x", "/console", "/healthz"])
def test_the_platforms_door_has_a_list(platform: Client, path: str) -> None:
    came = platform.get(path, headers={"Host": HOST})
    assert came.status_code == 404 or came.text.startswith("GET /api/"), came.text


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/phones/19912345678", 201),
        ("/faces/abc", 201),
        ("/yunpay/pay/pay_1", 201),
        ("/static/style.css", 201),
        *((path, 404) for path in ("/", "/phones", "/phones/19912345678/messages", "/faults", "/faults/off", "/faults.json", "/health")),
        *((path, 404) for path in ("/sms/messages", "/yunpay/orders", "/static/../faults", "/faces/a/../../faults")),
    ],
)
def test_of_the_sandbox_a_phone_reaches_its_messages_its_payment_and_its_face(upstream: int, path: str, status: int) -> None:
    made = door.sandbox(upstream, frozenset({HOST}))
    assert Client(made).get(path, headers={"Host": HOST}).status_code == status
    made.pool.close()


def test_the_door_answers_to_its_own_names_alone(platform: Client) -> None:
    assert platform.get("/api/x", headers={"Host": "evil.example"}).status_code == 421


def test_the_door_takes_no_body_without_a_length_and_none_that_is_huge(platform: Client) -> None:
    chunked = {"Host": HOST, "Transfer-Encoding": "chunked"}
    assert platform.post("/api/x", headers=chunked, input_stream=io.BytesIO(b"x")).status_code == 411
    assert platform.post("/api/x", headers={"Host": HOST}, environ_overrides={"CONTENT_LENGTH": str(2**30)}).status_code == 413


@pytest.mark.parametrize("spoilt", [{"REQUEST_METHOD": "GE\x01T"}, {"HTTP_BAD:NAME": "x"}])
def test_what_no_request_may_carry_is_a_bad_request(platform: Client, spoilt: dict[str, str]) -> None:
    assert platform.get("/api/x", headers={"Host": HOST}, environ_overrides=spoilt).status_code == 400


def test_a_body_that_does_not_come_is_not_waited_for_without_end(upstream: int) -> None:
    made = door.Door(upstream, door.PLATFORM, frozenset({HOST}), body_seconds=0.05)
    there, here = socket.socketpair()
    with there, here, here.makefile("rb") as stalled:
        environ = {"CONTENT_LENGTH": "4", "wsgi.input": stalled}
        assert Client(made).post("/api/x", headers={"Host": HOST}, environ_overrides=environ).status_code == 408
        there.close()
        # The reader ends with the connection and gives its place back.
        for _ in range(door.BODIES):
            assert made.reading.acquire(timeout=10)
    made.pool.close()


def test_nobody_behind_the_door_is_a_bad_gateway() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: nobody else can have it
        made = door.platform(taken.getsockname()[1], frozenset({HOST}))
        assert Client(made).get("/api/x", headers={"Host": HOST}).status_code == 502
        made.pool.close()


def test_the_certificate_is_handed_out_with_its_meaning_in_both_languages_and_the_key_never(authority: Authority) -> None:
    client = Client(CertificatePage(authority, "https://127.0.0.2:8443", frozenset({HOST})))
    page = client.get("/", headers={"Host": HOST}).text
    for words in ("它意味着什么", "What it means", authority.fingerprint(), "https://127.0.0.2:8443/app/"):
        assert words in page
    der = client.get("/citycard-ca.crt", headers={"Host": HOST})
    assert der.headers["Content-Type"] == "application/x-x509-ca-cert"
    assert x509.load_der_x509_certificate(der.data) == x509.load_pem_x509_certificate(authority.certificate.read_bytes())
    for path in ("/ca.key", "/server.key", "/../ca.key", "/citycard-ca.crt/../ca.key"):
        assert client.get(path, headers={"Host": HOST}).status_code == 404
    assert client.get("/", headers={"Host": "evil.example"}).status_code == 404


def test_a_client_that_trusts_the_authority_alone_comes_through_the_served_door(authority: Authority, upstream: int) -> None:
    port = next(each for each in range(28_443, 28_543) if is_free("127.0.0.2", each))
    words = ["platform", "127.0.0.2", "box.local", str(port), str(authority.folder), str(upstream)]
    with subprocess.Popen([sys.executable, "-m", "command.lan.serving", *words], cwd=ROOT) as served:
        try:
            came = ask(authority, port, "/api/installation", served)
            assert came.startswith("GET /api/installation\n")
            assert ask(authority, port, "/api/x", served, body=b"said").endswith("\nsaid")
            assert f"host: 127.0.0.2:{port}\n" in came
            assert is_free("127.0.0.1", port), "no other address is listened on"
        finally:
            served.terminate()
            served.wait(20)


def ask(authority: Authority, port: int, path: str, served: subprocess.Popen[bytes], *, body: bytes | None = None) -> str:
    """What the served door answers over TLS, once it is there."""
    while served.poll() is None:
        line = http.client.HTTPSConnection("127.0.0.2", port, timeout=20, context=trusting(authority))
        try:
            line.request("POST" if body else "GET", path, body)
            return line.getresponse().read().decode()
        except ConnectionRefusedError:
            time.sleep(0.1)
        finally:
            line.close()
    raise AssertionError("the door ended")
