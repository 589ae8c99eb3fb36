"""The same passkeys in a real browser: Chromium's own virtual authenticator makes and uses one over our JSON (CDP over a pipe)."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from werkzeug.serving import make_server

import auth
from tests.auth.conftest import House, Phone
from tests.auth.test_passkeys import ADD, ask, enter, options, strong

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome") or ""
pytestmark = [pytest.mark.full, pytest.mark.skipif(not CHROMIUM, reason="no Chromium on this machine")]
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
)
# Through numbers above both, because either may be 3 or 4 already.
PLACE = (
    "import fcntl, os, sys; high = [fcntl.fcntl(int(fd), fcntl.F_DUPFD, 10) for fd in sys.argv[1:3]];"
    "os.dup2(high[0], 3); os.dup2(high[1], 4); os.execv(sys.argv[3], sys.argv[3:])"
)
AUTHENTICATOR = {
    "protocol": "ctap2",
    "ctap2Version": "ctap2_1",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}
CREATE = "navigator.credentials.create({publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(%s)}).then(c => c.toJSON())"
GET = "navigator.credentials.get({publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(%s)}).then(c => c.toJSON())"


@dataclass
class Browser:
    """One page of one Chromium, spoken to over its pipe."""

    out: Any
    back: Any
    page: str = ""
    count: int = 0

    def say(self, method: str, **params: Any) -> dict[str, Any]:
        """One command, and its result."""
        self.count += 1
        message = {"id": self.count, "method": method, "params": params, **({"sessionId": self.page} if self.page else {})}
        self.out.write(json.dumps(message).encode() + b"\0")
        self.out.flush()
        while True:
            told = json.loads(self._next())
            if told.get("id") == self.count:
                assert "error" not in told, told
                return dict(told["result"])

    def run(self, script: str) -> dict[str, Any]:
        """What a script promises; a rejection's text under ``rejected``."""
        done = self.say("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True, userGesture=True)
        if "exceptionDetails" in done:
            return {"rejected": done["exceptionDetails"]["exception"]["description"]}
        return dict(done["result"]["value"])

    def _next(self) -> bytes:
        told = bytearray()
        while (byte := self.back.read(1)) != b"\0":
            assert byte, "Chromium has gone"
            told += byte
        return bytes(told)


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    """Chromium with an authenticator in it, its pipe on the descriptors 3 and 4 as it wants them."""
    theirs_in, ours_out = os.pipe()
    ours_in, theirs_out = os.pipe()
    arguments = (*FLAGS, f"--user-data-dir={tmp_path}", "--remote-debugging-pipe", "about:blank")
    start = [sys.executable, "-c", PLACE, str(theirs_in), str(theirs_out), CHROMIUM, *arguments]
    with (tmp_path / "log").open("wb") as log:
        chromium = subprocess.Popen(start, pass_fds=(theirs_in, theirs_out), stderr=log, stdout=log)
    os.close(theirs_in)
    os.close(theirs_out)
    with os.fdopen(ours_out, "wb") as out, os.fdopen(ours_in, "rb", buffering=0) as back:
        made = Browser(out, back)
        target = made.say("Target.createTarget", url="about:blank")["targetId"]
        made.page = made.say("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        yield made
    # It ends by itself when nobody holds its pipe any more.
    chromium.wait(20)


@pytest.fixture
def served(house: House) -> Iterator[str]:
    """Any page under a name, for the browser to stand on."""
    blank = Flask("blank")
    blank.add_url_rule("/", view_func=lambda: "<!doctype html>")
    server = make_server("127.0.0.1", 0, blank)
    address = f"http://localhost:{server.port}"
    auth.install(issuer=address, cities={990100: "云川市"}, sms=house.inbox, police=house.police, origins=("http://localhost:8080",))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield address
    server.shutdown()
    server.server_close()


def test_a_browser_makes_a_passkey_and_signs_in_with_it(house: House, served: str, browser: Browser) -> None:
    _, token = strong(house)
    browser.say("WebAuthn.enable", enableUI=False)
    held = browser.say("WebAuthn.addVirtualAuthenticator", options=AUTHENTICATOR)["authenticatorId"]
    browser.say("Page.navigate", url=served)
    made = browser.run(CREATE % json.dumps(options(house, token)["public_key"]))
    answer = house.post(ADD, {"name": "Chromium", "credential": made}, token=token)
    assert answer.status_code == 201, (answer.text, made)
    twice = browser.run(CREATE % json.dumps(options(house, token)["public_key"]))
    assert "InvalidStateError" in twice["rejected"]
    for _ in range(2):
        phone = Phone()
        entered = enter(house, phone, browser.run(GET % json.dumps(ask(house, phone)["public_key"])))
        assert (entered.status_code, entered.json["strength"]) == (201, 3), entered.text
    browser.say("WebAuthn.setUserVerified", authenticatorId=held, isUserVerified=False)
    refused = browser.run(GET % json.dumps(ask(house, Phone())["public_key"]))
    assert "NotAllowedError" in refused["rejected"]
