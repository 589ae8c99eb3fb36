"""The payments floor over HTTP: what a phone, a till, a provider and an office see."""

from __future__ import annotations

import dataclasses
import datetime as dt
import io
from typing import Any

import pytest
from PIL import Image

from core import clock, db, ids
from core.actors import Actor, ActorKind

Town = Any


def code_of(town: Town, holder: Actor) -> str:
    tap = town._taps.get(holder.id, -1) + 1
    town._taps[holder.id] = tap
    code: str = town._keys[holder.id].make(clock.timestamp(), tap % 4)
    return code


def office(*scopes: str) -> Actor:
    return Actor(kind=ActorKind.STAFF, id=ids.new_id(), city_id=990100, scopes=frozenset(scopes))


def test_the_story_of_the_money(town: Town) -> None:
    wang = town.holder()
    ordered = town.call(wang, "POST", "/api/top-ups", json={"amount_fen": 10_000, "provider": "yunpay"})
    assert (ordered.status_code, ordered.json["state"]) == (201, "pending")
    number = ordered.json["id"]
    town.provider.paid(number)
    headers, raw = town.provider.notice(number)
    told = town.call(None, "POST", "/api/callbacks/payments/yunpay", headers=headers, data=raw)
    assert (told.status_code, told.json) == (200, {"received": True})
    assert town.call(wang, "GET", f"/api/top-ups/{number}").json["state"] == "credited"
    assert town.call(wang, "GET", "/api/wallet").json["balance_fen"] == 10_000

    paid = town.call(town.till, "POST", "/api/charges", json={"amount_fen": 1_230, "code": code_of(town, wang)})
    assert (paid.status_code, paid.json["amount_fen"], paid.json["masked_name"]) == (201, 1_230, "王*明")
    assert "balance_after_fen" not in paid.json
    charge = paid.json["id"]
    refund = town.call(town.till, "POST", f"/api/charges/{charge}/refunds", json={"amount_fen": 230, "reason": "退货"})
    assert (refund.status_code, refund.json["left_fen"]) == (201, 1_000)
    undo = town.call(town.till, "POST", f"/api/charges/{charge}/reversal", json={"reason": "打错"})
    assert (undo.status_code, undo.json["code"]) == (409, "charge_undone")

    listed = town.call(wang, "GET", "/api/receipts?limit=2")
    assert [r["kind"] for r in listed.json["items"]] == ["refund", "charge"]
    assert listed.json["next_cursor"]
    again = town.call(wang, "GET", "/api/receipts?limit=2", headers={"If-None-Match": listed.headers["ETag"]})
    assert again.status_code == 304
    receipt = town.call(wang, "GET", "/api/receipts/" + listed.json["items"][1]["id"])
    assert receipt.json["number"] == paid.json["receipt_number"]
    assert town.call(wang, "GET", "/api/wallet").json["balance_fen"] == 9_000


def test_the_same_key_orders_one_top_up(town: Town) -> None:
    wang = town.holder()
    body = {"amount_fen": 10_000, "provider": "yunpay"}
    first = town.call(wang, "POST", "/api/top-ups", json=body, key="top-up-0001")
    again = town.call(wang, "POST", "/api/top-ups", json=body, key="top-up-0001")
    assert again.json == first.json
    assert again.headers["Idempotency-Replayed"] == "true"
    other = town.call(wang, "POST", "/api/top-ups", json={**body, "amount_fen": 20_000}, key="top-up-0001")
    assert other.json["code"] == "idempotency_key_reused"
    assert len(town.provider.orders) == 1


