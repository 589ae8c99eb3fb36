"""`python -m command.lan.serving`: one listener of LAN mode, started by `citycard run --lan`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels

from command.embedded.processes import end_with_parent
from command.lan import door
from command.lan.authority import Authority
from command.lan.certificate_page import CertificatePage

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

THREADS = 16
HEADER_MILLISECONDS = 10_000


def application() -> WSGIApplication:
    """What the words of the command line describe."""
    end_with_parent()
    kind, address, host, port, folder, behind = sys.argv[1:7]
    hosts = frozenset(f"{name}:{port}" for name in (address, host))
    if kind == "certificate":
        return CertificatePage(Authority(Path(folder)), behind, hosts)
    return door.platform(int(behind), hosts) if kind == "platform" else door.sandbox(int(behind), hosts)


def main() -> None:
    """Serve until told to end."""
    kind, address, _host, port, folder, _behind = sys.argv[1:7]
    authority = Authority(Path(folder))
    secured: dict[str, Any] = {} if kind == "certificate" else {"ssl_cert": authority.server_certificate, "ssl_key": authority.server_key}
    Granian(
        "command.lan.serving:application",
        factory=True,
        interface=Interfaces.WSGI,
        address=address,
        port=int(port),
        workers=1,
        blocking_threads=THREADS,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=HEADER_MILLISECONDS),
        respawn_failed_workers=True,
        websockets=False,
        log_access=False,
        log_level=LogLevels.error,
        **secured,
    ).serve()


if __name__ == "__main__":
    main()
