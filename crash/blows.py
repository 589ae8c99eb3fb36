"""What can happen to a platform in mid-payment: each blow strikes one part; mending is the town's."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from crash.line import Fault
from crash.town import Town, kill

Strike = Callable[[Town, random.Random], None]


@dataclass(frozen=True, slots=True)
class Blow:
    """A name for the tally, the strike, and how long the platform is left alone with it (seconds, at most)."""

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
    """All of them: a call is tried more than once, and only when no answer comes is the outcome unknown."""
    town.answers_of_the_company_lost(1)


def _on_line(fault: Fault, low: float, high: float) -> Strike:
    def strike(town: Town, chance: random.Random) -> None:
        town.line.suffer(fault, chance.uniform(low, high))

    return strike


BLOWS = (
    Blow("web worker killed", _web_worker),
    Blow("web server killed", _web),
    Blow("job worker killed", _job_worker),
    Blow("PostgreSQL backend killed", _backend),
    Blow("PostgreSQL killed", _postgres),
    Blow("Valkey killed", _valkey, 0.6),
    Blow("provider killed", _provider, 0.6),
    Blow("company's answers lost", _company_answers_lost, 5.0),
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
