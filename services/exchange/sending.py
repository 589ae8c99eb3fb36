"""The sender of webhooks: resolves a name once, connects to the address it checked, follows nothing, and reads next to nothing."""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from services.exchange.destinations import Destination, Refused, chosen, destination

CONNECT_SECONDS = 4.0
READ_SECONDS = 6.0
TOTAL_SECONDS = 10.0
ANSWER_BYTES = 8 * 1024
Resolver = Callable[[str, int], list[str]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one attempt: a status, or a fault that is safe to show to the partner."""

    status: int | None
    fault: str | None = None

    @property
    def done(self) -> bool:
        """Whether the partner has it: any 2xx. A redirect is none."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def gone(self) -> bool:
        """Whether the partner wants nothing more there (410)."""
        return self.status == http.client.GONE


class NotReached(Exception):
    """The name has no address."""


def resolve(host: str, port: int) -> list[str]:
    """Every address of a name."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as fault:
        raise NotReached("name") from fault
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class Sender:
    """Posts one body to one URL. ``loopback`` opens http on this machine and nothing else, for a developer's receiver."""

    def __init__(self, *, loopback: bool = False, resolver: Resolver = resolve, ca_file: str | None = None) -> None:
        self._loopback = loopback
        self._resolver = resolver
        self._tls = ssl.create_default_context(cafile=ca_file)
        self._tls.minimum_version = ssl.TLSVersion.TLSv1_2

    def check(self, url: str) -> Destination:
        """The parts of a URL to which this sender would go; Refused otherwise. Asks no name server."""
        return destination(url, loopback=self._loopback)

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Outcome:
        """Send once; never raises for what the other side does."""
        try:
            to = self.check(url)
            address = chosen(self._resolver(to.host, to.port), loopback=not to.secure)
            return Outcome(self._exchange(to, address, headers, body))
        except Refused as fault:
            return Outcome(None, f"refused_{fault}")
        except NotReached:
            return Outcome(None, "name_unknown")
        except ssl.SSLError:
            return Outcome(None, "tls_failed")
        except TimeoutError:
            return Outcome(None, "too_slow")
        except (OSError, http.client.HTTPException, ValueError):
            return Outcome(None, "no_answer")

    def _exchange(self, to: Destination, address: str, headers: Mapping[str, str], body: bytes) -> int:
        line = socket.create_connection((address, to.port), timeout=CONNECT_SECONDS)
        if to.secure:
            line = self._tls.wrap_socket(line, server_hostname=to.host, do_handshake_on_connect=False)
        # A receiver that sends a byte now and then would outlast every single wait.
        watch = threading.Timer(TOTAL_SECONDS, _cut, (line,))
        watch.daemon = True
        watch.start()
        try:
            line.settimeout(READ_SECONDS)
            if isinstance(line, ssl.SSLSocket):
                line.do_handshake()
            talk = http.client.HTTPConnection(to.host, to.port)
            talk.sock = line
            talk.putrequest("POST", to.target, skip_host=True, skip_accept_encoding=True)
            sent = {"Host": to.authority, "Connection": "close", "Content-Length": str(len(body)), **headers}
            for name, value in sent.items():
                talk.putheader(name, value)
            talk.endheaders(body)
            answer = talk.getresponse()
            # The status has said it all; what follows is read for politeness.
            with suppress(OSError, http.client.HTTPException):
                answer.read(ANSWER_BYTES)
            return answer.status
        finally:
            watch.cancel()
            line.close()


def _cut(line: socket.socket) -> None:
    try:
        # The plain shutdown: the one of TLS would wait for the other side.
        socket.socket.shutdown(line, socket.SHUT_RDWR)
    except OSError:
        return
