"""The card floor over HTTP: who may ask, what it looks like, and the walk from issue to loss."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

import cards
from cards.codes import reading
from cards.codes.pay_keys import PayKeyGiven
from core import db, ids, outbox
from core.actors import Actor
from core.errors import Unauthenticated
from core.ports import Call
from tests.cards.conftest import LINHU, YUNCHUAN, City, Phone, on, products, proved, staff, terminal


@dataclass
class Callers:
    """Stands at the place of auth: the header names a caller of the test."""

    known: dict[str, Actor] = field(default_factory=dict)

    def authenticate(self, call: Call) -> Actor:
        found = self.known.get(call.headers["Authorization"])
        if found is None:
            raise Unauthenticated()
        return found


@dataclass
class Client:
    """Sends requests as the actors of a test."""

    city: City
    callers: Callers
    count: int = 0

    def send(self, actor: Actor | None, method: str, path: str, body: Any = None, **headers: str) -> TestResponse:
        """One request; every write carries a key of its own."""
        self.count += 1
        if actor is not None:
            self.callers.known[str(actor.id) + "|".join(sorted(actor.scopes))] = actor
            headers["Authorization"] = str(actor.id) + "|".join(sorted(actor.scopes))
        headers.setdefault("Idempotency-Key", f"test-{self.count:08d}")
        sent = {} if body is None else {"json": body}
        return self.city.app.test_client().open(path, method=method, headers=headers, **sent)


@pytest.fixture
def http(app: Flask) -> Iterator[Client]:
    """The whole program with this test's callers."""
    callers = Callers()
    app.extensions["edge"].authenticator = callers
    reading.forget()
    with app.app_context():
        with db.transaction():
            cards.apply_products(YUNCHUAN, products("yunchuan"))
            cards.apply_products(LINHU, products("linhu"))
        yield Client(City(app), callers)
    reading.forget()


def issued(http: Client, holder: Actor) -> dict[str, Any]:
    """A card, asked for over HTTP."""
    answer = http.send(holder, "POST", "/api/cards", {"product": "resident"})
    assert answer.status_code == 201, answer.text
    card: dict[str, Any] = answer.json or {}
    return card


def phone_of(http: Client, holder: Actor, card: dict[str, Any]) -> Phone:
    """The holder's phone after it got its key over HTTP."""
    answer = http.send(holder, "POST", f"/api/cards/{card['id']}/pay-key")
    assert answer.status_code == 201, answer.text
    given = answer.json or {}
    names = {name: given[name] for name in PayKeyGiven.__slots__}
    return Phone(PayKeyGiven(**{**names, "card_id": ids.parse("card", given["card_id"])}))


def test_from_issue_to_loss_and_back(http: Client) -> None:
    holder = http.city.resident()
    assert [p["code"] for p in http.send(holder, "GET", "/api/products").json["items"]] == ["resident"]  # type: ignore[index]  # JSON
    card = issued(http, holder)
    assert card["refusal"] is None
    assert card["wallet_account_id"].startswith("account_")
    phone = phone_of(http, holder, card)

    shown = http.send(http.city.till, "POST", "/api/presentations", {"code": phone.code()})
    assert shown.status_code == 201, shown.text
    assert shown.json == {
        "id": shown.json["id"],
        "expires_at": shown.json["expires_at"],
        "masked_name": card["masked_name"],
        "card": {"tail": card["number"][-4:], "form": "virtual", "product": "resident", "concession": None},
    }

    lost = http.send(holder, "POST", f"/api/cards/{card['id']}/loss", {})
    assert lost.status_code == 200, lost.text
    assert lost.json["refusal"]["code"] == "card_lost"
    refused = http.send(http.city.till, "POST", "/api/presentations", {"code": phone.code()})
    assert (refused.status_code, refused.json["code"]) == (409, "card_lost")
    assert set(refused.json["messages"]) == {"zh-CN", "en"}
    assert http.send(proved(holder), "DELETE", f"/api/cards/{card['id']}/loss").json["refusal"] is None
    assert http.send(http.city.till, "POST", "/api/presentations", {"code": phone.code()}).status_code == 201

    told = http.send(holder, "GET", f"/api/cards/{card['id']}/events?limit=2").json
    assert [e["event"] for e in told["items"]] == ["cards:card:issue", "cards:loss:report"]
    rest = http.send(holder, "GET", f"/api/cards/{card['id']}/events?cursor={told['next_cursor']}").json
    assert [e["ordinal"] for e in rest["items"]] == [3]
    assert rest["next_cursor"] is None