def test_the_same_key_refunds_once(town: Town) -> None:
    wang = town.holder(50_000)
    charge = ids.show("charge", town.charge(wang, 1_230).id)
    asked = {"json": {"amount_fen": 100, "reason": "退货"}, "key": "refund-00001"}
    first = town.call(town.till, "POST", f"/api/charges/{charge}/refunds", **asked)
    again = town.call(town.till, "POST", f"/api/charges/{charge}/refunds", **asked)
    assert again.json == first.json
    assert town.balance(wang) == 50_000 - 1_230 + 100


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"amount_fen": 0, "provider": "yunpay"},
        {"amount_fen": -1_000, "provider": "yunpay"},
        {"amount_fen": 1_000.0, "provider": "yunpay"},
        {"amount_fen": "1000", "provider": "yunpay"},
        {"amount_fen": True, "provider": "yunpay"},
        {"amount_fen": 1_000, "provider": "../x"},
        {"amount_fen": 1_000, "provider": "yunpay", "state": "credited"},
        {"amount_fen": 10**30, "provider": "yunpay"},
    ],
)
def test_a_malformed_top_up_is_refused_and_orders_nothing(town: Town, body: dict[str, Any]) -> None:
    answer = town.call(town.holder(), "POST", "/api/top-ups", json=body)
    assert answer.status_code in (400, 422)
    assert not town.provider.orders


def test_a_charge_names_a_code_or_a_presentation(town: Town) -> None:
    wang = town.holder(50_000)
    both = {"code": code_of(town, wang), "presentation_id": ids.show("presentation", ids.new_id())}
    for shown in ({}, both):
        answer = town.call(town.till, "POST", "/api/charges", json={"amount_fen": 1_230, **shown})
        assert (answer.status_code, answer.json["code"]) == (422, "code_or_presentation")
    assert town.balance(wang) == 50_000


def test_a_forged_notice_gets_a_refusal_and_no_credit(town: Town) -> None:
    wang = town.holder()
    view = town.top_up(wang)
    town.provider.paid(town.order_of(view))
    _, raw = town.provider.notice(town.order_of(view))
    answer = town.call(None, "POST", "/api/callbacks/payments/yunpay", headers={"X-Signature": "00"}, data=raw)
    assert (answer.status_code, answer.json["code"]) == (403, "payment_notice_refused")
    assert town.balance(wang) == 0


def test_an_unknown_outcome_at_the_provider_is_a_pending_top_up(town: Town) -> None:
    wang = town.holder()
    town.provider.away = True
    answer = town.call(wang, "POST", "/api/top-ups", json={"amount_fen": 10_000, "provider": "yunpay"})
    assert (answer.status_code, answer.json["state"], answer.json["pay_url"]) == (201, "pending", None)


def test_an_old_sign_in_lowers_limits_and_cannot_raise_them(town: Town) -> None:
    wang = dataclasses.replace(town.holder(), signed_in_at=clock.now() - dt.timedelta(days=1))
    assert town.call(wang, "PATCH", "/api/wallet/limits", json={"single_fen": 100}).json["limits"]["single_fen"] == 100
    raised = town.call(wang, "PATCH", "/api/wallet/limits", json={"single_fen": 200})
    assert (raised.status_code, raised.json["code"]) == (403, "step_up_needed")


def test_a_text_message_alone_sees_no_money(town: Town) -> None:
    wang = town.holder(50_000)
    charge = ids.show("charge", town.charge(wang, 1_230).id)
    town.top_up(wang)
    top_up = ids.show("top_up", town.rows("SELECT id FROM top_up WHERE provider = 'yunpay'")[0][0])
    thief = dataclasses.replace(wang, strength=1)
    receipt = "receipt_" + charge.removeprefix("charge_")
    asked = [
        ("GET", "/api/wallet", None),
        ("PATCH", "/api/wallet/limits", {"single_fen": 100}),
        ("POST", "/api/top-ups", {"amount_fen": 10_000, "provider": "yunpay"}),
        ("GET", f"/api/top-ups/{top_up}", None),
        ("GET", f"/api/charges/{charge}", None),
        ("GET", "/api/receipts", None),
        ("GET", f"/api/receipts/{receipt}", None),
        ("GET", "/api/statement?month=2026-11", None),
    ]
    for method, path, body in asked:
        answer = town.call(thief, method, path, json=body) if body else town.call(thief, method, path)
        assert (answer.status_code, answer.json["code"]) == (403, "step_up_needed"), path


