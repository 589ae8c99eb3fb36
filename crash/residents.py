"""Residents under load: tokens renewed in time, requests repeated until they are decided, threads that go on until they are stopped."""

import json
import random
import secrets
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Self
from uuid import UUID

from bench.granian import ROOT
from bench.settings import Installation
from command.embedded import postgres
from crash.calling import Answer, Caller, NoAnswer
from crash.record import Record

PATIENCE = 90.0  # seconds until a resident gives up waiting
PAUSE = 0.3
TOKEN_LIFE = 300.0  # seconds; a token lives ten minutes
FINAL = frozenset({400, 401, 402, 403, 404, 409, 422})  # a decision; anything else is asked again
NOT_DECIDED = frozenset({"request_in_progress"})


def tokens(installation: Installation, residents: Sequence[UUID]) -> list[str]:
    """Access tokens of these residents, who are admitted first; made by the program's own keys, in a process of its own."""
    environment = installation.environment(database_url=installation.owner_database_url.replace(postgres.OWNER, postgres.APP, 1))
    done = subprocess.run(
        [sys.executable, "-m", "crash.tokens"], cwd=ROOT, env=environment, input=json.dumps([str(r) for r in residents]),
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"no tokens: {done.stderr[-2000:]}")
    made: list[str] = json.loads(done.stdout)
    return made


class Residents:
    """The residents of a run, signed in."""

    def __init__(self, installation: Installation, residents: Sequence[UUID], record: Record) -> None:
        self.installation, self.ids, self.record = installation, residents, record
        self._tokens, self._since, self._lock = tokens(installation, residents), time.monotonic(), threading.Lock()

    def token(self, nth: int) -> str:
        """A token that is good for a while; when no new ones can be had (PostgreSQL may be away) the old ones serve a little longer."""
        with self._lock:
            if time.monotonic() - self._since > TOKEN_LIFE:
                with suppress(RuntimeError):
                    self._tokens, self._since = tokens(self.installation, self.ids), time.monotonic()
            return self._tokens[nth]

    def caller(self) -> Caller:
        """A line to the platform, for one thread."""
        return Caller(("127.0.0.1", self.installation.port))


class Asking:
    """What one resident asks, over one line that ends with the `with` block, again and again until there is a decision."""

    def __init__(self, residents: Residents, nth: int) -> None:
        self._residents, self._nth, self._caller = residents, nth, residents.caller()

    def until(
        self, method: str, path: str, *, body: dict[str, object] | None = None, once: bool = False, good: Callable[[Answer], bool],
        patience: float = PATIENCE,
    ) -> Answer | None:  # fmt: skip
        """Asks until the answer is good or a refusal for good, which is given too; None when time is up. `once` asks under one key."""
        said = b"" if body is None else json.dumps(body, ensure_ascii=False).encode()
        headers = {"content-type": "application/json"} if said else {}
        if once:
            headers["idempotency-key"] = secrets.token_urlsafe(16)
        until = time.monotonic() + patience
        while time.monotonic() < until:
            answer = self._ask(method, path, said, headers)
            if answer is not None and (good(answer) or _refused(answer)):
                if answer.status >= 400:
                    self._residents.record.count(f"resident: {answer.status} {answer.code}")
                return answer
            time.sleep(PAUSE)
        return None

    def _ask(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> Answer | None:
        try:
            return self._caller.send(method, path, body, {"authorization": f"Bearer {self._residents.token(self._nth)}", **headers})
        except NoAnswer as fault:
            self._residents.record.count(f"no answer to a resident: {fault}")
            return None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_fault: object) -> None:
        self._caller.close()


class Crowd:
    """Threads, each of residents of its own, that do one thing again and again until they are stopped."""

    name = "crowd"
    rest = (0.1, 0.6)  # seconds between two

    def __init__(self, residents: Residents, mine: range, *, seed: int) -> None:
        self.residents, self.mine, self.seed = residents, mine, seed
        self.stopped = threading.Event()
        self._threads: list[threading.Thread] = []

    def act(self, nth: int, chance: random.Random) -> None:
        """One round of resident `nth`."""
        raise NotImplementedError

    def open(self, threads: int) -> None:
        """Starts."""
        self._threads = [
            threading.Thread(target=self._serve, args=(number, threads), name=f"{self.name}-{number}", daemon=True)
            for number in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Begins nothing new and waits for what is under way; raises RuntimeError when a thread hangs."""
        self.stopped.set()
        for thread in self._threads:
            thread.join(2 * PATIENCE + 30)
        if left := [thread.name for thread in self._threads if thread.is_alive()]:
            raise RuntimeError(f"these residents hang: {', '.join(left)}")

    def _serve(self, number: int, threads: int) -> None:
        chance = random.Random(f"{self.name} {self.seed} {number}")
        while not self.stopped.is_set():
            self.act(chance.choice(self.mine[number::threads]), chance)
            self.stopped.wait(chance.uniform(*self.rest))


def _refused(answer: Answer) -> bool:
    return answer.status in FINAL and answer.code not in NOT_DECIDED
