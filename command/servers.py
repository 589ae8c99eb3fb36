"""The servers under a run: private ones in the data folder, unless others are named by URL."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from command.embedded import postgres, valkey
from command.home import Home
from command.progress import say, step


@dataclass(slots=True)
class Servers:
    """The private servers of a run; one is None where another was named by URL."""

    home: Home
    postgres: postgres.Server | None = None
    valkey: valkey.Server | None = None

    def start(self, given: Mapping[str, str]) -> None:
        """Start what `given` does not name by URL."""
        if "CITYCARD_DATABASE_URL" not in given:
            with step("数据库", "PostgreSQL"):
                self.postgres = postgres.start(self.home.postgres, tied=True)
        if "CITYCARD_REDIS_URL" not in given:
            with step("缓存", "Valkey"):
                self.valkey = valkey.start(self.home.valkey, tied=True)

    def environment(self) -> dict[str, str]:
        """The variables that name the private servers."""
        named: dict[str, str] = {}
        if self.postgres is not None:
            named["CITYCARD_DATABASE_URL"] = self.postgres.url(postgres.APP)
            named["CITYCARD_OWNER_DATABASE_URL"] = self.postgres.url(postgres.OWNER)
            named["CITYCARD_OUTSIDE_DATABASE_URL"] = self.postgres.url(postgres.OUTSIDE, postgres.OUTSIDE_DATABASE)
        if self.valkey is not None:
            named["CITYCARD_REDIS_URL"] = self.valkey.url
        return named

    def watchers(self) -> list[Callable[[], None]]:
        """What looks after the private servers: each starts its server again when it has ended."""
        return [self._look_at_postgres, self._look_at_valkey]

    def _look_at_postgres(self) -> None:
        held = self.postgres
        if held is not None and held.process is not None and held.process.poll() is not None:
            say("PostgreSQL 意外结束，正在恢复", "PostgreSQL ended, recovering", mark="!")
            self.postgres = postgres.start(self.home.postgres, tied=True)

    def _look_at_valkey(self) -> None:
        held = self.valkey
        if held is not None and held.process is not None and held.process.poll() is not None:
            say("Valkey 意外结束，正在恢复", "Valkey ended, recovering", mark="!")
            self.valkey = valkey.start(self.home.valkey, tied=True)

    def stop(self) -> None:
        """End the private servers, each after it has written what it holds."""
        if self.valkey is not None:
            valkey.stop(self.home.valkey)
            _reap(self.valkey)
        if self.postgres is not None:
            postgres.stop(self.home.postgres)
            _reap(self.postgres)


def _reap(server: postgres.Server | valkey.Server) -> None:
    """Wait for the end of a server that was told to; one whose folder was taken away hears it only this way."""
    if server.process is None:
        return
    try:
        server.process.wait(1)
    except subprocess.TimeoutExpired:
        server.process.kill()
        server.process.wait(30)
