"""What can happen to a platform in mid-payment: each blow strikes one part; mending is the town's.

A strike that needs somebody to feel it (a request on the line, a payment of a bill) returns when that has happened, on whatever machine.
"""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from crash.line import Fault
from crash.town import Town, kill

COMPANY = "company's answers lost"
UNSURE = 3  # payments of bills that a blow at the company leaves unsure
PATIENCE = 20.0  # seconds, at most, until a blow has struck
Strike = Callable[[Town, random.Random], None]


@dataclass(frozen=True, slots=True)
class Blow:
    """A name for the tally, the strike, and how long the platform is left alone with it afterwards (seconds, at most)."""

    name: str
    strike: Strike
    alone: float = 0.3


def _web_worker(town: Town, chance: random.Random) -> None:
    """One or both workers of the web server; the server itself starts new ones."""
    workers = town.web_workers()
    for pid in chance.sample(workers, min(len(workers), chance.choice((1, 1, 2)))):
        kill(pid)


def _web(town: Town, _chance: random.Random) -> None:
    town.kill_child("web")


def _job_worker(town: Town, _chance: random.Random) -> None:
    town.kill_child("worker")


def _provider(town: Town, _chance: random.Random) -> None:
    town.kill_child("outside")


def _backend(town: Town, chance: random.Random) -> None:
    """One server process of a client: PostgreSQL then ends all of them and recovers from its log by itself."""
    town.kill_backend(chance)


def _postgres(town: Town, _chance: random.Random) -> None:
    town.kill_postgres()


def _valkey(town: Town, _chance: random.Random) -> None:
    town.kill_valkey()


def _company_answers_lost(town: Town, _chance: random.Random) -> None:
    """Every answer to a payment, until payments are unsure; then every answer, so that who asks about them hears nothing either.

    A call is tried more than once, and only when no answer comes at all is its outcome unknown. All answers at once would leave few
    payments unsure: nobody could bind an account or list its bills.
    """
    town.lose_answers("payment_answer_lost")
    town.wait_for_unsure(UNSURE, PATIENCE)
    town.lose_answers("answer_lost")


def _on_line(fault: Fault, low: float, high: float) -> Strike:
    def strike(town: Town, chance: random.Random) -> None:
        town.line.suffer(fault, chance.uniform(low, high))
        until = time.monotonic() + PATIENCE
        while not town.line.struck and time.monotonic() < until:
            time.sleep(0.005)

    return strike


BLOWS = (
    Blow("web worker killed", _web_worker),
    Blow("web server killed", _web),
    Blow("job worker killed", _job_worker),
    Blow("PostgreSQL backend killed", _backend),
    Blow("PostgreSQL killed", _postgres),
    Blow("Valkey killed", _valkey, 0.6),
    Blow("provider killed", _provider, 0.6),
    Blow(COMPANY, _company_answers_lost, 2.0),
    Blow("acknowledgements lost", _on_line(Fault.ACKLOSS, 0.02, 0.3), 0.8),
    Blow("requests reset", _on_line(Fault.RESET, 0.02, 0.3), 0.8),
    Blow("line slow", _on_line(Fault.LATENCY, 0.02, 0.15), 0.8),
    Blow("line silent", _on_line(Fault.SILENCE, 0, 0), 0.8),
    Blow("line down", _on_line(Fault.DOWN, 0, 0), 0.5),
)


def deal(town: Town, blow: Blow, chance: random.Random) -> None:
    """Strikes, leaves the platform alone with it for a moment, and mends."""
    blow.strike(town, chance)
    time.sleep(chance.uniform(0, blow.alone))
    town.mend()
