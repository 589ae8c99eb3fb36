"""The edge, rule by rule."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
from structlog.testing import capture_logs

from core import db, ids
from core.web import Routes, anyone
from tests.core.conftest import by, called, kept

pytestmark = pytest.mark.subset

KEY = "key-00000001"


def write(client: FlaskClient, text: str, *, who: str = "wang", key: str | None = KEY, **more: str) -> Any:
    return client.post("/api/notes", json={"text": text}, headers=by(who, key, **more))


def rows(app: Flask, sql: str) -> list[Any]:
    return db.connection().execute(sql).fetchall()


def test_nobody_gets_in_where_a_resident_is_asked(client: FlaskClient) -> None:
    answer = client.post("/api/notes", json={"text": "a"})
    assert (answer.status_code, answer.json["code"]) == (401, "unauthenticated")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_another_kind_of_caller_is_denied_and_the_refusal_is_audited(client: FlaskClient, small: Flask) -> None:
    assert write(client, "a", who="clerk").json["code"] == "denied"
    assert rows(small, "SELECT outcome, subject FROM audit") == [("denied", "writeNote")]


def test_a_weaker_proof_than_asked_says_what_is_needed(client: FlaskClient) -> None:
    note = ids.show("note", UUID(int=10))
    answer = client.delete(f"/api/notes/{note}", headers=by("wang"))
    assert answer.json["code"] == "step_up_needed"
    assert answer.json["facts"]["max_age_seconds"] == 300


def test_a_refusal_speaks_both_languages_and_the_readers_first(client: FlaskClient) -> None:
    chinese, english = client.get("/api/nothing"), client.get("/api/nothing", headers={"Accept-Language": "en"})
    assert chinese.json["title"] == chinese.json["messages"]["zh-CN"] != english.json["title"]
    assert english.json["title"] == english.json["messages"]["en"]
    assert english.mimetype == "application/problem+json"


def test_a_known_address_with_another_method_says_which_it_allows(client: FlaskClient) -> None:
    answer = client.put("/api/notes", json={})
    assert answer.status_code == 405
    assert "POST" in answer.headers["Allow"]


@pytest.mark.parametrize("body", [b"", b"{", b"[1]", b'"x"', b"\xff\xfe", b'{"text": "a"' + b"}" * 3, b"[" * 30_000], ids=range(7))
def test_what_is_not_json_is_malformed(client: FlaskClient, body: bytes) -> None:
    answer = client.post("/api/notes", data=body, content_type="application/json", headers=by("wang", KEY))
    assert (answer.status_code, answer.json["code"]) == (400, "malformed")


def test_another_media_type_is_refused(client: FlaskClient) -> None:
    answer = client.post("/api/notes", data="text=a", content_type="application/x-www-form-urlencoded", headers=by("wang", KEY))
    assert answer.status_code == 415


def test_a_body_beyond_the_limit_is_refused(client: FlaskClient) -> None:
    assert client.post("/api/notes", data=b" " * 70_000, content_type="application/json", headers=by("wang", KEY)).status_code == 413


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"text": ""}, "text"),
        ({"text": "a" * 21}, "text"),
        ({"text": "a\u0000"}, "text"),
        ({"text": 1}, "text"),
        ({"text": "a", "amount_fen": 1.0}, "amount_fen"),
        ({"text": "a", "amount_fen": True}, "amount_fen"),
        ({"text": "a", "amount_fen": "1"}, "amount_fen"),
        ({"text": "a", "amount_fen": -1}, "amount_fen"),
        ({"text": "a", "amount_fen": 10**12}, "amount_fen"),
        ({"text": "a", "to": "card_01k5x3m8q2v7e4t9r6w1y0z3ab"}, "to"),
        ({"text": "a", "role": "admin"}, "role"),
        ({}, "text"),
    ],
)
def test_a_wrong_member_is_named(client: FlaskClient, body: dict[str, Any], field: str) -> None:
    for path, who in (("/api/notes", "wang"), ("/api/stamps", "gate")):
        answer = client.post(path, json=body, headers=by(who, KEY))
        assert (answer.status_code, list(answer.json["errors"])) == (422, [field])


def test_a_write_without_its_key_is_refused(client: FlaskClient) -> None:
    assert write(client, "a", key=None).json["code"] == "idempotency_key_missing"
    assert write(client, "a", key="short").json["code"] == "idempotency_key_malformed"


def test_the_same_key_gives_the_first_answer_and_does_the_work_once(client: FlaskClient, small: Flask) -> None:
    first, second = write(client, "a"), write(client, "a")
    assert first.status_code == second.status_code == 201
    assert first.data == second.data
    assert "Idempotency-Replayed" not in first.headers
    assert second.headers["Idempotency-Replayed"] == "true"
    assert called == ["write"]
    assert rows(small, "SELECT status, replays FROM idempotency") == [(201, 1)]


def test_the_same_key_with_another_body_is_refused_and_another_resident_may_use_it(client: FlaskClient) -> None:
    write(client, "a")
    assert write(client, "b").json["code"] == "idempotency_key_reused"
    assert write(client, "b", who="li").status_code == 201


def test_a_refusal_is_an_answer_too(client: FlaskClient, small: Flask) -> None:
    first, second = write(client, "taken"), write(client, "taken", **{"Accept-Language": "en"})
    assert (first.status_code, second.status_code, called) == (409, 409, ["write"])
    assert second.headers["Idempotency-Replayed"] == "true"
    assert second.json["title"] == "There is such a note already"
    assert rows(small, "SELECT outcome FROM audit") == [("note_taken",)]


def test_a_bug_answers_500_without_a_trace_and_frees_the_key(client: FlaskClient, small: Flask) -> None:
    answer = write(client, "bug")
    assert (answer.status_code, answer.json["code"]) == (500, "internal")
    assert b"ZeroDivision" not in answer.data
    assert rows(small, "SELECT * FROM idempotency") == []


def test_while_the_first_runs_its_twin_is_told_so(client: FlaskClient, small: Flask) -> None:
    with db.private_connection() as other, other.transaction():
        other.execute("INSERT INTO idempotency (principal, key, body_hash, status) VALUES (%s, %s, %s, 0)", (UUID(int=1), KEY, b""))
        assert write(client, "a").json["code"] == "request_in_progress"


def test_twenty_twins_at_once_do_the_work_once(small: Flask) -> None:
    answers: list[int] = []

    def one() -> None:
        answers.append(write(small.test_client(), "a").status_code)

    threads = [threading.Thread(target=one) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(answers) <= {201, 409, 503}
    assert 201 in answers
    assert len(kept) == 1


def test_a_call_outside_happens_in_no_transaction_and_once_per_key(client: FlaskClient) -> None:
    answers = [client.post("/api/calls", json={"text": "a"}, headers=by("wang", KEY)) for _ in range(3)]
    assert {a.status_code for a in answers} == {202}
    assert len({a.data for a in answers}) == len(called) == 1


def test_an_abandoned_call_is_taken_over_under_the_same_id(client: FlaskClient, small: Flask) -> None:
    client.post("/api/calls", json={"text": "a"}, headers=by("wang", KEY))
    running = "UPDATE idempotency SET status = 0, answer = jsonb_build_object('work_id', %s::text)"
    db.connection().execute(running, (called[0],))
    assert client.post("/api/calls", json={"text": "a"}, headers=by("wang", KEY)).json["code"] == "request_in_progress"
    db.connection().execute("UPDATE idempotency SET created_at = created_at - interval '31 seconds'")
    assert client.post("/api/calls", json={"text": "a"}, headers=by("wang", KEY)).status_code == 202
    assert called[0] == called[1]


def test_a_change_needs_the_etag_of_what_was_read(client: FlaskClient) -> None:
    path = "/api/notes/" + write(client, "a").json["id"]
    read = client.get(path, headers=by("wang"))
    etag = read.headers["ETag"]
    assert client.get(path, headers=by("wang", **{"If-None-Match": etag})).status_code == 304
    assert client.patch(path, json={"text": "b"}, headers=by("wang")).status_code == 428
    assert client.patch(path, json={"text": "b"}, headers=by("wang", **{"If-Match": etag})).status_code == 200
    assert client.patch(path, json={"text": "c"}, headers=by("wang", **{"If-Match": etag})).status_code == 412


def test_a_page_links_to_the_next_and_bounds_its_size(client: FlaskClient) -> None:
    assert 'cursor=more>; rel="next"' in client.get("/api/notes?limit=5").headers["Link"]
    for query in ("limit=0", "limit=101", "limit=x", "limit=1&limit=2", "page=2"):
        assert client.get("/api/notes?" + query).status_code == 422


def test_every_answer_carries_its_request_id_and_may_not_be_stored(client: FlaskClient) -> None:
    for answer in (client.get("/api/notes"), write(client, "a"), client.get("/api/notes/x")):
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert write(client, "b", key="key-00000002").headers["X-Request-Id"].startswith("req_")


def test_the_hot_mode_marks_a_repetition(client: FlaskClient) -> None:
    answer = client.post("/api/stamps", json={"text": "a", "amount_fen": 7}, headers=by("gate"))
    assert answer.headers["Idempotency-Replayed"] == "true"


def test_an_answer_of_a_lane_carries_the_headers_of_every_other(client: FlaskClient) -> None:
    usual, plain = write(client, "a"), client.post("/api/stamps", json={"text": "a", "amount_fen": 8}, headers=by("gate"))
    assert plain.status_code == 200
    for name in {name for name, _ in usual.headers} - {"Content-Length", "X-Request-Id"}:
        assert plain.headers.getlist(name) == usual.headers.getlist(name)
    assert {name for name, _ in plain.headers} == {name for name, _ in usual.headers}
    assert plain.headers["Content-Length"] == str(len(plain.data))
    assert plain.headers["X-Request-Id"] != usual.headers["X-Request-Id"]


def test_a_route_whose_view_does_not_fit_its_declaration_is_refused_at_start() -> None:
    with pytest.raises(TypeError):
        Routes("x").post("/api/x", operation="x", access=anyone(reason="x"))(lambda actor, nonsense: None)


def test_a_long_answer_is_made_after_its_request_and_says_in_the_log_where_it_broke(small: Flask) -> None:
    def parts() -> Iterator[str]:
        for part in ("one\n", "two\n"):
            with db.transaction() as session:  # refused while another one is open
                session.execute(text("SELECT 1"))
            yield part
        raise ZeroDivisionError

    own = Routes("long")
    long = own.get("/api/long", operation="readLong", access=anyone(reason="a test"), mode="transaction", media="text/plain")
    long(lambda actor: parts())
    small.extensions["edge"].serve([own])
    with capture_logs() as logs:
        parts_sent = small.test_client().get("/api/long").iter_encoded()
        assert [next(parts_sent), next(parts_sent)] == [b"one\n", b"two\n"]
        with pytest.raises(ZeroDivisionError):
            next(parts_sent)
    assert logs == [{"event": "answer_cut_short", "operation": "readLong", "fault": "ZeroDivisionError", "log_level": "error"}]
