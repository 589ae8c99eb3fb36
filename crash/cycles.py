"""Cycles of charging, a blow, mending and comparing; the verdict is what the books say against what was told."""

import random
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

import migrations
from bench.codes import Phones
from bench.granian import ROOT
from bench.people import People, settle
from bench.terminals import Session, Terminal, sign_in
from crash import company, hearing
from crash.bills import BillPayers
from crash.blows import BLOWS, COMPANY, Blow, deal
from crash.books import differences
from crash.calling import Caller
from crash.consents import Consenters
from crash.partners import Endpoint, registered
from crash.purses import Purses
from crash.record import Record
from crash.residents import Residents
from crash.sentinel import Sentinel
from crash.tills import CodesUsedUp, Supply, Tills
from crash.town import Town, raise_town

HANDLES, TERMINALS, MERCHANTS = 4000, 12, 4
WHO_TOP_UP, WHO_PAY_BILLS, WHO_CONSENT = range(30), range(30, 230), range(230, 260)  # residents, by number
LATER, MUCH_LATER = 60.0, 1800.0  # seconds by which the city's time is moved at the end, more each time, until nothing waits for its time
STUCK_AFTER = 60.0  # seconds of the machine's time in which nothing more was settled
SOME_CYCLES = 3  # by then somebody must have paid and topped up, or nothing was tried
TOKEN_LIFE = 300.0  # seconds after which tills sign in anew; a token lives ten minutes
EACH, SELDOM = 30, 10  # so many cycles are compared one by one, later each tenth and the last: what broke stays broken, and books grow
NEWS = 1.0  # seconds, at most, until somebody pays a bill
REPEATS = 8  # acknowledged charges that are sent again after each cycle
Told = Callable[[str], None]


@dataclass(slots=True)
class Verdict:
    """How a run ended: everything wrong that was found, and what had been told by then."""

    cycles: int = 0
    seconds: float = 0.0
    found: list[str] = field(default_factory=list)
    untried: list[str] = field(default_factory=list)  # what nobody managed to do, so that nothing was proved of it
    blows: dict[str, int] = field(default_factory=dict)
    paid: int = 0
    after_retry: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    credited: int = 0
    bills: int = 0
    unsure: int = 0
    events: int = 0
    open: int = 0
    slowest: float = 0.0
    answers: dict[str, int] = field(default_factory=dict)

    @property
    def clean(self) -> bool:
        """Whether nothing wrong was found, and everything was tried."""
        return not self.found and not self.untried


class Desk:
    """The terminals and their sessions, signed in anew before their tokens die."""

    def __init__(self, town: Town, terminals: Sequence[Terminal]) -> None:
        self._town, self._terminals = town, terminals
        self._sessions: list[Session] = []
        self._since = -TOKEN_LIFE
        self._lock = threading.Lock()

    def sessions(self) -> list[Session]:
        """Sessions that are good for a while."""
        with self._lock:
            if time.monotonic() - self._since >= TOKEN_LIFE:
                with suppress(OSError):  # the web may be down just now: the old tokens serve a little longer
                    self._sign_in()
            return self._sessions

    def _sign_in(self) -> None:
        issuer, url = self._town.installation.public_url, f"http://127.0.0.1:{self._town.installation.port}"
        self._sessions = [sign_in(url, issuer, terminal) for terminal in self._terminals]
        self._since = time.monotonic()

    def of(self, terminal: object) -> Session:
        """The session of one terminal."""
        return next(session for session in self.sessions() if session.terminal == terminal)


def run(*, cycles: int, seed: int, tell: Told, blows: Sequence[Blow] = BLOWS, stop_at_first: bool = True) -> Verdict:
    """Plays `cycles` cycles; every cycle deals another blow, in an order drawn from `seed`."""
    with tempfile.TemporaryDirectory(prefix="citycard-crash-") as folder:
        town = raise_town(Path(folder), seed=seed)
        try:
            people = _people(town)
            town.start()
            return _Run(town, people, cycles, seed, tell, blows, stop_at_first).play()
        finally:
            town.stop()


