"""The ground a bench stands on: a private PostgreSQL with the frozen limits, and the servers that cases share."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from bench import granian, load, pgbench
from bench.granian import Web
from bench.loaded import Loaded, load_city
from bench.machine import Meter
from command.embedded import postgres, valkey
from command.embedded.account import account_for
from command.embedded.binaries import postgres_programs

LIMITS_DATABASE = "bench_limits"


@dataclass(frozen=True, slots=True)
class Taken:
    """What one run of one case took, before it is put beside others."""

    operations: int
    seconds: float
    meter: Meter
    p50_ms: float = 0.0
    p99_ms: float = 0.0


@dataclass(slots=True)
class Ground:
    """Everything started for a bench; ends with the `with` block that made it."""

    home: Path
    postgres: postgres.Server
    programs: Path
    stack: ExitStack
    servers: dict[str, Web] = field(default_factory=dict)
    _loaded: Loaded | None = None

    @property
    def version(self) -> str:
        """The version of PostgreSQL."""
        with psycopg.connect(self.postgres.url(postgres.OWNER)) as connection:
            number = connection.info.server_version
        return f"{number // 10000}.{number % 10000}"

    @property
    def postmaster(self) -> int:
        """The process whose tree is PostgreSQL."""
        return int((self.postgres.data / "postmaster.pid").read_text().split()[0])

    def pgbench(self, script: str, clients: int, seconds: float) -> Taken:
        """One run of a frozen script against the bare ledger."""
        dsn = {"PGHOST": str(self.postgres.socket), "PGUSER": postgres.OWNER, "PGDATABASE": LIMITS_DATABASE}
        meter = Meter(server=None, database=self.postmaster)
        meter.start()
        run = pgbench.run(pgbench.find(self.programs), script, dsn, clients=clients, seconds=seconds)
        meter.stop()
        return Taken(run.operations, run.operations / run.rate, meter, run.mean_ms, 0.0)

    def web(self, name: str, start: Callable[[], Web]) -> Web:
        """The server of that name, started at first use."""
        if name not in self.servers:
            web = start()
            self.stack.callback(granian.stop, web)
            self.servers[name] = web
        return self.servers[name]

    def loaded(self) -> Loaded:
        """The filled city and its web, made at first use."""
        if self._loaded is None:
            cache = self.stack.enter_context(valkey.running(self.home / "valkey"))
            self._loaded = load_city(self.home, self.postgres, cache)
            self.stack.callback(self._loaded.close)
        return self._loaded

    def http(self, web: Web, requests: list[bytes], *, connections: int, seconds: float, expect: int, warm: int = 200) -> Taken:
        """One run over HTTP: the first `warm` requests warm the server and are not counted.

        Raises AnswersWrong when an answer has another status than `expect`.
        """
        load.drive(web.address, requests[:warm], connections=connections, seconds=seconds)
        meter = Meter(web.process.pid, self.postmaster)
        meter.start()
        answers = load.drive(web.address, requests[warm:], connections=connections, seconds=seconds, keep=3)
        meter.stop()
        if set(answers.statuses) != {expect}:
            raise AnswersWrong(f"expected {expect} alone, got {dict(answers.statuses)}: {answers.bodies}")
        return Taken(answers.count, answers.seconds, meter, answers.wait_ms(0.5), answers.wait_ms(0.99))


class AnswersWrong(Exception):
    """A case was answered with a status it must not get, so its rate means nothing."""


@contextmanager
def prepared(home: Path) -> Iterator[Ground]:
    """A PostgreSQL of its own under `home` with the frozen limits loaded."""
    with ExitStack() as stack:
        server = stack.enter_context(postgres.running(home / "postgres"))
        account = account_for(server.data)
        major = (server.data / "PG_VERSION").read_text().strip()
        ground = Ground(home, server, postgres_programs(account, server.home, major=major), stack)
        _load_limits(server)
        yield ground


def _load_limits(server: postgres.Server) -> None:
    server.drop_database(LIMITS_DATABASE)
    server.create_database(LIMITS_DATABASE)
    script = (pgbench.LIMITS / "ledger.sql").read_text()
    with psycopg.connect(server.url(postgres.OWNER, LIMITS_DATABASE), autocommit=True) as connection:
        body, _, vacuum = script.rpartition("VACUUM")
        connection.execute(body.encode())
        connection.execute(b"VACUUM" + vacuum.encode())
