"""A delivery is tried until it is taken, by a published schedule, and survives its worker."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from auth.consents import ledger
from auth.partners import registering
from core import db, ids, jobs
from core import worker as loops
from core.actors import system
from services import exchange
from services.exchange import telling
from services.exchange.delivering import LEASE, SCHEDULE, sweep
from services.exchange.sending import Outcome
from tests.access.whole import ISSUER, YUNCHUAN, Person, Whole
from tests.exchange.conftest import (
    AT,
    Killed,
    Library,
    Receiver,
    consent,
    later,
    report_lost,
    withdraw,
    work,
)

own_work = threading.Event()


@jobs.job("test:own")
def own() -> None:
    """Work of the platform's own."""
    own_work.set()


def test_a_worker_killed_before_or_after_sending_loses_nothing(town: Whole, library: Library, receiver: Receiver, wang: Person) -> None:
    """The job of a killed worker stays taken for ever; the delivery's own time brings it back, under the same id."""
    endpoint = library.endpoint()["endpoint"]["id"]
    consent(town, wang, library.id)
    receiver.answers = [Killed(), Killed()]
    for _ in range(2):
        with pytest.raises(Killed):
            work()
        later(town, seconds=LEASE.total_seconds() + 1)
        sweep()
    work()
    assert len(receiver.got) == 3
    assert len({got.headers["webhook-id"] for got in receiver.got}) == 1
    assert [each["state"] for each in library.deliveries(endpoint)] == ["delivered"]


class Deadly(Receiver):
    """Ends its process by SIGKILL when it is to send; ``after`` the receiver has it."""

    after: str = ""

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Outcome:
        if self.after:
            Path(self.after).write_text(headers["webhook-id"])
        os.kill(os.getpid(), signal.SIGKILL)
        return Outcome(None)


@pytest.mark.parametrize("place", ["hearing", "sending", "sent"])
def test_a_worker_process_killed_at_any_place_loses_nothing(
    town: Whole, library: Library, receiver: Receiver, wang: Person, place: str, tmp_path: Path
) -> None:
    """A process of its own, with connections of its own, ended by the kernel."""
    endpoint = library.endpoint()["endpoint"]["id"]
    consent(town, wang, library.id)
    seen = tmp_path / "seen"
    if (child := os.fork()) == 0:
        try:
            db.db.engine.dispose(close=False)
            db._local.held = None
            deadly = Deadly()
            deadly.after = str(seen) if place == "sent" else ""
            exchange.configure(deadly, source=ISSUER)
            if place == "hearing":
                telling.write = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)
            work()
        finally:
            os._exit(3)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status)
    assert os.WTERMSIG(status) == signal.SIGKILL
    later(town, seconds=LEASE.total_seconds() + 1)
    for _ in range(50):
        sweep()
        work()
        if receiver.got:
            break
        time.sleep(0.1)  # PostgreSQL notices that the client is gone
    (got,) = receiver.got
    assert place != "sent" or seen.read_text() == got.headers["webhook-id"]
    assert [row["state"] for row in library.deliveries(endpoint)] == ["delivered"]


def test_the_schedule_is_followed_to_the_dead_letter_and_a_replay_starts_it_anew(
    town: Whole, library: Library, receiver: Receiver, wang: Person
) -> None:
    endpoint = library.endpoint()["endpoint"]["id"]
    consent(town, wang, library.id)
    receiver.always = Outcome(503)
    work()
    for nth, pause in enumerate(SCHEDULE, start=1):
        (row,) = library.deliveries(endpoint)
        assert (row["state"], row["attempts"], row["last_status"]) == ("waiting", nth, 503)
        later(town, seconds=pause.total_seconds() - 3)
        work()
        assert len(receiver.got) == nth, "not before its time"
        later(town, seconds=4)
        work()
        assert len(receiver.got) == nth + 1
    (row,) = library.deliveries(endpoint)
    assert (row["state"], row["next_at"]) == ("dead", None)
    receiver.always = Outcome(200)
    answer = library.call("POST", f"{AT}/{endpoint}/deliveries/{row['id']}/replay")
    assert (answer.status_code, answer.json["state"]) == (202, "waiting")
    work()
    assert library.deliveries(endpoint)[0]["state"] == "delivered"
    assert {got.headers["webhook-id"] for got in receiver.got} == {row["id"]}


