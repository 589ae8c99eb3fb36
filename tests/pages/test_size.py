"""What a phone must fetch before it shows anything, and how soon the card stands without network."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from command.story.cast import Stage
from tests.pages.app_in_browser import App, newcomer

pytestmark = pytest.mark.full
MOST_SCRIPT = 130_000
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
    assert {url for url in asked if not url.startswith((stage.issuer, "data:", "blob:"))} == set()


def test_the_card_stands_from_a_cold_start_without_network(phone: Callable[..., App], stage: Stage) -> None:
    """Reported, not judged: figures of a shared machine say little (D16)."""
    app = phone()
    app.with_card(newcomer(stage))
    app.page.wait_for_function("navigator.serviceWorker.controller !== null")
    app.context.set_offline(True)
    app.page.goto("about:blank")
    line = app.context.new_cdp_session(app.page)
    line.send("Emulation.setCPUThrottlingRate", {"rate": 4})
    app.page.goto(f"{stage.issuer}/app/#/pages/code")
    app.code()
    shown = app.page.evaluate("performance.now()")
    line.send("Emulation.setCPUThrottlingRate", {"rate": 1})
    print(f"\ncold start without network, processor four times slower: code after {shown:.0f} ms, no tap from a link, one from home")  # noqa: T201  # the measured figure is the point