def test_each_caller_stays_within_what_is_theirs(town: Town) -> None:
    wang, other = town.holder(50_000), town.holder()
    charge = ids.show("charge", town.charge(wang, 1_230).id)
    town.top_up(wang)
    top_up = ids.show("top_up", town.rows("SELECT id FROM top_up WHERE provider = 'yunpay'")[0][0])
    receipt = "receipt_" + charge.removeprefix("charge_")
    for path in (f"/api/charges/{charge}", f"/api/top-ups/{top_up}", f"/api/receipts/{receipt}"):
        assert town.call(wang, "GET", path).status_code == 200
        assert town.call(other, "GET", path).status_code == 404
        assert town.call(None, "GET", path).status_code == 401
    assert town.call(wang, "POST", f"/api/charges/{charge}/refunds", json={"amount_fen": 1, "reason": "x"}).status_code == 403
    assert town.call(office(), "GET", "/api/ledger/trial-balance").status_code == 403


def test_the_office_reads_the_books(town: Town) -> None:
    town.charge(town.holder(50_000), 1_230)
    books = town.call(office("payments:ledger:read"), "GET", "/api/ledger/trial-balance").json
    assert books["balanced"] is True
    assert {line["kind"] for line in books["lines"]} == {"clearing", "merchant", "wallet"}
    journal = town.call(office("payments:journal:read"), "GET", "/api/ledger/journal?since=2026-01-01&until=2026-01-20")
    assert (journal.status_code, journal.mimetype) == (200, "text/plain")
    assert town.call(office("payments:journal:read"), "GET", "/api/ledger/journal?since=2026-01-01&until=2026-03-20").status_code == 422


def test_the_journal_is_sent_as_it_is_read_after_the_export_is_on_record(town: Town) -> None:
    for _ in range(3):
        town.charge(town.holder(50_000), 1_230)
    today = clock.today()
    asked = f"/api/ledger/journal?since={today}&until={today + dt.timedelta(days=1)}"
    journal = town.call(office("payments:journal:read"), "GET", asked)
    assert journal.is_streamed
    assert town.rows("SELECT count(*) FROM audit WHERE event = 'payments:journal:read'") == [(1,)]
    assert not db.in_transaction()
    assert journal.text.count('* "charge"') == 3
    assert journal.text.splitlines()[-1] == f"; 6 transfers from {today} to before {today + dt.timedelta(days=1)}"


def test_one_trial_balance_of_a_city_is_made_at_a_time(town: Town) -> None:
    with db.private_connection() as other, other.transaction():
        other.execute("SELECT pg_advisory_xact_lock(hashtextextended('trial_balance|990100', 0))")
        refused = town.call(office("payments:ledger:read"), "GET", "/api/ledger/trial-balance")
        assert (refused.status_code, refused.json["code"]) == (503, "busy")
    assert town.call(office("payments:ledger:read"), "GET", "/api/ledger/trial-balance").status_code == 200


def test_the_statement_of_a_month(town: Town) -> None:
    wang = town.holder(50_000)
    said = town.call(wang, "GET", f"/api/statement?month={clock.today():%Y-%m}")
    assert (said.status_code, said.json["closing_fen"]) == (200, 50_000)
    assert town.call(wang, "GET", "/api/statement?month=2026-13").status_code == 422


def test_a_picture_is_sent_and_read_back_harmless(town: Town) -> None:
    wang, other = town.resident(), town.resident()
    out = io.BytesIO()
    Image.new("RGB", (40, 30), (1, 2, 3)).save(out, "JPEG", comment=b"990101199001010010")
    sent = town.call(wang, "POST", "/api/files?purpose=evidence", data=out.getvalue(), headers={"Content-Type": "image/jpeg"})
    assert (sent.status_code, sent.json["media_type"]) == (201, "image/jpeg")
    path = f"/api/files/{sent.json['id']}"
    read = town.call(wang, "GET", path)
    assert (read.status_code, read.mimetype) == (200, "image/jpeg")
    assert b"990101199001010010" not in read.data
    assert read.headers["Content-Disposition"].startswith('attachment; filename="file_')
    assert read.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert read.headers["X-Content-Type-Options"] == "nosniff"
    assert town.call(other, "GET", path).status_code == 404
    page = town.call(
        wang, "POST", "/api/files?purpose=evidence", data=b"<html><script>alert(1)</script>", headers={"Content-Type": "image/jpeg"}
    )
    assert (page.status_code, page.json["code"]) == (422, "file_type_refused")
    assert town.call(wang, "POST", "/api/files?purpose=other", data=out.getvalue()).status_code == 422
