"""What a phone must fetch before it shows anything, and how soon the card stands without network."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from bench.cold_start import OnePhone, set_up, start_cold
from command.story.app import find_chromium
from command.story.cast import Stage
from tests.pages.app_in_browser import App

pytestmark = pytest.mark.full
MOST_SCRIPT = 130_000
MOST_TOUCHES = 3
FETCHED = """() => performance.getEntriesByType('resource').filter(each => each.initiatorType === 'script' || each.name.endsWith('.js'))
  .map(each => [each.name.split('/').pop(), each.encodedBodySize])"""


def test_the_first_load_is_small_and_asks_nobody_else(phone: Callable[..., App], stage: Stage) -> None:
    app = phone()
    asked: list[str] = []
    app.page.on("request", lambda sent: asked.append(sent.url))
    app.open()
    app.shown("button", app.words["agree"]).wait_for()
    scripts = app.page.evaluate(FETCHED)
    total = sum(size for _, size in scripts)
    print(f"\nfirst load: {total} bytes of compressed script in {len(scripts)} files")  # noqa: T201  # the measured figure is the point
    assert 0 < total <= MOST_SCRIPT, scripts
    assert not [name for name, _ in scripts if name.startswith("later")], "what is opened later is brought later"
    assert {url for url in asked if not url.startswith((stage.issuer, "data:", "blob:"))} == set()


def test_the_card_stands_from_a_cold_start_without_network(browser: Browser, stage: Stage, tmp_path: Path) -> None:
    """Reported, not judged: `make bench ARGS=P1` holds it to a second, on a machine that does nothing else (D16)."""
    chromium = find_chromium()
    assert chromium is not None
    kept = OnePhone(browser.browser_type, tmp_path / "phone", chromium)
    set_up(kept, stage)
    first, second = start_cold(kept, stage.issuer), start_cold(kept, stage.issuer)
    assert first.touches <= MOST_TOUCHES
    assert re.fullmatch(r"\d{18}", first.digits)
    print(f"\ncold start without network, processor four times slower: {first.shown_ms:.0f} and {second.shown_ms:.0f} ms, one touch")  # noqa: T201  # the measured figure is the point