def test_a_refusal_at_a_terminal_is_in_the_audit_log(http: Client) -> None:
    answer = http.send(http.city.till, "POST", "/api/presentations", {"code": "81" + "0" * 16})
    assert (answer.status_code, answer.json["code"]) == (409, "code_unknown")
    holder = http.city.resident()
    card = issued(http, holder)
    phone = phone_of(http, holder, card)
    http.send(holder, "POST", f"/api/cards/{card['id']}/loss", {})
    http.send(http.city.till, "POST", "/api/presentations", {"code": phone.code()})
    told = http.city.rows("SELECT event, outcome, resident_id, detail FROM audit WHERE actor_id = %s ORDER BY id", http.city.till.id)
    assert told == [
        ("cards:card:refuse", "code_unknown", None, {}),
        ("cards:card:refuse", "card_lost", holder.id, {"card": card["id"]}),
    ]


def test_a_repeated_issue_under_one_key_is_one_card(http: Client) -> None:
    holder = http.city.resident()
    first, again = (http.send(holder, "POST", "/api/cards", {"product": "resident"}, **{"Idempotency-Key": "issue-0001"}) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json == again.json
    assert again.headers["Idempotency-Replayed"] == "true"
    second = http.send(holder, "POST", "/api/cards", {"product": "resident"})
    assert (second.status_code, second.json["code"]) == (409, "card_issued_already")


def test_a_replacement_keeps_the_wallet(http: Client) -> None:
    holder = http.city.resident()
    old = issued(http, holder)
    new = http.send(holder, "POST", f"/api/cards/{old['id']}/replacement", {"reason": "lost"})
    assert new.status_code == 201, new.text
    assert new.json["number"] != old["number"]
    assert new.json["wallet_account_id"] == old["wallet_account_id"]
    listed = http.send(holder, "GET", "/api/cards").json["items"]
    assert [(card["state"], card["replaced_by"]) for card in listed] == [("active", None), ("replaced", new.json["id"])]


def test_the_counter_finds_reports_and_steps(http: Client) -> None:
    holder, clerk = http.city.resident(), http.city.clerk
    card = issued(http, holder)
    phone = phone_of(http, holder, card)
    found = http.send(clerk, "POST", "/api/counter/presentations", {"code": phone.code()})
    assert found.status_code == 200, found.text
    assert found.json["id"] == card["id"]
    assert "number" not in found.json
    path = f"/api/counter/cards/{card['id']}"
    lost = http.send(clerk, "POST", f"{path}/loss", {"reason": "持卡人到柜台挂失"})
    assert (lost.json["loss_kind"], lost.json["loss_lapses_at"]) == ("formal", None)
    assert http.send(clerk, "GET", path).json["refusal"]["code"] == "card_lost"
    assert http.send(clerk, "POST", f"{path}/steps", {"step": "freeze", "reason": "检查"}).status_code == 403
    supervisor = staff(YUNCHUAN, "cards:card:freeze")
    assert http.send(supervisor, "POST", f"{path}/steps", {"step": "freeze", "reason": "检查"}).json["flags"]["frozen"] is True
    assert http.send(supervisor, "POST", f"{path}/steps", {"step": "cancel", "reason": "检查"}).status_code == 403
    used = http.city.rows("SELECT actor_kind, purpose FROM data_use WHERE resident_id = %s ORDER BY id", holder.id)
    assert used == [("staff", "counter")] * 2


def test_each_route_is_for_its_callers_and_for_the_holders_card_alone(http: Client) -> None:
    holder = http.city.resident()
    card = issued(http, holder)
    stranger, neighbour = http.city.resident(), http.city.resident(city_id=LINHU)
    path = f"/api/cards/{card['id']}"
    asked = [
        ("GET", path, None),
        ("GET", f"{path}/events", None),
        ("POST", f"{path}/pay-key", None),
        ("POST", f"{path}/loss", {}),
        ("DELETE", f"{path}/loss", None),
        ("POST", f"{path}/replacement", {"reason": "lost"}),
    ]
    for method, where, body in asked:
        assert http.send(None, method, where, body).status_code == 401
        assert http.send(http.city.till, method, where, body).status_code == 403
        for other in (stranger, neighbour):
            assert http.send(other, method, where, body).status_code == 404
    counter = f"/api/counter/cards/{card['id']}"
    assert http.send(staff(LINHU), "GET", counter).status_code == 404
    assert http.send(staff(LINHU), "POST", f"{counter}/loss", {"reason": "x"}).status_code == 404
    assert http.send(holder, "GET", counter).status_code == 403
    assert http.send(holder, "POST", "/api/presentations", {"code": "8" * 18}).status_code == 403
    assert http.send(on(holder, identity_level=1), "POST", "/api/cards", {"product": "resident"}).status_code == 403


def test_a_text_message_alone_sees_no_card_but_stops_them_all(http: Client) -> None:
    holder = http.city.resident()
    card = issued(http, holder)
    phone = phone_of(http, holder, card)
    weak = on(holder, strength=1)
    path = f"/api/cards/{card['id']}"
    for method, where, body in (
        ("GET", "/api/cards", None),
        ("GET", path, None),
        ("GET", f"{path}/events", None),
        ("POST", f"{path}/loss", {}),
    ):
        assert http.send(weak, method, where, body).json["code"] == "step_up_needed"
    for _ in range(2):
        answer = http.send(weak, "POST", "/api/loss-reports")
        assert (answer.status_code, answer.json) == (201, {"cards": 1})
    refused = http.send(http.city.till, "POST", "/api/presentations", {"code": phone.code()})
    assert (refused.status_code, refused.json["code"]) == (409, "card_lost")
    assert http.send(weak, "DELETE", f"{path}/loss").json["code"] == "step_up_needed"
    assert http.city.rows("SELECT count(*) FROM audit WHERE event = 'cards:loss:report'") == [(1,)]
    assert http.send(proved(holder), "DELETE", f"{path}/loss").json["refusal"] is None


def test_everything_lost_is_ones_own_living_cards_alone(http: Client) -> None:
    holder, other = http.city.resident(), http.city.resident()
    old, theirs = issued(http, holder), issued(http, other)
    new = http.send(holder, "POST", f"/api/cards/{old['id']}/replacement", {"reason": "lost"}).json
    http.send(holder, "POST", f"/api/cards/{new['id']}/loss", {"kind": "formal"})
    assert http.send(on(holder, strength=1, identity_level=1), "POST", "/api/loss-reports").json == {"cards": 1}
    assert http.send(http.city.resident(), "POST", "/api/loss-reports").json == {"cards": 0}
    kinds = {c["id"]: c["loss_kind"] for c in http.send(holder, "GET", "/api/cards").json["items"]}
    assert kinds == {old["id"]: None, new["id"]: "formal"}
    assert http.send(other, "GET", f"/api/cards/{theirs['id']}").json["refusal"] is None
    assert http.send(None, "POST", "/api/loss-reports").status_code == 401
    assert http.send(http.city.till, "POST", "/api/loss-reports").status_code == 403


def test_a_phone_removed_from_the_account_makes_no_more_codes(http: Client) -> None:
    holder = http.city.resident()
    card = issued(http, holder)
    phone = phone_of(http, holder, card)
    with db.transaction() as session:
        session.connection().exec_driver_sql(
            "INSERT INTO device (id, city_id, resident_id, thumbprint, public_jwk, name, created_at, used_at)"
            " VALUES (%s, %s, %s, 'x', '{}', '旧手机', city_now(), city_now())",
            (holder.device_id, YUNCHUAN, holder.id),
        )
    assert holder.device_id is not None
    assert http.send(holder, "DELETE", f"/api/me/devices/{ids.show('device', holder.device_id)}").status_code == 204
    outbox.drain()
    refused = http.send(http.city.till, "POST", "/api/presentations", {"code": phone.code()})
    assert (refused.status_code, refused.json["code"]) == (409, "pay_key_revoked")
    assert http.city.rows("SELECT outcome FROM audit WHERE event = 'cards:pay_key:revoke'") == [("done",)]


def test_the_worker_lets_a_loss_lapse_and_sweeps(http: Client, at: Callable[[float], None]) -> None:
    holder = http.city.resident()
    card = issued(http, holder)
    http.send(holder, "POST", f"/api/cards/{card['id']}/loss", {})
    at(15 * 86400 + 60)
    cards.jobs.lapse()
    cards.jobs.sweep()
    assert http.city.do(cards.card_of, holder, ids.parse("card", card["id"])).refused is None


def test_bodies_are_taken_as_declared_and_nothing_more(http: Client) -> None:
    holder = http.city.resident()
    for body in ({}, {"product": 7}, {"product": "resident", "state": "active"}, {"product": ""}):
        assert http.send(holder, "POST", "/api/cards", body).status_code == 422
    till = terminal()
    for code in (18 * 8, None, "8" * 65):
        assert http.send(till, "POST", "/api/presentations", {"code": code}).status_code == 422
    assert http.send(till, "POST", "/api/presentations", {"code": "8" * 5}).json["code"] == "code_malformed"
    assert http.city.rows("SELECT count(*) FROM card") == [(0,)]


def test_a_clerk_finds_the_living_cards_of_a_resident_of_the_city_and_the_look_is_written_down(http: Client) -> None:
    holder, clerk = http.city.resident(), staff()
    path = f"/api/counter/residents/{ids.show('resident', holder.id)}/cards"
    assert http.send(clerk, "GET", path).status_code == 404
    card = http.city.card(holder)
    found = http.send(clerk, "GET", path).json["items"]
    assert [each["number_tail"] for each in found] == [card.number[-4:]]
    assert "number" not in found[0]
    assert http.send(staff(LINHU), "GET", path).status_code == 404
    assert http.send(holder, "GET", path).status_code == 403
    used = db.connection().execute("SELECT actor_kind, purpose FROM data_use WHERE resident_id = %s", [holder.id]).fetchall()
    assert used == [("staff", "counter")]
