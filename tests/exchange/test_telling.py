"""Who is told what, by which signature, and that nothing is told before its commit nor ever lost."""

from __future__ import annotations

import base64
import datetime as dt
import json
import os
import signal
import threading
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

import auth
from auth.consents import ledger
from auth.partners import registering
from command.story.wire import wait_for
from core import db, ids, jobs, outbox
from core import worker as loops
from core.actors import Actor, ActorKind, system
from services import exchange
from services.exchange import endpoints, telling
from services.exchange.delivering import LEASE, SCHEDULE, forget, sweep
from services.exchange.sending import Outcome
from tests.access.whole import ISSUER, YUNCHUAN, Person, Whole
from tests.exchange.conftest import (
    AT,
    Killed,
    Library,
    Receiver,
    consent,
    later,
    register,
    report_lost,
    withdraw,
    work,
)

own_work = threading.Event()


@jobs.job("test:own")
def own() -> None:
    """Work of the platform's own."""
    own_work.set()


def test_a_consent_a_loss_and_a_withdrawal_are_told_signed_and_without_personal_data(
    town: Whole, library: Library, receiver: Receiver, wang: Person
) -> None:
    secret = library.endpoint()["secret"]
    shown = consent(town, wang, library.id)
    work()
    report_lost(town, wang)
    work()
    withdraw(town, wang, shown)
    work()
    events = [got.event for got in receiver.got]
    assert [event["type"] for event in events] == ["citycard.consent.granted", "citycard.card.lost", "citycard.consent.withdrawn"]
    (subject,) = {event["subject"] for event in events}
    assert events[0]["data"] == {"subject": subject, "consent": shown, "purpose": "lending", "text_version": 1}
    assert events[1]["data"] == {"subject": subject}
    for got in receiver.got:
        assert Webhook(secret).verify(got.body, got.headers) == got.event
        assert got.event["specversion"] == "1.0"
        assert got.event["id"] == got.headers["webhook-id"]
        assert got.headers["Content-Type"].startswith("application/cloudevents+json")
        text = got.body.decode()
        hidden = (wang.name, wang.phone, wang.citizen_number, ids.show("resident", wang.id), str(wang.id), str(wang.card))
        assert not [word for word in hidden if word in text]


def test_closing_the_account_tells_every_partner_that_its_consent_ended(
    town: Whole, library: Library, receiver: Receiver, wang: Person
) -> None:
    library.endpoint(events=["citycard.consent.withdrawn"])
    shown = consent(town, wang, library.id)
    with db.transaction():
        auth.SharingData().erase(wang.id)
        auth.AuthData().erase(wang.id)
    work()
    (got,) = receiver.got
    assert (got.event["type"], got.event["data"]["consent"]) == ("citycard.consent.withdrawn", shown)


def test_a_changed_byte_another_secret_or_an_old_time_does_not_verify(
    town: Whole, library: Library, receiver: Receiver, wang: Person
) -> None:
    secret = library.endpoint()["secret"]
    consent(town, wang, library.id)
    work()
    (got,) = receiver.got
    other = "whsec_" + base64.b64encode(bytes(32)).decode()
    wrong = [
        (secret, got.body.replace(b"granted", b"Granted"), got.headers),
        (other, got.body, got.headers),
        (secret, got.body, {**got.headers, "webhook-id": "delivery_x"}),
        (secret, got.body, {**got.headers, "webhook-timestamp": str(int(got.headers["webhook-timestamp"]) - 600)}),
    ]
    for key, body, headers in wrong:
        with pytest.raises(WebhookVerificationError):
            Webhook(key).verify(body, headers)


def test_a_partner_hears_of_nobody_who_did_not_consent_to_it(town: Whole, library: Library, receiver: Receiver, wang: Person) -> None:
    library.endpoint()
    other = register("museum")
    consent(town, wang, other)
    report_lost(town, wang)
    work()
    assert receiver.got == []


def test_two_partners_cannot_join_what_they_are_told(town: Whole, library: Library, receiver: Receiver, wang: Person) -> None:
    museum = Library(town, register("museum"))
    for each, url in ((library, "https://a.library.cn/"), (museum, "https://b.museum.cn/")):
        each.endpoint(url, ["citycard.card.lost"])
        consent(town, wang, each.id)
    report_lost(town, wang)
    work()
    one, two = (got.event for got in receiver.got)
    shared = {name for name in one if one[name] == two[name]}
    assert shared == {"specversion", "source", "type", "time", "datacontenttype"}
    assert dt.datetime.fromisoformat(one["time"]).microsecond == 0


def test_what_was_rolled_back_is_not_told(town: Whole, library: Library, receiver: Receiver, wang: Person) -> None:
    library.endpoint()

    def undone() -> None:
        with db.transaction():
            ledger.grant_by_code(wang.actor, library.id, "lending", 1)
            raise Killed

    with pytest.raises(Killed):
        undone()
    work()
    assert receiver.got == []
    assert jobs.run_due() == 0


def test_nothing_is_told_before_its_commit(town: Whole, library: Library, receiver: Receiver, wang: Person) -> None:
    """The fact is there, uncommitted, while another thread's worker delivers."""

    library.endpoint()
    seen: list[int] = []

    def elsewhere() -> None:
        with town.app.app_context():
            work()
            seen.append(len(receiver.got))
        db.drop_connection()

    with db.transaction():
        ledger.grant_by_code(wang.actor, library.id, "lending", 1)
        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join(20)
    work()
    assert seen == [0]
    assert len(receiver.got) == 1


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


