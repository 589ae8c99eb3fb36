"""Starts a WSGI application as the program is served: granian, two workers of 24 threads (docs/decisions/0016)."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from bench.load import Address
from config.settings import Settings

ROOT = Path(__file__).parent.parent
LOWEST_PORT, HIGHEST_PORT = 20000, 32000  # above them the system hands out ports by itself
START_SECONDS = 60.0


class DidNotStart(Exception):
    """A server did not take connections in time; the text holds the end of its log."""


@dataclass(frozen=True, slots=True)
class Web:
    """A running web server and where it answers."""

    process: subprocess.Popen[bytes]
    address: Address
    log: Path

    @property
    def url(self) -> str:
        """The address for ordinary HTTP clients."""
        return f"http://{self.address[0]}:{self.address[1]}"


def free_port(start: int = LOWEST_PORT) -> int:
    """A port of the loopback that nobody listens on now."""
    for port in range(start + os.getpid() % 4000, HIGHEST_PORT):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                return port
    raise DidNotStart("no free port on the loopback")


def bare(target: str, port: int) -> list[str]:
    """The command line that serves a bare application, named as `module:name`, as the program is served."""
    usual = {part.name: str(part.default) for part in fields(Settings)}
    return [
        sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port), "--no-ws",
        "--workers", usual["web_workers"], "--blocking-threads", usual["web_threads"], "--no-access-log", "--log-level", "warning", target,
    ]  # fmt: skip


def wait_for_port(process: subprocess.Popen[bytes], address: Address, log: Path) -> None:
    """Returns when the address takes connections; raises DidNotStart when the process ends or time is up."""
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        with socket.socket() as probe:
            probe.settimeout(1)
            if probe.connect_ex(address) == 0:
                return
        time.sleep(0.05)
    raise DidNotStart(log.read_text(errors="replace")[-2000:] or "it ended without a word")


def start(command: Sequence[str], port: int, log: Path, environment: Mapping[str, str]) -> Web:
    """Starts a server that will listen on this port of the loopback, and waits for it."""
    with log.open("ab") as out:
        process = subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, **environment}, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True
        )
    web = Web(process, ("127.0.0.1", port), log)
    try:
        wait_for_port(process, web.address, log)
    except DidNotStart:
        stop(web)
        raise
    return web


def stop(web: Web) -> None:
    """Ends the server and its workers."""
    if web.process.poll() is None:
        web.process.send_signal(signal.SIGTERM)
    try:
        web.process.wait(10)
    except subprocess.TimeoutExpired:
        os.killpg(web.process.pid, signal.SIGKILL)
        web.process.wait()
