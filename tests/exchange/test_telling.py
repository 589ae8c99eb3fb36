"""Who is told what, by which signature, and nothing before its commit."""

from __future__ import annotations

import base64
import datetime as dt
import threading

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

import auth
from auth.consents import ledger
from core import db, ids, jobs
from tests.access.whole import Person, Whole
from tests.exchange.conftest import (
    Killed,
    Library,
    Receiver,
    consent,
    register,
    report_lost,
    withdraw,
    work,
)


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
