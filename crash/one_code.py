"""A hundred terminals bring one code in the same moment, round after round, over HTTP against the served program: one of them gets it.

What is held to, and why it is right. In a round in which PostgreSQL stays up exactly one is told that the code is good, and all others
that it is used: no answer can be lost there. Where the backend that was just committing is killed, its terminal may get no answer:

* An identity presentation has no key under which to ask again. It is told to at most one, and after the crash to nobody: the table of
  presented codes is empty, and codes from before are refused until they are dead.
* A charge has a key. Every terminal asks again under its own until there is a decision; then as many were told of a payment as the books
  hold for the code, one at most, and the one who was told is told the same once more.
"""

import json
import random
import secrets
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from urllib.error import HTTPError

import psycopg

import migrations
from bench.codes import Made, Phones
from bench.people import settle
from bench.terminals import Session, Terminal, sign_in
from core import ids
from crash.books import differences
from crash.calling import NO_DECISION, Answer, Caller, NoAnswer
from crash.record import Code, Paid, Record
from crash.town import Town, raise_town

CROWD = 100
HANDLES, MERCHANTS = 2_000, 4
EVERY = 13  # of so many rounds one loses Valkey and one a backend of PostgreSQL
CHARGED = 4  # of so many rounds one is also played with charges, and so is each that loses a backend
DEAD = 95.0  # seconds after which every code of before a crash is dead and identity codes are taken again
LEARNT = 0.6  # seconds after which a process asks for the city's new time
SESSIONS_LAST = 4  # recoveries: a session lives ten minutes of the city's time
PATIENCE, MINUTE = 30.0, 60.0
Told = Callable[[str], None]


class Blow(StrEnum):
    """What happens while the hundred are under way."""

    NONE = "calm"
    VALKEY = "Valkey killed"
    BACKEND = "PostgreSQL backend killed"


@dataclass(slots=True)
class Outcome:
    """How a run ended."""

    rounds: int = 0
    seconds: float = 0.0
    blows: Counter[str] = field(default_factory=Counter)
    answers: Counter[str] = field(default_factory=Counter)
    found: list[str] = field(default_factory=list)


def run(*, rounds: int, seed: int, tell: Told) -> Outcome:
    """Plays `rounds` rounds of presentations, and a quarter as many of charges."""
    with tempfile.TemporaryDirectory(prefix="citycard-one-code-") as folder:
        town = raise_town(Path(folder), seed=seed)
        try:
            migrations.upgrade(town.installation.owner_database_url)
            root_key = bytes.fromhex(town.installation.root_key)
            people = settle(town.installation.owner_database_url, root_key, handles=HANDLES, poor=0, terminals=CROWD, merchants=MERCHANTS)
            town.start()
            with ThreadPoolExecutor(CROWD) as threads:
                phones = Phones(people.master, people.city_id, people.prefix, people.handles)
                return _Rounds(town, people.terminals, phones, threads, seed, tell).play(rounds)
        finally:
            town.stop()


