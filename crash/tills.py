"""Tills under load: threads that charge codes, ask again under the same key until they know, and write down what they were told."""

import json
import random
import secrets
import threading
import time
from collections.abc import Callable

from bench.codes import Made, Phones
from bench.load import Address
from bench.terminals import Session
from cards.codes.pay_code import STEP_SECONDS
from core import ids
from crash.calling import Answer, Caller, NoAnswer
from crash.record import Code, Paid, Presented, Record, Refused

FINAL = frozenset({400, 402, 403, 404, 409, 422})  # a decision; anything else is asked again
NOT_DECIDED = frozenset({"request_in_progress", "codes_recovering"})
GIVE_UP = 25.0  # seconds of asking again after which a key is left open


class CodesUsedUp(Exception):
    """The phones have no fresh code left in this step of time."""


class Supply:
    """Fresh codes for many threads."""

    def __init__(self, phones: Phones) -> None:
        self._phones = phones
        self._lock = threading.Lock()

    def take(self) -> Made:
        """A code nobody has used; raises CodesUsedUp."""
        with self._lock:
            made = next(self._phones.fresh(time.time()), None)
        if made is None:
            raise CodesUsedUp
        return made

    def wait(self) -> Made:
        """A code nobody has used, of the next step of time where this one has none left; raises CodesUsedUp."""
        until = time.monotonic() + STEP_SECONDS + 5
        while True:
            try:
                return self.take()
            except CodesUsedUp:
                if time.monotonic() > until:
                    raise
            time.sleep(0.05)


class Tills:
    """Threads that charge as fast as they are answered."""

    def __init__(
        self, address: Address, sessions: Callable[[], list[Session]], supply: Supply, record: Record, *, seed: int, threads: int
    ) -> None:
        self.address, self.sessions, self.supply, self.record = address, sessions, supply, record
        self.seed, self.threads = seed, threads
        self._stop = threading.Event()
        self._running: list[threading.Thread] = []

    def open(self) -> None:
        """Starts charging."""
        self._stop.clear()
        self._running = [
            threading.Thread(target=self._serve, args=(number,), name=f"till-{number}", daemon=True) for number in range(self.threads)
        ]
        for thread in self._running:
            thread.start()

    def close(self) -> None:
        """Takes no new purchase and waits until every open key is settled or given up."""
        self._stop.set()
        for thread in self._running:
            thread.join(GIVE_UP + 15)
        if left := [thread.name for thread in self._running if thread.is_alive()]:
            raise RuntimeError(f"these tills hang: {', '.join(left)}")

    def _serve(self, number: int) -> None:
        caller, chance = Caller(self.address), random.Random(self.seed * 1000 + number)
        while not self._stop.is_set():
            try:
                made = self.supply.take()
            except CodesUsedUp:
                time.sleep(0.2)
                continue
            self.charge(caller, chance.choice(self.sessions()), made, chance.randint(1, 900))
        caller.close()

    def charge(self, caller: Caller, session: Session, made: Made, amount: int, *, alone: bool = True) -> bool:
        """One purchase under one key, asked again until there is a decision; whether it was paid.

        `alone` is false where other keys are sent with the same code, so that a refusal says nothing about the code.
        """
        key, code = secrets.token_urlsafe(16), Code(made.handle, made.step, made.tap)
        body = json.dumps({"code": made.digits, "amount_fen": amount}).encode()
        started, tries = time.monotonic(), 0
        while time.monotonic() - started < GIVE_UP:
            tries += 1
            answer = self._ask(caller, session, "/api/charges", body, key)
            if answer is not None and answer.status == 201:
                charge = ids.parse("charge", answer.body["id"])
                paid = Paid(key, session.terminal, charge, code, amount, tries, body)
                self.record.tell_paid(paid, time.monotonic() - started)
                return True
            if answer is not None and answer.status in FINAL and answer.code not in NOT_DECIDED:
                self.record.tell_refused(Refused(key, code, answer.code, alone))
                return False
            time.sleep(random.uniform(0.02, 0.15))
        self.record.leave_open(key, code)
        return False

    def rush(self, session: Session, made: Made, amount: int, crowd: int = 12) -> list[threading.Thread]:
        """One code charged by many at once under different keys: at most one may be paid."""
        gate = threading.Barrier(crowd)

        def one() -> None:
            caller = Caller(self.address)
            gate.wait(10)
            self.charge(caller, session, made, amount, alone=False)
            caller.close()

        threads = [threading.Thread(target=one, daemon=True) for _ in range(crowd)]
        for thread in threads:
            thread.start()
        return threads

    def present(self, caller: Caller, session: Session, made: Made) -> str:
        """One identity presentation, asked once; what was answered, and a good one is written down."""
        body = json.dumps({"code": made.digits}).encode()
        answer = self._ask(caller, session, "/api/presentations", body, None)
        if answer is not None and answer.status in (200, 201):
            self.record.tell_presented(Presented(session.terminal, Code(made.handle, made.step, made.tap)))
            return "presented"
        return "no answer" if answer is None else answer.code

    def again(self, caller: Caller, session: Session, paid: Paid) -> None:
        """The same request under the same key gives the first answer, marked as a repetition."""
        answer = self._ask(caller, session, "/api/charges", paid.body, paid.key)
        if answer is None or answer.status >= 500 or answer.code in NOT_DECIDED:
            return
        if answer.status != 201:
            self.record.tell_refused(Refused(paid.key, paid.code, answer.code, alone=False))
            return
        charge = ids.parse("charge", answer.body["id"])
        self.record.tell_paid(Paid(paid.key, paid.terminal, charge, paid.code, paid.amount_fen, 1, paid.body), 0.0)
        if not answer.replayed:
            self.record.contradict(f"key {paid.key} was done again instead of answered again")

    def _ask(self, caller: Caller, session: Session, path: str, body: bytes, key: str | None) -> Answer | None:
        try:
            answer = caller.post(session, path, body, key=key)
        except NoAnswer as fault:
            self.record.count(f"no answer: {fault}")
            return None
        self.record.count(f"{answer.status} {answer.code}" if answer.status >= 400 else str(answer.status))
        return answer