def _people(town: Town) -> People:
    """Migrates and fills the database."""
    installation = town.installation
    migrations.upgrade(installation.owner_database_url)
    root_key = bytes.fromhex(installation.root_key)
    return settle(installation.owner_database_url, root_key, handles=HANDLES, poor=0, terminals=TERMINALS, merchants=MERCHANTS)


class _Run:
    """One run under way."""

    def __init__(self, town: Town, people: People, cycles: int, seed: int, tell: Told, blows: Sequence[Blow], stop_at_first: bool) -> None:
        self.town, self.people, self.tell = town, people, tell
        self.cycles, self.blows, self.stop_at_first = cycles, blows, stop_at_first
        self.chance, self.record = random.Random(seed), Record()
        phones = Phones(people.master, people.city_id, people.prefix, people.handles)
        self.supply, self.desk = Supply(phones), Desk(town, people.terminals)
        self.tills = Tills(town.address, self.desk.sessions, self.supply, self.record, seed=seed, threads=8)
        residents = Residents(town.installation, people.residents[: WHO_CONSENT.stop], self.record)
        partner, self.partner_token = registered(town.installation)
        self.endpoint = Endpoint(town.owner_url, self.record)
        self.purses = Purses(residents, WHO_TOP_UP, seed=seed)
        self.crowds = (self.purses, BillPayers(residents, WHO_PAY_BILLS, seed=seed), Consenters(residents, WHO_CONSENT, partner, seed=seed))
        self.sentinel = Sentinel(self.tills, self.supply)
        self.verdict = Verdict()

    def play(self) -> Verdict:
        """All cycles, then the settling and the last comparison."""
        started = time.monotonic()
        self.desk.sessions()
        self.endpoint.subscribe(self.town.installation, self.partner_token)
        self.tills.open()
        for crowd, threads in zip(self.crowds, (3, 3, 1), strict=True):
            crowd.open(threads)
        order = self._order()
        for number in range(1, self.cycles + 1):
            self._cycle(number, next(order))
            if self.verdict.found and self.stop_at_first:
                break
        self._settle()
        self.verdict.seconds = time.monotonic() - started
        return self.verdict

    def _order(self) -> Iterator[Blow]:
        """Every blow in turn, shuffled anew each time round, so that a short run meets all of them."""
        while True:
            yield from self.chance.sample(list(self.blows), len(self.blows))

    def _cycle(self, number: int, blow: Blow) -> None:
        paid = len(self.record.paid)
        time.sleep(self.chance.uniform(0.4, 1.4))
        rush = self._rush()
        watched = self.sentinel.before(self.desk.sessions()[0])
        self._wait_for_payment()  # the blow meets somebody who pays
        time.sleep(self.chance.uniform(0, 0.03))
        deal(self.town, blow, self.chance)
        self.sentinel.after(self.desk.sessions()[0], watched)
        self._wait_for_payment()
        for thread in rush:
            thread.join(40)
        self._repeat()
        company.wait_for_news(self.town.outside_books, NEWS)  # the comparison meets a payment that was told of just now
        if number <= EACH or number % SELDOM == 0:
            self._compare()
        self.verdict.cycles, self.verdict.blows[blow.name] = number, self.verdict.blows.get(blow.name, 0) + 1
        self.tell(f"cycle {number:3d}  {blow.name:26s} {len(self.record.paid) - paid:5d} paid, {len(self.record.paid)} in all")

    def _rush(self) -> list[threading.Thread]:
        try:
            return self.tills.rush(self.chance.choice(self.desk.sessions()), self.supply.wait(), 100)
        except CodesUsedUp:
            return []

    def _wait_for_payment(self) -> None:
        """Somebody pays at this very moment; the platform is back only when that is so."""
        paid, until = len(self.record.paid), time.monotonic() + 60
        while len(self.record.paid) == paid:
            if time.monotonic() > until:
                self.verdict.found.append(f"nobody could pay for a minute; answers so far {dict(self.record.answers)}")
                return
            time.sleep(0.02)

    def _repeat(self) -> None:
        """The same request again, some of them from long ago: the first answer, and nothing moved."""
        paid, caller = list(self.record.snapshot().paid.values()), Caller(self.town.address)
        for told in self.chance.sample(paid, min(REPEATS, len(paid))):
            self.tills.again(caller, self.desk.of(told.terminal), told)
        caller.close()

    def _compare(self) -> None:
        self.verdict.found += differences(self.town.owner_url, self.town.outside_books, self.record.snapshot())
        self.verdict.found += hearing.differences(self.town.owner_url, self.record)

    def _settle(self) -> None:
        """Everything healed, every open request settled, every chain sealed and recomputed."""
        self.town.mend()
        self.tills.close()
        for crowd in self.crowds:
            crowd.stopped.set()
        for crowd in self.crowds:
            crowd.close()
        self._wait_out()
        self.endpoint.stop()
        self.verdict.found += self.purses.lost
        if self.verdict.cycles >= SOME_CYCLES:
            self.verdict.untried = self._untried()
        self._compare()
        if not self.verdict.found:
            self.verdict.found += chain_breaks(self.town)
        self._sum_up()

    def _wait_out(self) -> None:
        """Until no bill is under way and no event waits, the city's time goes on: both are tried again later and later."""
        step, seen, until = LATER, (-1, -1, -1), 0.0
        while True:
            with psycopg.connect(self.town.owner_url, autocommit=True) as books:
                bills, events = company.under_way(books), hearing.waiting(books)
            unheard = hearing.unheard(self.record)
            if (open_now := (bills, events, len(unheard))) != seen:
                seen, until = open_now, time.monotonic() + STUCK_AFTER
            if not any(seen) or time.monotonic() > until:
                break
            self.town.advance(step)
            step = min(MUCH_LATER, step * 1.2)
            time.sleep(1)
        if bills:
            self.verdict.found.append(f"{bills} payments of bills were never decided")
        self.verdict.found += hearing.lost(unheard)
        if bills or unheard:
            with psycopg.connect(self.town.owner_url, autocommit=True) as books:
                self.verdict.found.append(f"as things stand: {hearing.state_of_things(books)}")

    def _untried(self) -> list[str]:
        told = self.record
        tried = (
            ("top up", told.credited),
            ("pay a bill", told.bills),
            ("withdraw a consent", told.facts),
            ("tell the partner", told.heard),
            ("present an identity code before a blow and again after it", self.sentinel.decided),
            *([("leave a payment of a bill unsure", self.town.unsure)] if COMPANY in self.verdict.blows else []),
        )
        return [f"nobody could {what} in all this time" for what, done in tried if not done]

    def _sum_up(self) -> None:
        told, verdict = self.record.snapshot(), self.verdict
        verdict.found = list(dict.fromkeys(verdict.found))
        verdict.bills, verdict.events = sum(bill.state == "paid" for bill in told.bills.values()), len(told.heard)
        verdict.unsure = len(self.town.unsure)
        verdict.paid, verdict.credited, verdict.open = len(told.paid), len(told.credited), len(told.unknown)
        verdict.after_retry = sum(1 for paid in told.paid.values() if paid.tries > 1)
        verdict.refused = dict(Counter(refused.reason for refused in told.refused.values()))
        verdict.slowest, verdict.answers = told.slowest, dict(told.answers)


def chain_breaks(town: Town) -> list[str]:
    """Seals what is not sealed yet and recomputes every chain, in a process of its own."""
    environment = town.installation.environment(database_url=town.postgres.url())
    done = subprocess.run([sys.executable, "-m", "crash.chains"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return []
    return [f"chains: {done.stdout[-1000:]}{done.stderr[-1000:]}"]
