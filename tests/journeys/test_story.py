"""The story as a test: what `citycard demo` tells, and the books afterwards."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from command.story.cast import Stage
from command.story.system import ENDPOINTS
from command.story.walk import STEPS, begin
from command.story.wire import wait_for
from tests.journeys.conftest import ROOT, Running

pytestmark = pytest.mark.xdist_group("journeys")


def test_the_story_is_walked_from_sign_in_to_sign_out(stage: Stage) -> None:
    told = list(begin(stage).steps())
    assert len(told) == len(STEPS)
    assert all(step.zh and step.en and step.seen for step in told)


def test_the_books_balance_after_it(stage: Stage) -> None:
    assert stage.desk("supervisor").do("GET", "/api/ledger/trial-balance")["balanced"] is True


def test_the_story_leaves_neither_clock_nor_fault_nor_endpoint_behind(stage: Stage) -> None:
    assert float(stage.clock("show", "--ahead")) == 0
    assert stage.outside.send("GET", "/faults.json").body["faults"] == []
    library = stage.system("library")
    library.sign_in("webhooks:manage", now=time.time())
    assert library.do("GET", ENDPOINTS)["items"] == []


def test_a_story_that_is_interrupted_puts_clock_and_fault_back(running: Running, stage: Stage) -> None:
    """Ctrl-C, twice, while the water company is down and the clock ahead: the group of processes gets it, as from a terminal."""
    words = [sys.executable, "-m", "command", "demo", "--language", "en"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(words, cwd=ROOT, env=running.environment, start_new_session=True, **quiet) as told:  # type: ignore[call-overload]  # two keywords
        wait_for(lambda: True if float(stage.clock("show", "--ahead")) > 0 else None, what="the clock to be moved", seconds=120)
        for _ in range(2):
            os.killpg(told.pid, signal.SIGINT)
            time.sleep(0.5)
        told.wait(60)
    assert told.returncode != 0
    test_the_story_leaves_neither_clock_nor_fault_nor_endpoint_behind(stage)


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
