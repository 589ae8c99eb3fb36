"""The resident's app in a real browser, over the program as `citycard run` starts it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from command.story.app import FLAGS, find_chromium
from command.story.cast import Stage
from tests.journeys.conftest import Running
from tests.pages.app_in_browser import App, axe_script

pytest.importorskip("playwright.sync_api", reason="the pages are tested with playwright and Chromium")
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def built_pages() -> None:
    """The pages, built from their present sources."""
    done = subprocess.run([sys.executable, "-m", "command", "pages", "resident"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="session")
def stage(built_pages: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """The program, running, and everybody who may appear; or the one that a developer keeps running in CITYCARD_TEST_RUNNING."""
    kept = os.environ.get("CITYCARD_TEST_RUNNING")
    running = Running(Path(kept) if kept else tmp_path_factory.mktemp("run") / "data")
    try:
        if not kept:
            running.start()
        yield Stage.of(running.people())
    finally:
        running.stop()


@pytest.fixture(scope="session")
def browser(playwright: Any) -> Iterator[Any]:
    """Debian's Chromium, without a window."""
    chromium = find_chromium()
    if chromium is None:
        pytest.skip("apt-get install -y chromium fonts-noto-cjk")
    opened = playwright.chromium.launch(executable_path=chromium, headless=True, args=FLAGS)
    yield opened
    opened.close()


@pytest.fixture
def phone(browser: Any, stage: Stage) -> Iterator[Callable[..., App]]:
    """Opens the app on a phone of its own; every fault that a page logs fails the test at its end."""
    opened: list[App] = []

    def open_one(**options: Any) -> App:
        opened.append(App(browser, stage, **options))
        return opened[-1]

    yield open_one
    faults = [fault for app in opened for fault in app.faults]
    for app in opened:
        app.close()
    assert not faults


@pytest.fixture(scope="session")
def axe() -> str:
    """The rules of accessibility, as a script for a page."""
    return axe_script()
