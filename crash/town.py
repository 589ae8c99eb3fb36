"""The platform under test: the real processes over private servers, each of which can be killed and brought back."""

import datetime as dt
import os
import random
import signal
import socket
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote
from uuid import UUID

import psycopg

from bench import granian
from bench.load import Address
from bench.machine import tree
from bench.settings import Installation
from command import children
from command.clock import BRING_NEARER, MOVE
from command.embedded import postgres, valkey
from command.embedded.processes import living_in, wait_until_empty
from command.home import Home
from command.supervisor import Child, Supervisor
from config import settings
from crash import company
from crash.line import FaultyLine

PATIENCE = 60.0  # seconds until a part must be back


class StaysDown(Exception):
    """A part of the platform did not come back; the text holds the end of its log."""


@dataclass(slots=True)
class Town:
    """Servers, the faulty line, and the processes of the program."""

    installation: Installation
    postgres: postgres.Server
    valkey: valkey.Server
    line: FaultyLine
    children: dict[str, Child] = field(default_factory=dict)
    unsure: set[UUID] = field(default_factory=set)  # payments of bills that were left unsure by a lost answer
    _answers_lost: str = ""

    @property
    def address(self) -> Address:
        """Where the web answers."""
        return ("127.0.0.1", self.installation.port)

    @property
    def outside(self) -> Address:
        """Where the played agencies answer."""
        return ("127.0.0.1", int(self.installation.outside_url.rpartition(":")[2]))

    @property
    def owner_url(self) -> str:
        """The books, read without the faulty line."""
        return self.postgres.url(postgres.OWNER)

    @property
    def outside_books(self) -> str:
        """The books of the played agencies."""
        return self.installation.outside_database_url

    def advance(self, seconds: float) -> None:
        """Lets the city's time go on, and what waits for it come nearer."""
        step = dt.timedelta(seconds=seconds)
        with psycopg.connect(self.owner_url) as connection:
            connection.execute(MOVE, (step,))
            connection.execute(BRING_NEARER, (step,))

    def start(self) -> None:
        """Brings every process up that does not run, and waits until they answer."""
        self.start_missing()
        self.wait_for_doors()

    def start_missing(self) -> None:
        """Starts every process that does not run."""
        for child in self.children.values():
            if child.process is None or child.process.poll() is not None:
                child.start()

    def kill_child(self, name: str) -> None:
        """Ends a process of the program and all it has started, as a power cut would."""
        child = self.children[name]
        child.signal_all(signal.SIGKILL)
        if child.process is not None:
            child.process.wait(10)

    def web_workers(self) -> list[int]:
        """The processes of the web server that serve requests."""
        web = self.children["web"].process
        return tree(web.pid)[1:] if web is not None else []

    def stop(self) -> None:
        """Ends everything."""
        Supervisor(list(self.children.values())).end()
        self.line.stop()
        valkey.stop(self.valkey.home)
        postgres.stop(self.postgres.home, mode="immediate")
        for server in (self.valkey, self.postgres):
            if server.process is not None:
                server.process.wait(30)

    def wait_for_doors(self) -> None:
        """Returns when the web and the process `outside` take connections; raises StaysDown with the log of the one that does not."""
        for name, address in (("outside", self.outside), ("web", self.address)):
            until = time.monotonic() + PATIENCE
            while not _takes_connections(address):
                if time.monotonic() > until:
                    raise StaysDown(f"{name}: {self.children[name].log.read_text(errors='replace')[-2000:]}")
                self.start_missing()
                time.sleep(0.05)

    def wait_for_postgres(self) -> None:
        """Returns when PostgreSQL takes connections, started again if it is gone; raises StaysDown."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            if not living_in(self.postgres.data):
                self.postgres = postgres.start(self.postgres.home, tied=True)
            with suppress(psycopg.OperationalError), psycopg.connect(self.owner_url, connect_timeout=2) as connection:
                connection.execute("SELECT 1")
                return
            time.sleep(0.05)
        raise StaysDown(self.postgres.log.read_text(errors="replace")[-2000:])

    def kill_postgres(self) -> None:
        """Ends every process of PostgreSQL at once, as a power cut would."""
        while members := living_in(self.postgres.data):
            for pid in members:
                kill(pid)
            if wait_until_empty(self.postgres.data, 5):
                break
        if self.postgres.process is not None:
            self.postgres.process.wait(10)

    def kill_backend(self, chance: random.Random) -> None:
        """Ends one server process of the application, and returns when PostgreSQL has ended all others for it and begun to recover."""
        # Only a superuser sees of what kind each process is.
        with psycopg.connect(self.postgres.url(postgres.ADMIN), autocommit=True) as witness:
            query = "SELECT pid FROM pg_stat_activity WHERE usename = %s AND backend_type = 'client backend'"
            while not (backends := witness.execute(query, (postgres.APP,)).fetchall()):
                time.sleep(0.01)
            kill(chance.choice(backends)[0])
            with suppress(psycopg.OperationalError):
                while True:
                    witness.execute("SELECT pg_sleep(0.005)")

    def kill_valkey(self) -> None:
        """Ends Valkey at once."""
        for pid in living_in(self.valkey.data):
            kill(pid)
        if self.valkey.process is not None:
            self.valkey.process.wait(10)

    def lose_answers(self, kind: str) -> None:
        """From now on the water company does what it is asked, and its answers are lost as this kind of fault says; an empty one heals."""
        if self._answers_lost == kind:
            return
        self._answers_lost = kind
        with psycopg.connect(self.outside_books, autocommit=True) as connection:
            connection.execute("DELETE FROM fault WHERE place = 'water'")
            if kind:
                connection.execute("INSERT INTO fault (place, kind) VALUES ('water', %s)", (kind,))

    def wait_for_unsure(self, count: int, patience: float) -> None:
        """Returns when so many more payments of bills are unsure, or when patience (seconds) is over; whoever sums up looks at `unsure`."""
        known, until = self.unsure | company.unsure(self.owner_url), time.monotonic() + patience
        while len(self.unsure - known) < count and time.monotonic() < until:
            time.sleep(0.05)
            self.unsure |= company.unsure(self.owner_url) - known

    def mend(self) -> None:
        """Brings back whatever is gone, and heals the line."""
        self.line.heal()
        self.lose_answers("")
        self.wait_for_postgres()
        if not self.valkey.answers():
            self.valkey = valkey.start(self.valkey.home, tied=True)
        self.start_missing()
        self.wait_for_doors()


def _takes_connections(address: Address) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(address) == 0


def kill(pid: int) -> bool:
    """Ends one process at once; False when it had ended by itself."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def raise_town(folder: Path, *, seed: int) -> Town:
    """Private servers, and the processes of the program as `citycard run` starts them; none of those runs yet."""
    home = Home(folder)
    home.prepare()
    database = postgres.start(home.postgres, tied=True)
    cache = valkey.start(home.valkey, tied=True)
    line = FaultyLine(folder / "line", database.socket, seed=seed)
    line.start()
    port = granian.free_port()
    installation = Installation(
        home=folder,
        database_url=f"postgresql://{postgres.APP}@/{postgres.CITYCARD}?host={quote(str(line.folder))}",
        owner_database_url=database.url(postgres.OWNER),
        redis_url=cache.url,
        public_url=f"http://localhost:{port}",
        outside_url=f"http://127.0.0.1:{granian.free_port(port + 1)}",
        outside_database_url=database.url(postgres.OUTSIDE, postgres.OUTSIDE_DATABASE),
        port=port,
        root_key=home.root_key.read_text().strip(),
    )
    return Town(installation, database, cache, line, _children(home, installation))


def _children(home: Home, installation: Installation) -> dict[str, Child]:
    environment = installation.environment(webhooks="loopback")
    read = settings.read(environment)
    return {
        "outside": children.outside(home, read, int(installation.outside_url.rpartition(":")[2])),
        "web": children.web(home, environment),
        "worker": children.worker(home, environment),
    }
