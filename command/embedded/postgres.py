"""A private PostgreSQL: made, started, recovered after kill -9 and stopped in one folder."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from command.embedded.account import Account, account_for, clean_environment, forget_passing, our_name, reachable_home, socket_folder
from command.embedded.binaries import postgres_programs
from command.embedded.errors import CannotStart
from command.embedded.processes import alone, last_lines, launch, living_in, wait_until_empty

ADMIN, OWNER, APP, OUTSIDE = "postgres", "citycard_owner", "citycard_app", "citycard_outside"
CITYCARD, OUTSIDE_DATABASE = "citycard", "citycard_outside"
START_SECONDS = 60.0  # recovery after kill -9 replays the log first
ATTEMPTS = 3

# No personal data in the server's log: a statement, its parameters and the row in an error's DETAIL stay out.
SETTINGS: Mapping[str, str] = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "effective_cache_size": "512MB",
    "max_wal_size": "1GB",
    "fsync": "on",
    "synchronous_commit": "on",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "lc_messages": "C",
    "default_text_search_config": "pg_catalog.simple",
    "log_min_error_statement": "panic",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_error_verbosity": "terse",
}


@dataclass(frozen=True, slots=True)
class Server:
    """A running private PostgreSQL; `process` is known only to whoever started it tied to itself."""

    home: Path
    socket: Path
    process: subprocess.Popen[bytes] | None = field(default=None, compare=False)

    @property
    def data(self) -> Path:
        """The folder of the cluster itself."""
        return self.home / "data"

    @property
    def log(self) -> Path:
        """The server's own log."""
        return self.home / "log"

    def url(self, role: str = APP, database: str = CITYCARD) -> str:
        """The address of one database for one role."""
        return f"postgresql://{role}@/{database}?host={quote(str(self.socket))}"

    def create_database(self, name: str, *, template: str | None = None) -> None:
        """Make a database of the owner's that the application may enter, empty or as a copy of `template`."""
        with self.admin() as connection:
            _make_database(connection, name, owner=OWNER, guest=APP, template=template)

    def drop_database(self, name: str) -> None:
        """Remove a database, ending whoever is still in it."""
        with self.admin() as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def answers(self) -> bool:
        """Whether the server takes connections now."""
        try:
            self.admin().close()
        except psycopg.OperationalError:
            return False
        return True

    def admin(self) -> psycopg.Connection:
        """An autocommit connection of the superuser, for making databases and for tests that play an intruder."""
        return psycopg.connect(self.url(ADMIN, "postgres"), autocommit=True, connect_timeout=5)


def start(folder: Path | str, *, tied: bool = False, settings: Mapping[str, str] | None = None) -> Server:
    """Bring the server of `folder` up (or join the one that runs) with its roles and databases.

    `tied` lets it end with this process; otherwise it runs until `stop`. `settings` override single server settings.
    Raises CannotStart.
    """
    home = reachable_home(Path(folder))
    account = account_for(home / "data")
    account.own_folder(home)
    server = Server(home, socket_folder(home, account))
    with alone(home / "lock"):
        if not server.answers():
            programs = postgres_programs(account, home, major=_version_of(server.data))
            _make_cluster(server, account, programs)
            _configure(server, {**SETTINGS, **(settings or {})})
            server = _bring_up(server, account, programs, tied=tied)
        _make_roles_and_databases(server)
    return server


def stop(folder: Path | str, *, mode: str = "fast") -> None:
    """End the server of `folder`, if it runs: "fast" breaks connections off, "immediate" is like a power cut."""
    home = reachable_home(Path(folder))
    data = home / "data"
    if not home.exists():
        return
    with alone(home / "lock"):
        postmaster = _postmaster(data)
        if postmaster is not None:
            os.kill(postmaster, signal.SIGQUIT if mode == "immediate" else signal.SIGINT)
        if not wait_until_empty(data, 30):
            for pid in living_in(data):
                os.kill(pid, signal.SIGKILL)


@contextmanager
def running(folder: Path | str, *, settings: Mapping[str, str] | None = None) -> Iterator[Server]:
    """A server for the time of a `with` block."""
    server = start(folder, tied=True, settings=settings)
    try:
        yield server
    finally:
        stop(folder)
        if server.process is not None:
            server.process.wait(30)
        forget_passing(server.home, Path(folder))


def _version_of(data: Path) -> str | None:
    mark = data / "PG_VERSION"
    return mark.read_text().strip() if mark.exists() else None


