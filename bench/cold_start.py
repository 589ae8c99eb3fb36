"""How soon a phone shows the card's code: a browser that is started anew, without network, on a processor four times slower."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench import granian

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, BrowserType

    from command.story.cast import Stage

THROTTLE = 4
READY_SECONDS = 180.0
SETTLE_MS = 800  # of the browser's own start: a phone has its browser running, the app it has not
# Touches as soon as the page in front offers it, in the frame after; the code counts as shown two frames after it stands in the page.
WATCH = """() => {
  const seen = {touches: 0}
  window.coldStart = seen
  const then = (work) => requestAnimationFrame(() => requestAnimationFrame(work))
  const look = () => {
    const button = document.querySelector('.card-face .button.main')
    const code = document.querySelector('.code-picture')
    if (code?.getBBox().width) return then(() => (seen.shown = performance.now()))
    if (button && !seen.touches) {
      seen.touches = 1
      then(() => ((seen.home = performance.now()), button.click()))
    }
    requestAnimationFrame(look)
  }
  requestAnimationFrame(look)
}"""


class LeftOut(Exception):
    """A case that cannot be measured on this machine; the text says what it lacks."""


@dataclass(frozen=True, slots=True)
class ColdStart:
    """One start: when the card stood on the first page, when the code stood after the touch, in milliseconds of the navigation."""

    home_ms: float
    shown_ms: float
    touches: int
    digits: str


@dataclass(frozen=True, slots=True)
class OnePhone:
    """A browser whose every context is the same folder: what a phone keeps when its browser ends."""

    chromium: "BrowserType"
    folder: Path
    program: str

    def new_context(self, **options: Any) -> "BrowserContext":
        """The browser, started on this folder."""
        from command.story.app import FLAGS

        return self.chromium.launch_persistent_context(
            str(self.folder), executable_path=self.program, headless=True, args=FLAGS, **options
        )  # fmt: skip


def set_up(phone: OnePhone, stage: "Stage") -> None:
    """First start to a card whose codes work, and the app kept on the device."""
    from command.story.app import App

    app = App(phone, stage)
    try:
        app.with_card(stage.stranger())
        app.ready_for_no_network()
        app.open()  # once from what the device keeps, as on any second day
        app.shown("navigation", "").wait_for()
    finally:
        app.close()


def start_cold(phone: OnePhone, issuer: str) -> ColdStart:
    """One start of the app without network from its first page, and the touch that shows the code."""
    from command.story.app import SCREEN

    context = phone.new_context(locale="zh-CN", **SCREEN)
    try:
        context.set_offline(True)
        page = context.pages[0]
        page.wait_for_timeout(SETTLE_MS)
        page.add_init_script(f"({WATCH})()")
        line = context.new_cdp_session(page)
        line.send("Emulation.setCPUThrottlingRate", {"rate": THROTTLE})
        page.goto(f"{issuer}/app/", wait_until="commit")
        page.wait_for_timeout(2 * SETTLE_MS)  # nobody asks the page meanwhile: each question would cost it time
        end = time.monotonic() + 30
        while "shown" not in (seen := page.evaluate("window.coldStart")):
            if time.monotonic() > end:
                raise LookupError(f"no code after a cold start: {page.inner_text('body')}")
            page.wait_for_timeout(SETTLE_MS)
        digits = page.locator(".code-digits").inner_text().replace(" ", "")
        return ColdStart(seen["home"], seen["shown"], seen["touches"], digits)
    finally:
        context.close()


def phone_without_network(folder: Path, tries: int) -> list[ColdStart]:
    """Signs a phone in on a program of its own, ends that program, and starts the app anew so many times.

    Raises LeftOut where there is no Chromium, no playwright, or nothing that builds the pages.
    """
    from command.story.cast import Stage

    with the_browser() as (chromium, program):
        phone = OnePhone(chromium, folder / "phone", program)
        kept = folder / "issuer"
        if not kept.exists():
            with program_running(folder) as told:
                stage = Stage.of(told)
                set_up(phone, stage)
            kept.write_text(stage.issuer)
        return [start_cold(phone, kept.read_text()) for _ in range(tries)]


@contextmanager
def the_browser() -> Iterator[tuple["BrowserType", str]]:
    """Playwright and the Chromium of the machine."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        raise LeftOut("playwright is not installed: make ready-dev") from None
    from command.story.app import find_chromium

    program = find_chromium()
    if program is None:
        raise LeftOut("there is no Chromium: apt-get install -y chromium fonts-noto-cjk")
    with sync_playwright() as driver:
        yield driver.chromium, program


@contextmanager
def program_running(folder: Path) -> Iterator[dict[str, Any]]:
    """`citycard run` on a folder of its own with the pages built; gives what `citycard people` tells."""
    folder.mkdir(parents=True, exist_ok=True)
    named = {"CITYCARD_DATA_DIR": str(folder / "data"), "CITYCARD_PORT": str(granian.free_port()), "CITYCARD_RUN_PAGES": "off"}
    environment = {**os.environ, **named}
    built = _citycard("pages", "resident", environment=environment)
    if built.returncode:
        raise LeftOut(f"the pages were not built: {built.stderr.strip()}")
    log = folder / "run.log"
    with log.open("wb") as out:
        run = subprocess.Popen([sys.executable, "-m", "command", "run"], cwd=granian.ROOT, env=environment, stdout=out, stderr=out)
    try:
        end = time.monotonic() + READY_SECONDS
        while "ready" not in log.read_text(errors="replace"):
            if run.poll() is not None or time.monotonic() > end:
                raise granian.DidNotStart(log.read_text(errors="replace")[-3000:])
            time.sleep(0.2)
        yield json.loads(_citycard("people", "--all", environment=environment).stdout)
    finally:
        run.send_signal(signal.SIGINT)
        run.wait(60)


def _citycard(*words: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "command", *words]
    return subprocess.run(command, cwd=granian.ROOT, env=environment, capture_output=True, text=True, check=False)
