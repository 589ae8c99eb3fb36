"""The story as a test: what `citycard demo` tells, and the books afterwards."""

from __future__ import annotations

import datetime as dt
import json
import time

import pytest

from command.story import proving
from command.story.cast import Stage
from command.story.walk import STEPS, begin
from command.story.wire import Answer
from tests.journeys.conftest import Running

pytestmark = pytest.mark.xdist_group("journeys")


def test_the_story_is_walked_from_sign_in_to_sign_out(stage: Stage) -> None:
    told = list(begin(stage).steps())
    assert len(told) == len(STEPS)
    assert all(step.zh and step.en and step.seen for step in told)


def test_the_books_balance_after_it(stage: Stage) -> None:
    supervisor = stage.staff("supervisor")
    now = dt.datetime.fromisoformat(stage.wire.send("GET", "/healthz/live").body["time"]).timestamp()  # the story moved the clock
    body = {
        "login": supervisor["login"],
        "password": supervisor["password"],
        "code": proving.one_time_code(supervisor["totp_secret"], now=now),
        "city": stage.city["city_id"],
    }
    signed_in = post(stage, "/api/staff-sessions", body)
    assert signed_in.status in (200, 201), signed_in
    books = stage.wire.send("GET", "/api/ledger/trial-balance", headers={"Authorization": f"Bearer {signed_in.body['access_token']}"})
    assert books.status == 200, books
    assert books.body["balanced"] is True


def test_a_notice_of_what_happened_reaches_the_resident(stage: Stage) -> None:
    walk = begin(stage)
    steps = walk.steps()
    for _ in range(3):
        next(steps)
    walk.phone.do("POST", f"/api/cards/{walk.card}/loss", {"kind": "temporary"})
    end = time.monotonic() + 10
    kinds: list[str] = []
    while time.monotonic() < end and "cards:loss:report" not in kinds:
        kinds = [notice["kind"] for notice in walk.phone.do("GET", "/api/notices")["items"]]
        time.sleep(0.2)
    assert kinds[:2] == ["cards:loss:report", "cards:card:issue"]
    assert any(message["template"] == "card_lost" for message in walk.phone.messages()), walk.phone.messages()


def test_the_command_tells_the_story(running: Running) -> None:
    told = running.citycard("demo", "--language", "en")
    assert "The story is told" in told


def post(stage: Stage, path: str, body: object) -> Answer:
    return stage.wire.send("POST", path, body=json.dumps(body).encode(), headers={"Content-Type": "application/json"})