class _Rounds:
    """One run under way."""

    def __init__(
        self, town: Town, terminals: Sequence[Terminal], phones: Phones, threads: ThreadPoolExecutor, seed: int, tell: Told
    ) -> None:
        self.town, self.terminals, self.phones, self.threads, self.tell = town, terminals, phones, threads, tell
        self.chance, self.record, self.outcome = random.Random(seed), Record(), Outcome()
        self.ahead, self.recovered = 0.0, 0
        self.callers = [Caller(town.address) for _ in terminals]
        self.sessions: list[Session] = []

    def play(self, rounds: int) -> Outcome:
        """All rounds, then the comparison of the books with what was told."""
        started = time.monotonic()
        self._sign_in()
        for number in range(1, rounds + 1):
            blow = {4: Blow.VALKEY, 8: Blow.BACKEND}.get(number % EVERY, Blow.NONE)
            self._present(number, blow)
            if blow is Blow.BACKEND or number % CHARGED == 0:
                self._charge(number, blow)
            self.outcome.rounds = number
            if number % 10 == 0 or self.outcome.found:
                self.tell(f"round {number:3d}  {dict(self.outcome.blows)}")
            if self.outcome.found:
                break
        for caller in self.callers:
            caller.close()
        self.outcome.found += differences(self.town.owner_url, self.town.outside_books, self.record.snapshot())
        self.outcome.seconds = time.monotonic() - started
        return self.outcome

    def _present(self, number: int, blow: Blow) -> None:
        made = self._code()
        body = json.dumps({"code": made.digits}).encode()
        codes = self._together(blow, lambda at: self._shown(self._ask(at, "/api/presentations", body, None)))
        good, refused = codes["201"], set(codes) - {"201"}
        if blow is Blow.BACKEND:
            again = self._together(Blow.NONE, lambda at: self._shown(self._ask(at, "/api/presentations", body, None)))
            self._expect(
                number, good + again["201"] <= 1, f"an identity code was good {good} times before a crash and {again['201']} after"
            )
            allowed = {"code_used", "codes_recovering", "unavailable", "busy", "no answer"}
            self._expect(number, refused | set(again) - {"201"} <= allowed, f"a crash was answered with {codes} and {again}")
            self._recover()
        else:
            self._expect(number, good == 1, f"an identity code was good {good} times: {codes}")
            self._expect(number, refused == {"code_used"}, f"all others must hear that the code is used: {codes}")

    def _charge(self, number: int, blow: Blow) -> None:
        made, amount = self._code(), self.chance.randint(1, 900)
        body = json.dumps({"code": made.digits, "amount_fen": amount}).encode()
        keys = [secrets.token_urlsafe(16) for _ in self.terminals]
        codes = self._together(blow, lambda at: self._until_decided(at, body, keys[at], made, amount))
        told, refused = codes["201"], set(codes) - {"201"}
        with psycopg.connect(self.town.owner_url) as books:
            place = (made.handle, made.step, made.tap)
            booked = len(books.execute("SELECT FROM code_used WHERE (handle, step, tap) = (%s, %s, %s)", place).fetchall())
        self._expect(number, told == booked, f"{told} were told of a payment, and the books hold {booked}: {codes}")
        if blow is Blow.BACKEND:
            self._expect(number, told <= 1 and refused <= {"code_used", "code_expired"}, f"after a crash: {codes}")
            self._recover()
        else:
            self._expect(number, told == 1 and refused == {"code_used"}, f"one code was charged {told} times: {codes}")

    def _until_decided(self, at: int, body: bytes, key: str, made: Made, amount: int) -> str:
        """What a terminal is told in the end, under one key; whoever was paid asks once more and must hear the same."""
        until, tries = time.monotonic() + PATIENCE, 0
        while time.monotonic() < until:
            tries += 1
            answer = self._ask(at, "/api/charges", body, key)
            code = self._shown(answer)
            if code not in NO_DECISION:
                break
            time.sleep(self.chance.uniform(0.02, 0.2))
        if answer is not None and answer.status == 201:
            charge = ids.parse("charge", answer.body["id"])
            place = Code(made.handle, made.step, made.tap)
            self.record.tell_paid(Paid(key, self.terminals[at].id, charge, place, amount, tries, body), 0.0)
            again = self._ask(at, "/api/charges", body, key)
            if again is None or again.status != 201 or again.body["id"] != answer.body["id"] or not again.replayed:
                self.record.contradict(f"key {key} was paid, and asked again it was answered {self._shown(again)}")
        return code

    def _together(self, blow: Blow, one: Callable[[int], str]) -> Counter[str]:
        """Lets every terminal do one thing in the same moment, with a blow in the middle of it; what they were told, counted."""
        gate = threading.Barrier(len(self.terminals) + 1)

        def wait_and(at: int) -> str:
            gate.wait(30)
            return one(at)

        waiting = [self.threads.submit(wait_and, at) for at in range(len(self.terminals))]
        gate.wait(30)
        if blow is not Blow.NONE:
            time.sleep(self.chance.uniform(0, 0.06))
            self._strike(blow)
        codes = Counter(each.result() for each in waiting)
        self.outcome.blows[blow] += 1
        self.outcome.answers += codes
        if blow is Blow.VALKEY:
            self.town.mend()
        return codes

    def _strike(self, blow: Blow) -> None:
        if blow is Blow.VALKEY:
            self.town.kill_valkey()
        else:
            self.town.kill_backend(self.chance)
            self.town.wait_for_postgres()

    def _recover(self) -> None:
        """After a crash: identity codes are refused; the city's time goes on until all of them are dead, and terminals sign in anew."""
        self.town.wait_for_postgres()
        body = json.dumps({"code": self._code().digits}).encode()
        until = time.monotonic() + PATIENCE
        while (answer := self._shown(self._ask(0, "/api/presentations", body, None))) in NO_DECISION and time.monotonic() < until:
            time.sleep(0.02)
        self._expect(self.outcome.rounds + 1, answer == "codes_recovering", f"a crash went unnoticed: {answer}")
        self.town.advance(DEAD)
        self.ahead += DEAD
        self.recovered += 1
        self._wait_until_learnt()
        if self.recovered % SESSIONS_LAST == 0:
            self._sign_in()

    def _wait_until_learnt(self) -> None:
        """Until every process knows the city's new time and no thread holds a connection that died: nobody is refused for either."""
        until, nothing = time.monotonic() + PATIENCE, json.dumps({"code": "0" * 18}).encode()
        while time.monotonic() < until:
            time.sleep(LEARNT)
            answers = list(self.threads.map(lambda at: self._ask(at, "/api/presentations", nothing, None), range(len(self.terminals))))
            if all(answer is not None and answer.code == "code_of_other_city" for answer in answers):
                return

    def _sign_in(self) -> None:
        self.sessions = list(self.threads.map(self._session, self.terminals))

    def _session(self, terminal: Terminal) -> Session:
        """A session; a connection that died in a crash gives 503, a process that could not read the new time yet 401, and a second
        sign-in of the hundred from one address within a minute 429.
        """
        issuer, url = self.town.installation.public_url, f"http://127.0.0.1:{self.town.installation.port}"
        until = time.monotonic() + PATIENCE + MINUTE
        while True:
            try:
                return sign_in(url, issuer, terminal, ahead=self.ahead)
            except HTTPError as fault:
                fault.close()
                if fault.code not in (401, 429, 503) or time.monotonic() > until:
                    raise
                time.sleep(1.0 if fault.code == 429 else 0.1)

    def _code(self) -> Made:
        return next(self.phones.fresh(time.time() + self.ahead))

    def _ask(self, at: int, path: str, body: bytes, key: str | None) -> Answer | None:
        headers = self.sessions[at].headers("POST", path, body, key=key, now=time.time() + self.ahead)
        try:
            return self.callers[at].send("POST", path, body, headers)
        except NoAnswer:
            return None

    def _shown(self, answer: Answer | None) -> str:
        if answer is None:
            return "no answer"
        return answer.code if answer.status >= 400 else str(answer.status)

    def _expect(self, number: int, holds: bool, sentence: str) -> None:
        if not holds:
            self.outcome.found.append(f"round {number}: {sentence}")