@pytest.mark.parametrize("status", [301, 302, 307, 400, 500])
def test_what_is_no_success_is_tried_again(town: Whole, library: Library, receiver: Receiver, wang: Person, status: int) -> None:
    endpoint = library.endpoint()["endpoint"]["id"]
    receiver.always = Outcome(status)
    library.call("POST", f"{AT}/{endpoint}/test")
    work()
    assert library.deliveries(endpoint)[0]["state"] == "waiting"


def test_five_days_of_failure_disable_an_endpoint_and_a_test_that_arrives_enables_it(
    town: Whole, library: Library, receiver: Receiver, wang: Person
) -> None:
    endpoint = library.endpoint()["endpoint"]["id"]
    receiver.always = Outcome(None, "no_answer")
    shown = consent(town, wang, library.id)
    work()
    later(town, days=5, minutes=1)
    work()
    (listed,) = library.call("GET", AT).json["items"]
    assert (listed["state"], listed["note"]) == ("disabled", "failing")
    with db.transaction():
        ledger.withdraw(wang.actor, ids.parse("consent", shown))
    work()
    assert len(library.deliveries(endpoint)) == 1
    receiver.always = Outcome(200)
    library.call("POST", f"{AT}/{endpoint}/test")
    work()
    (listed,) = library.call("GET", AT).json["items"]
    assert (listed["state"], listed["note"], listed["failing_since"]) == ("active", None, None)


def test_an_endpoint_that_does_not_answer_holds_up_the_worker_once_a_minute(town: Whole, library: Library, receiver: Receiver) -> None:
    endpoint = library.endpoint()["endpoint"]["id"]
    for _ in range(5):
        assert library.call("POST", f"{AT}/{endpoint}/test").status_code == 202
    receiver.answers = [Outcome(None, "too_slow")]
    work()
    assert len(receiver.got) == 1
    later(town, seconds=61)
    sweep()
    work()
    assert {row["state"] for row in library.deliveries(endpoint)} == {"delivered"}


def test_gone_disables_at_once(town: Whole, library: Library, receiver: Receiver) -> None:
    endpoint = library.endpoint()["endpoint"]["id"]
    receiver.answers = [Outcome(410)]
    library.call("POST", f"{AT}/{endpoint}/test")
    work()
    assert library.call("GET", AT).json["items"][0]["note"] == "gone"
    assert library.deliveries(endpoint)[0]["state"] == "dead"


def test_consent_that_ends_while_a_delivery_waits_stops_it(town: Whole, library: Library, receiver: Receiver, wang: Person) -> None:
    endpoint = library.endpoint(events=["citycard.card.lost"])["endpoint"]["id"]
    shown = consent(town, wang, library.id)
    receiver.answers = [Outcome(500)]
    report_lost(town, wang)
    work()
    withdraw(town, wang, shown)
    later(town, seconds=6)
    work()
    assert len(receiver.got) == 1
    (row,) = library.deliveries(endpoint)
    assert (row["state"], row["last_fault"]) == ("dropped", "consent_ended")


def test_a_partner_that_is_switched_off_hears_nothing(town: Whole, library: Library, receiver: Receiver, wang: Person) -> None:
    library.endpoint()
    consent(town, wang, library.id)
    with db.transaction():
        registering.switch(system("test", YUNCHUAN), library.id, on=False)
    work()
    assert receiver.got == []


def test_receivers_that_hang_hold_up_no_other_job(town: Whole, library: Library, receiver: Receiver) -> None:
    """The worker as it runs: all the slots of the deliveries are taken, more wait, and the platform's own job is done."""
    held, hanging, stop = threading.Event(), threading.Semaphore(0), threading.Event()
    own_work.clear()

    def hang(url: str, headers: Mapping[str, str], body: bytes) -> Outcome:
        hanging.release()
        held.wait(60)
        return Outcome(204)

    receiver.post = hang  # type: ignore[method-assign]  # this receiver hangs
    for nth in range(jobs.LANES[jobs.STRANGERS] + 3):
        endpoint = library.endpoint(f"https://hooks{nth}.library.cn/")["endpoint"]["id"]
        assert library.call("POST", f"{AT}/{endpoint}/test").status_code == 202
    worker = threading.Thread(target=loops.run, args=(town.app, stop))
    worker.start()
    try:
        for _ in range(jobs.LANES[jobs.STRANGERS]):
            assert hanging.acquire(timeout=30)
        with db.transaction():
            jobs.defer(own)
        assert own_work.wait(30)
        assert not hanging.acquire(blocking=False), "no more at once than there are slots"
    finally:
        held.set()
        stop.set()
        worker.join(30)
