"""A partner's program: it proves itself by its own key, asks in its own name, and hears what it is told at an address of its own."""

from __future__ import annotations

import base64
import hmac
import http.server
import json
import threading
import time
from typing import Any
from urllib.parse import urlencode

from command.story import proving
from command.story.wire import Answer, Unexpected, Wire

ENDPOINTS = "/api/partner/webhook-endpoints"
BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
OLDEST_SECONDS = 300


class System:
    """One partner, by its client id and private key."""

    def __init__(self, wire: Wire, *, client_id: str, key: proving.PrivateKey, issuer: str) -> None:
        self.wire, self.client_id, self.key, self.issuer, self.token = wire, client_id, key, issuer, ""

    def sign_in(self, *scopes: str, now: float) -> dict[str, Any]:
        """Take a token of ten minutes for a statement signed with the partner's key (RFC 7523, client credentials)."""
        asked = {
            "grant_type": "client_credentials",
            "scope": " ".join(scopes),
            "client_assertion_type": BEARER,
            "client_assertion": proving.client_assertion(self.key, self.client_id, self.issuer, now=now),
        }
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        answer = self.wire.send("POST", "/oauth2/token", body=urlencode(asked).encode(), headers=headers)
        if answer.status != 200:
            raise Unexpected("POST", "/oauth2/token", answer)
        given: dict[str, Any] = answer.body
        self.token = given["access_token"]
        return given

    def ask(self, method: str, path: str, body: Any = None) -> Answer:
        """A request in the partner's name, whatever comes of it."""
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        return self.wire.send(method, path, body=b"" if body is None else json.dumps(body).encode(), headers=headers)

    def do(self, method: str, path: str, body: Any = None) -> Any:
        """A request that must succeed."""
        answer = self.ask(method, path, body)
        if answer.status >= 400:
            raise Unexpected(method, path, answer)
        return answer.body


class Ear(http.server.ThreadingHTTPServer):
    """Where a partner's program is told: it keeps what is signed with its secret (Standard Webhooks 1.0) and refuses all else."""

    daemon_threads = True

    def __init__(self, system: System, *events: str) -> None:
        super().__init__(("127.0.0.1", 0), _Heard)
        self.heard: list[dict[str, Any]] = []
        self.refused = 0
        self.ahead = 0.0
        self.system = system
        self.url = f"http://127.0.0.1:{self.server_port}/citycard"
        self.secret, self.endpoint = b"", ""
        self._thread = threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        try:
            self._register(events)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Take the endpoint back and listen no more."""
        try:
            if self.endpoint:
                self.system.ask("DELETE", f"{ENDPOINTS}/{self.endpoint}")
        finally:
            self.shutdown()
            self._thread.join()
            self.server_close()

    def genuine(self, headers: dict[str, str], body: bytes) -> bool:
        """Whether the platform signed this, with the secret that we share, within the last minutes."""
        said = {name.lower(): value for name, value in headers.items()}
        identity, at = said.get("webhook-id", ""), said.get("webhook-timestamp", "")
        mac = hmac.digest(self.secret, f"{identity}.{at}.".encode() + body, "sha256")
        right = "v1," + base64.b64encode(mac).decode()
        fitting = [each for each in said.get("webhook-signature", "").split() if hmac.compare_digest(each, right)]
        return bool(fitting) and at.isdecimal() and abs(time.time() + self.ahead - int(at)) <= OLDEST_SECONDS

    def _register(self, events: tuple[str, ...]) -> None:
        for left in self.system.do("GET", ENDPOINTS)["items"]:
            if left["url"].startswith("http://127.0.0.1:"):  # of a walk that was killed
                self.system.do("DELETE", f"{ENDPOINTS}/{left['id']}")
        made = self.system.do("POST", ENDPOINTS, {"url": self.url, "events": list(events)})
        self.endpoint = made["endpoint"]["id"]
        self.secret = base64.b64decode(made["secret"].removeprefix("whsec_"))


class _Heard(http.server.BaseHTTPRequestHandler):
    """One message."""

    server: Ear

    def do_POST(self) -> None:
        """Keep a genuine message once, whatever how often it comes."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        genuine = self.server.genuine(dict(self.headers), body)
        if genuine:
            event = json.loads(body)
            if event["id"] not in [each["id"] for each in self.server.heard]:
                self.server.heard.append(event)
        else:
            self.server.refused += 1
        self.send_response(204 if genuine else 401)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Nothing: the story tells."""
