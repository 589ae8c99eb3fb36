"""Endpoints of partners: their bounds, their secrets, their end."""

from __future__ import annotations

import base64
import json
import threading

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from command.story.wire import wait_for
from core import db, outbox
from core.actors import Actor, ActorKind
from services.exchange import endpoints
from services.exchange.delivering import forget
from tests.access.whole import YUNCHUAN, Person, Whole
from tests.exchange.conftest import (
    AT,
    Library,
    Receiver,
    consent,
    later,
    register,
    work,
)


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
