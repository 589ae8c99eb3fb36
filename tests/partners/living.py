"""The provider at an address of its own, for software that nobody here wrote, and a resident who reads its pages with a plain browser."""

from __future__ import annotations

import html
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin

import requests
from werkzeug.serving import make_server

import auth
from core import db
from tests.auth.conftest import LINHU, YUNCHUAN, House, Phone

PORTS = range(18_200, 18_400)
PATIENCE = 20


def free_port(among: range = PORTS) -> int:
    """A port of this machine that nobody listens at."""
    for port in among:
        with closing(socket.socket()) as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return port
    raise RuntimeError("no port is free")


@contextmanager
def living(house: House) -> Iterator[str]:
    """The house at ``http://localhost:<port>``, which is its issuer then."""
    port = free_port()
    issuer = f"http://localhost:{port}"
    auth.install(issuer=issuer, cities={YUNCHUAN: "云川市", LINHU: "临湖市"}, sms=house.inbox, police=house.police)
    server = make_server("localhost", port, house.app)

    def serve() -> None:
        server.serve_forever()
        db.drop_connection()  # this thread's own

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield issuer
    finally:
        server.shutdown()
        thread.join(PATIENCE)
        server.server_close()


@dataclass
class Person:
    """A resident at a browser, with a phone in hand."""

    house: House
    phone: Phone = field(default_factory=Phone)
    browser: requests.Session = field(default_factory=requests.Session)

    def visit(self, url: str, back_to: str) -> str:
        """Go where a partner sends them, sign in by phone, consent, and give the address to which they are sent back."""
        answer = self.browser.get(url, allow_redirects=False, timeout=PATIENCE)
        for _ in range(20):
            if answer.is_redirect:
                to = urljoin(answer.url, answer.headers["Location"])
                if to.startswith(back_to):
                    return to
                answer = self.browser.get(to, allow_redirects=False, timeout=PATIENCE)
            else:
                assert answer.status_code == 200, answer.text
                answer = self._fill(answer)
        raise AssertionError("the pages lead nowhere")

    def _fill(self, page: requests.Response) -> requests.Response:
        forms = re.findall(r'<form method="post" action="([^"]+)">(.*?)</form>', page.text, re.S)
        action, form = forms[0]
        sent: dict[str, Any] = {
            html.unescape(name): html.unescape(value) for name, value in re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', form)
        }
        if 'name="phone" type="tel"' in form:
            sent["phone"] = self.phone.number
        if 'name="code"' in form:
            sent["code"] = self.house.inbox.code(self.phone.number)
        return self.browser.post(urljoin(page.url, action), data=sent, allow_redirects=False, timeout=PATIENCE)