def test_for_a_day_both_secrets_sign(town: Whole, library: Library, receiver: Receiver) -> None:
    made = library.endpoint()
    endpoint, old = made["endpoint"]["id"], made["secret"]
    lost = library.call("POST", f"{AT}/{endpoint}/secret").json["secret"]
    new = library.call("POST", f"{AT}/{endpoint}/secret").json["secret"]
    assert len({old, lost, new}) == 3
    library.call("POST", f"{AT}/{endpoint}/test")
    work()
    for secret in (old, new):
        Webhook(secret).verify(receiver.got[-1].body, receiver.got[-1].headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(lost).verify(receiver.got[-1].body, receiver.got[-1].headers)
    later(town, hours=24, minutes=1)
    later_message = library.call("POST", f"{AT}/{endpoint}/test")
    assert later_message.status_code == 202, later_message.text
    work()
    got = receiver.got[-1]
    assert len(got.headers["webhook-signature"].split()) == 1


def test_the_database_and_the_answers_hold_no_secret(town: Whole, library: Library, receiver: Receiver) -> None:
    secret = library.endpoint()["secret"]
    raw = base64.b64decode(secret.removeprefix("whsec_"))
    rows = db.connection().execute("SELECT t::text FROM webhook_endpoint t UNION ALL SELECT t::text FROM audit t").fetchall()
    assert rows
    assert not [row for (row,) in rows if secret in row or raw.hex() in row]
    assert secret not in library.call("GET", AT).text


def test_an_endpoint_of_another_partner_is_not_there(town: Whole, library: Library, receiver: Receiver) -> None:
    endpoint = library.endpoint()["endpoint"]["id"]
    museum = Library(town, register("museum"))
    own = museum.endpoint()["endpoint"]["id"]
    row = library.call("POST", f"{AT}/{endpoint}/test").json["id"]
    for method, path in (
        ("DELETE", f"{AT}/{endpoint}"),
        ("POST", f"{AT}/{endpoint}/secret"),
        ("GET", f"{AT}/{endpoint}/deliveries"),
        ("POST", f"{AT}/{endpoint}/test"),
        ("POST", f"{AT}/{endpoint}/deliveries/{row}/replay"),
        ("POST", f"{AT}/{own}/deliveries/{row}/replay"),
    ):
        assert museum.call(method, path).status_code == 404, path
    assert [each["id"] for each in museum.call("GET", AT).json["items"]] == [own]


def test_endpoints_have_bounds(town: Whole, library: Library, receiver: Receiver) -> None:
    library.endpoint()
    assert library.call("POST", AT, {"url": "https://hooks.library.cn/citycard", "events": ["citycard.card.lost"]}).status_code == 409
    assert library.call("POST", AT, {"url": "http://hooks.library.cn/", "events": ["citycard.card.lost"]}).json["code"] == (
        "webhook_address_invalid"
    )
    assert library.call("POST", AT, {"url": "https://x.library.cn/", "events": ["auth:session:start"]}).status_code == 422
    for nth in range(9):
        library.endpoint(f"https://hooks{nth}.library.cn/")
    answer = library.call("POST", AT, {"url": "https://last.library.cn/", "events": ["citycard.card.lost"]})
    assert answer.json["code"] == "too_many_webhook_endpoints"


def test_of_two_that_add_the_tenth_endpoint_at_once_one_is_refused(town: Whole, library: Library, receiver: Receiver) -> None:
    for nth in range(9):
        library.endpoint(f"https://hooks{nth}.library.cn/")
    bearer, statuses = library.bearer, []
    here = Actor(kind=ActorKind.PARTNER, id=library.id, city_id=YUNCHUAN)
    with db.transaction():
        # The first has counted and written, and has not committed when the second begins.
        endpoints.add(here, "https://first.library.cn/", ["citycard.card.lost"])

        def second() -> None:
            headers = {"Authorization": f"Bearer {bearer}", "Content-Type": "application/json"}
            body = json.dumps({"url": "https://second.library.cn/", "events": ["citycard.card.lost"]}).encode()
            statuses.append(town.send("POST", AT, headers=headers, body=body).status_code)
            db.drop_connection()

        thread = threading.Thread(target=second)
        thread.start()
        wait_for(lambda: True if statuses or waits_for_a_lock() else None, what="the second to wait for the first")
    thread.join(20)
    assert statuses == [409]
    assert len(library.call("GET", AT).json["items"]) == 10


def waits_for_a_lock() -> bool:
    """Whether a connection of this database stands at another's lock."""
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    return bool(db.connection().execute(waiting).fetchone()[0])


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


def test_deleting_ends_what_waits_and_old_deliveries_are_forgotten(town: Whole, library: Library, receiver: Receiver, wang: Person) -> None:
    first, second = (library.endpoint(url)["endpoint"]["id"] for url in ("https://a.library.cn/", "https://b.library.cn/"))
    consent(town, wang, library.id)

    outbox.drain()
    assert library.call("DELETE", f"{AT}/{first}").status_code == 204
    work()
    assert [got.url for got in receiver.got] == ["https://b.library.cn/"]
    later(town, days=31)
    forget()
    assert library.deliveries(second) == []
