"""The door to the local network: passes on what is on its list to a process that listens on this machine alone, and nothing else."""

from __future__ import annotations

import queue
import re
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from http.client import HTTPException, InvalidURL
from typing import TYPE_CHECKING
from urllib.parse import quote

import urllib3

if TYPE_CHECKING:
    from _typeshed.wsgi import InputStream, StartResponse, WSGIEnvironment

LARGEST = 12 * 2**20
# Bodies waited for at the same time, those given up among them: their readers end with their connections.
BODIES = 64
PATIENCE = urllib3.Timeout(connect=5, read=60)
# Between two neighbours alone (RFC 9110, 7.6.1); and who a caller says it speaks for is not believed.
NEIGHBOURS = {"connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer", "transfer-encoding", "upgrade"}
HEARSAY = re.compile(r"forwarded|x-forwarded-.*|x-real-ip")
PLATFORM = re.compile(r"/|/(?:app|desk|api|oauth2|\.well-known)(?:/.*)?|/openapi\.json|/healthz/(?:live|ready)")
# What a resident meets in the story: their own messages, the payment page, the face check. The fault switch and the agencies stay inside.
SANDBOX = re.compile(r"/phones/1[3-9][0-9]{9}|/faces/[^/]+(?:/tokens/[^/]+)?|/yunpay/pay/[^/]+|/static/[a-z0-9_.-]+")


@dataclass(frozen=True, slots=True)
class Door:
    """A WSGI application: only for its own names, only for paths of its list."""

    port: int
    allowed: re.Pattern[str]
    hosts: frozenset[str]
    body_seconds: float = 20.0
    pool: urllib3.HTTPConnectionPool = field(init=False)
    reading: threading.BoundedSemaphore = field(init=False, default_factory=lambda: threading.BoundedSemaphore(BODIES))

    def __post_init__(self) -> None:
        pool = urllib3.HTTPConnectionPool("127.0.0.1", self.port, maxsize=32, timeout=PATIENCE, retries=False)
        object.__setattr__(self, "pool", pool)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        length = environ.get("CONTENT_LENGTH") or "0"
        if environ.get("HTTP_HOST") not in self.hosts:
            return _refuse(start_response, "421 Misdirected Request")
        if not self.allowed.fullmatch(path):
            return _refuse(start_response, "404 Not Found")
        if not length.isascii() or not length.isdigit() or "HTTP_TRANSFER_ENCODING" in environ:
            return _refuse(start_response, "411 Length Required")
        if int(length) > LARGEST:
            return _refuse(start_response, "413 Content Too Large")
        body = self._body(environ["wsgi.input"], int(length))
        if body is None:
            return _refuse(start_response, "408 Request Timeout")
        return self._pass_on(environ, path, body, start_response)

    def _body(self, incoming: InputStream, length: int) -> bytes | None:
        """The whole body within `body_seconds`, or None; read by a thread of its own, since a read cannot be given up."""
        if not length:
            return b""
        came: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        # A sender that stalls keeps one of these until its connection ends, and never a thread that answers others.
        if not self.reading.acquire(timeout=self.body_seconds):
            return None

        def read() -> None:
            try:
                came.put(incoming.read(length))
            except OSError:
                came.put(None)
            finally:
                self.reading.release()

        threading.Thread(target=read, daemon=True).start()
        try:
            return came.get(timeout=self.body_seconds)
        except queue.Empty:
            return None

    def _pass_on(self, environ: WSGIEnvironment, path: str, body: bytes, start_response: StartResponse) -> list[bytes]:
        # As it came: a terminal signs the path with its percent signs.
        target = quote(path.encode("latin-1"), safe="/~!$&'()*+,;=:@")
        if query := environ.get("QUERY_STRING"):
            target += f"?{query}"
        method = environ["REQUEST_METHOD"]
        sent = dict(_headers(environ))
        if body or method not in ("GET", "HEAD"):
            sent["Content-Length"] = str(len(body))
        try:
            came = self.pool.urlopen(
                method, target, body=body or None, headers=sent, redirect=False, decode_content=False, assert_same_host=False
            )
        except (InvalidURL, ValueError):
            # Before a byte left: a method, a path or a header that no request may carry.
            return _refuse(start_response, "400 Bad Request")
        except (urllib3.exceptions.HTTPError, HTTPException, OSError):
            return _refuse(start_response, "502 Bad Gateway")
        start_response(f"{came.status} {came.reason or 'Answer'}", [(n, v) for n, v in came.headers.items() if n.lower() not in NEIGHBOURS])
        return [came.data]


def platform(port: int, hosts: frozenset[str]) -> Door:
    """The app, the counter's pages and the API."""
    return Door(port, PLATFORM, hosts)


def sandbox(port: int, hosts: frozenset[str]) -> Door:
    """The sandbox's pages for residents."""
    return Door(port, SANDBOX, hosts)


def _headers(environ: WSGIEnvironment) -> Iterator[tuple[str, str]]:
    if kind := environ.get("CONTENT_TYPE"):
        yield "Content-Type", kind
    for name, value in environ.items():
        plain = name[5:].replace("_", "-").lower()
        if name.startswith("HTTP_") and plain not in {*NEIGHBOURS, "content-length", "content-type"} and not HEARSAY.fullmatch(plain):
            yield plain, value


def _refuse(start_response: StartResponse, status: str) -> list[bytes]:
    start_response(status, [("Content-Type", "text/plain; charset=utf-8"), ("X-Content-Type-Options", "nosniff")])
    return [status.encode()]
