"""The page that hands a phone the certificate and says, in both languages, what it means and how to be rid of it."""

from __future__ import annotations

import html
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

from command.lan.authority import Authority

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

PAGE = Template((Path(__file__).parent / "certificate.html").read_text(encoding="utf-8"))
HEADERS = [
    (
        "Content-Security-Policy",
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Cache-Control", "no-store"),
]


@dataclass(frozen=True, slots=True)
class CertificatePage:
    """A WSGI application of two addresses: the page, and the certificate."""

    authority: Authority
    app_url: str
    hosts: frozenset[str]

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = (
            environ.get("PATH_INFO", "") if environ.get("HTTP_HOST") in self.hosts and environ["REQUEST_METHOD"] in ("GET", "HEAD") else ""
        )
        if path == "/":
            shown = {"fingerprint": self.authority.fingerprint(), "app": f"{self.app_url}/app/"}
            text = PAGE.substitute({name: html.escape(value) for name, value in shown.items()})
            start_response("200 OK", [("Content-Type", "text/html; charset=utf-8"), *HEADERS])
            return [text.encode()]
        if path == "/citycard-ca.crt":
            named = ("Content-Disposition", 'attachment; filename="citycard-ca.crt"')
            start_response("200 OK", [("Content-Type", "application/x-x509-ca-cert"), named, *HEADERS])
            return [self.authority.der()]
        start_response("404 Not Found", [("Content-Type", "text/plain"), *HEADERS])
        return [b"404"]