def _make_cluster(server: Server, account: Account, programs: Path) -> None:
    """Run initdb beside the final place and rename, so that one killed half-way is simply made again."""
    if server.data.exists():
        return
    our_name()
    half = server.home / "data.half"
    shutil.rmtree(half, ignore_errors=True)
    command = [programs / "initdb", "-D", half, "-U", ADMIN, "-A", "peer", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"]
    made = subprocess.run(  # type: ignore[call-overload]  # keyword arguments by account
        command, cwd="/", env=clean_environment(), capture_output=True, text=True, check=False, **account.switch()
    )
    if made.returncode:
        raise CannotStart(
            zh="建立数据库失败（initdb）",
            en="The database could not be made (initdb)",
            shown=made.stderr.strip()[-800:],
        )
    half.rename(server.data)


def _configure(server: Server, settings: Mapping[str, str]) -> None:
    """Write the server's three configuration files anew, so that a hand-made change cannot linger unseen."""
    lines = [f"{name} = '{value}'" for name, value in settings.items()]
    lines.append(f"unix_socket_directories = '{server.socket}'")
    _write(server.data / "postgresql.conf", ["# written at every start", *lines])
    _write(server.data / "pg_hba.conf", ["local all all peer map=house", "local replication all peer map=house"])
    names = (ADMIN, OWNER, APP, OUTSIDE)
    _write(server.data / "pg_ident.conf", [f'house "{our_name()}" {role}' for role in names])


def _write(path: Path, lines: list[str]) -> None:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    path.chmod(0o644)  # inside a 0700 folder; the server's account must read what root wrote


def _bring_up(server: Server, account: Account, programs: Path, *, tied: bool) -> Server:
    deadline = time.monotonic() + START_SECONDS
    process: subprocess.Popen[bytes] | None = None
    attempts = 0
    while time.monotonic() < deadline:
        if server.answers():
            return Server(server.home, server.socket, process if tied else None)
        if process is not None and process.poll() is not None and (tied or process.returncode):
            process = None
        if process is None and not living_in(server.data):
            if attempts == ATTEMPTS:
                break
            attempts += 1
            _forget_the_dead(server)
            process = _launch(server, account, programs, tied=tied)
        time.sleep(0.02)
    raise CannotStart(
        zh=f"PostgreSQL 没有启动；日志 {server.log}",
        en="PostgreSQL did not start; its log ends with:",
        shown=last_lines(server.log),
    )


def _launch(server: Server, account: Account, programs: Path, *, tied: bool) -> subprocess.Popen[bytes]:
    if tied:
        return launch([programs / "postgres", "-D", server.data], account, log=server.log, last_signal=signal.SIGINT)
    # pg_ctl hands the server to process 1, so that it outlives us without being our child.
    command: list[str | Path] = [programs / "pg_ctl", "-D", server.data, "-l", server.log, "-W", "-s", "start"]
    process = launch(command, account, log=server.log, last_signal=None)
    process.wait(30)
    return process


def _forget_the_dead(server: Server) -> None:
    """Remove what a killed server left: its pid may belong to a zombie or to another program by now."""
    (server.data / "postmaster.pid").unlink(missing_ok=True)
    for left in server.socket.glob(".s.PGSQL.*"):
        left.unlink(missing_ok=True)


def _postmaster(data: Path) -> int | None:
    try:
        pid = int((data / "postmaster.pid").read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return None
    return pid if pid in living_in(data) else None


def _make_roles_and_databases(server: Server) -> None:
    with server.admin() as connection:
        for role in (OWNER, APP, OUTSIDE):
            if not _exists(connection, "pg_roles", "rolname", role):
                connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(role)))
        if not _exists(connection, "pg_database", "datname", CITYCARD):
            _make_database(connection, CITYCARD, owner=OWNER, guest=APP)
        if not _exists(connection, "pg_database", "datname", OUTSIDE_DATABASE):
            _make_database(connection, OUTSIDE_DATABASE, owner=OUTSIDE, guest=OUTSIDE)


def _exists(connection: psycopg.Connection, table: str, column: str, name: str) -> bool:
    query = sql.SQL("SELECT 1 FROM {} WHERE {} = %s").format(sql.Identifier(table), sql.Identifier(column))
    return connection.execute(query, (name,)).fetchone() is not None


def _make_database(connection: psycopg.Connection, name: str, *, owner: str, guest: str, template: str | None = None) -> None:
    words = {"name": sql.Identifier(name), "owner": sql.Identifier(owner), "template": sql.Identifier(template or "template0")}
    connection.execute(sql.SQL("CREATE DATABASE {name} OWNER {owner} TEMPLATE {template}").format(**words))
    connection.execute(sql.SQL("REVOKE ALL ON DATABASE {name} FROM PUBLIC").format(**words))
    connection.execute(sql.SQL("GRANT CONNECT, TEMPORARY ON DATABASE {name} TO {guest}").format(**words, guest=sql.Identifier(guest)))
