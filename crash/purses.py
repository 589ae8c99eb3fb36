"""Residents under load: threads that top up through the provider and wait until they are told that the money is there."""

import json
import random
import secrets
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import urlencode, urlsplit
from uuid import UUID

from bench.granian import ROOT
from bench.settings import Installation
from command.embedded import postgres
from core import ids
from crash.calling import Answer, Caller, NoAnswer
from crash.record import Credited, Record

PROVIDER = "yunpay"
AMOUNT_FEN = 1_000
PATIENCE = 90.0  # seconds until a paid top-up must be in the wallet
PAUSE = 0.3
TOKEN_LIFE = 300.0  # seconds; a token lives ten minutes


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


class Purses:
    """A few residents who top up again and again."""

    def __init__(self, installation: Installation, residents: Sequence[UUID], record: Record, *, seed: int) -> None:
        self.installation, self.record, self.seed = installation, record, seed
        self.residents = residents
        self.tokens, self._since, self._lock = tokens(installation, residents), time.monotonic(), threading.Lock()
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self.lost: list[str] = []  # top-ups that were paid and never arrived

    def open(self, threads: int = 3) -> None:
        """Starts topping up."""
        self._threads = [
            threading.Thread(target=self._serve, args=(number, threads), name=f"purse-{number}", daemon=True) for number in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Begins no new top-up and waits for those that were paid."""
        self._stop.set()
        for thread in self._threads:
            thread.join(PATIENCE + 30)

    def _serve(self, number: int, threads: int) -> None:
        chance = random.Random(self.seed * 77 + number)
        while not self._stop.is_set():
            self._renew()
            self._top_up(chance.choice(self.tokens[number::threads]))
            self._stop.wait(chance.uniform(0.1, 0.6))

    def _renew(self) -> None:
        """New tokens before the old ones die; when that fails (PostgreSQL may be away) the old ones serve a little longer."""
        with self._lock:
            if time.monotonic() - self._since > TOKEN_LIFE:
                with suppress(RuntimeError):
                    self.tokens, self._since = tokens(self.installation, self.residents), time.monotonic()

    def _top_up(self, token: str) -> None:
        caller = Caller(("127.0.0.1", self.installation.port))
        body = json.dumps({"amount_fen": AMOUNT_FEN, "provider": PROVIDER}).encode()
        ordered = self._until(caller, token, "POST", "/api/top-ups", body, secrets.token_urlsafe(16), lambda a: a.status in (201, 202))
        if ordered is None:
            return
        top_up, path = str(ordered.body["id"]), f"/api/top-ups/{ordered.body['id']}"
        shown = self._until(caller, token, "GET", path, b"", None, lambda a: (a.status == 200 and a.body.get("state") != "pending")
                            or bool(a.body.get("pay_url")))  # fmt: skip
        if shown is None or not shown.body.get("pay_url") or not self._pay(shown.body["pay_url"]):
            return
        ended = self._until(caller, token, "GET", path, b"", None, lambda a: a.body.get("state") == "credited")
        if ended is None:
            self.lost.append(f"top-up {top_up} was paid and not credited within {PATIENCE:.0f} s")
        else:
            self.record.tell_credited(Credited(ids.parse("top_up", top_up), AMOUNT_FEN))
        caller.close()

    def _until(self, caller: Caller, token: str, method: str, path: str, body: bytes, key: str | None, good: Any) -> Answer | None:
        """Asks again until the answer is good; None when it is refused for good or time is up."""
        headers = {"authorization": f"Bearer {token}", **({"content-type": "application/json"} if body else {})}
        if key is not None:
            headers["idempotency-key"] = key
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            try:
                answer = caller.send(method, path, body, headers)
            except NoAnswer as fault:
                self.record.count(f"no answer to a resident: {fault}")
                time.sleep(PAUSE)
                continue
            if good(answer):
                return answer
            if answer.status in (400, 401, 403, 404, 422):
                self.record.count(f"resident: {answer.status} {answer.code}")
                return None
            time.sleep(PAUSE)
        return None

    def _pay(self, url: str) -> bool:
        """The resident approves on the provider's page; True only when the provider said so."""
        parts = urlsplit(url)
        caller, until = Caller((parts.hostname or "", parts.port or 80)), time.monotonic() + PATIENCE
        headers = {"content-type": "application/x-www-form-urlencoded", "accept": "application/json"}
        while time.monotonic() < until:
            try:
                answer = caller.send("POST", parts.path, urlencode({"choice": "approve"}).encode(), headers)
            except NoAnswer:
                time.sleep(PAUSE)
                continue
            caller.close()
            return answer.status == 200 or answer.status == 409  # 409: an earlier, lost answer had decided it
        return False
