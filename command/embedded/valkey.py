"""A private Valkey: started, recovered and stopped in one folder, on a unix socket."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import redis

from command.embedded.account import Account, account_for, forget_passing, reachable_home, socket_folder
from command.embedded.binaries import valkey_program
from command.embedded.errors import CannotStart
from command.embedded.processes import alone, last_lines, launch, living_in, wait_until_empty

START_SECONDS = 30.0
# Counters of quotas must not be evicted under pressure, hence noeviction.
SETTINGS = (
    "port 0", "daemonize no", "appendonly yes", "appendfsync everysec", 'save ""', "maxmemory 128mb",
    "maxmemory-policy noeviction", "unixsocketperm 700", "loglevel warning", "databases 2",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Server:
    """A running private Valkey; `process` is known only to whoever started it tied to itself."""

    home: Path
    socket: Path
    process: subprocess.Popen[bytes] | None = field(default=None, compare=False)

    @property
    def data(self) -> Path:
        """The folder of the append-only files."""
        return self.home / "data"

    @property
    def log(self) -> Path:
        """The server's own log."""
        return self.home / "log"

    @property
    def url(self) -> str:
        """The address for redis-py."""
        return f"unix://{quote(str(self.socket / 'valkey'))}"

    def answers(self) -> bool:
        """Whether the server takes commands now."""
        client = redis.Redis.from_url(self.url, socket_timeout=5)
        try:
            return bool(client.ping())
        except redis.RedisError:
            return False
        finally:
            client.close()


def start(folder: Path | str, *, tied: bool = False) -> Server:
    """Bring the server of `folder` up, or join the one that runs; `tied` lets it end with this process.

    Raises CannotStart.
    """
    home = reachable_home(Path(folder))
    account = account_for(home / "data")
    account.own_folder(home)
    account.own_folder(home / "data")
    server = Server(home, socket_folder(home, account))
    with alone(home / "lock"):
        if not server.answers():
            _configure(server)
            server = _bring_up(server, account, valkey_program(account, home), tied=tied)
    return server


def stop(folder: Path | str) -> None:
    """End the server of `folder`, if it runs, after it has written its file."""
    data = reachable_home(Path(folder)) / "data"
    for pid in living_in(data) if data.exists() else []:
        os.kill(pid, signal.SIGTERM)
    if data.exists() and not wait_until_empty(data, 10):
        for pid in living_in(data):
            os.kill(pid, signal.SIGKILL)


@contextmanager
def running(folder: Path | str) -> Iterator[Server]:
    """A server for the time of a `with` block."""
    server = start(folder, tied=True)
    try:
        yield server
    finally:
        stop(folder)
        if server.process is not None:
            server.process.wait(30)
        forget_passing(server.home, Path(folder))


def _configure(server: Server) -> None:
    path = server.home / "valkey.conf"
    lines = [*SETTINGS, f'dir "{server.data}"', f'unixsocket "{server.socket / "valkey"}"']
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    path.chmod(0o644)


def _bring_up(server: Server, account: Account, program: Path, *, tied: bool) -> Server:
    process: subprocess.Popen[bytes] | None = None
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if server.answers():
            return Server(server.home, server.socket, process if tied else None)
        if process is None and not living_in(server.data):
            process = _launch(server, account, program, tied=tied)
        if process is not None and tied and process.poll() is not None:
            break
        time.sleep(0.01)
    raise CannotStart(
        zh=f"Valkey 没有启动；日志 {server.log}",
        en="Valkey did not start; its log ends with:",
        shown=last_lines(server.log),
    )


def _launch(server: Server, account: Account, program: Path, *, tied: bool) -> subprocess.Popen[bytes]:
    command = [program, server.home / "valkey.conf"]
    if tied:
        return launch(command, account, log=server.log, last_signal=signal.SIGTERM)
    process = launch([*command, "--daemonize", "yes", "--logfile", server.log], account, log=server.log, last_signal=None)
    process.wait(30)
    return process
