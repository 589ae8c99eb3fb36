"""The counter's pages in a real browser over the running program."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from command import pages
from command.story import proving, walk
from command.story.app import FLAGS as FLAGS
from command.story.app import find_chromium
from command.story.cast import Stage
from command.story.phone import Phone
from command.story.wire import wait_for
from tests.journeys.conftest import Running

pytest.importorskip("playwright.sync_api", reason="the pages are tested with playwright and Chromium")
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect

EVERYTHING = ("presentation:create", "charge:create", "charge:reverse", "charge:refund")
AXE = pages.WEB / "shared" / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """The running program with the pages built; or the one that a developer keeps running in CITYCARD_TEST_RUNNING."""
    pages.build([room for room in pages.ALL if room.stale()], lambda *_: None)
    kept = os.environ.get("CITYCARD_TEST_RUNNING")
    running = Running(Path(kept) if kept else tmp_path_factory.mktemp("desk") / "data")
    running.environment["CITYCARD_RUN_PAGES"] = "off"
    if not kept:
        running.start()
    yield Stage.of(running.people())
    if not kept:
        running.stop()


def chromium() -> str:
    """The Chromium of the machine; without one the tests are skipped."""
    return find_chromium() or pytest.skip("apt-get install -y chromium fonts-noto-cjk")


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """A browser without a camera."""
    launched = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
    yield launched
    launched.close()


@dataclass
class City:
    """What tests need of the city beside the pages: terminals, staff, residents with money."""

    stage: Stage
    token: str = ""
    used: dict[str, int] = field(default_factory=dict)
    met: set[str] = field(default_factory=set)

    def one_time(self, login: str) -> str:
        """A one-time code of a staff member that was not used yet; a second one in half a minute is waited for."""
        member = next(each for each in self.stage.city["staff"] if each["login"] == login)
        step = max(int(time.time()) // 30, self.used.get(login, 0) + 1)
        time.sleep(max(0.0, step * 30 - 29 - time.time()))
        self.used[login] = step
        return proving.one_time_code(member["totp_secret"], now=step * 30)

    def enrolment_code(self, name: str, functions: tuple[str, ...] = EVERYTHING, merchant: str = "T1") -> str:
        """The one-time code of a terminal that the administrator registers for the merchant of another terminal."""
        owner = next(each for each in self.stage.city["terminals"] if each["code"] == merchant)
        body = {"name": name, "functions": list(functions), "merchant": owner.get("merchant")}
        if not self.token:
            self.token = self._sign_in("machao")
        headers = {
            "Authorization": f"Bearer {self.token}",
            "Content-Type": "application/json",
            "Idempotency-Key": secrets.token_urlsafe(16),
        }
        answer = self.stage.wire.send("POST", "/api/terminals", body=json.dumps(body).encode(), headers=headers)
        assert answer.status == 201, answer
        return str(answer.body["enrolment_code"])

    def _sign_in(self, login: str) -> str:
        member = next(each for each in self.stage.city["staff"] if each["login"] == login)
        body = {"login": login, "password": member["password"], "code": self.one_time(login)}
        headers = {"Content-Type": "application/json"}
        answer = self.stage.wire.send("POST", "/api/staff-sessions", body=json.dumps(body).encode(), headers=headers)
        assert answer.status == 201, answer
        return str(answer.body["access_token"])

    def newcomer(self) -> tuple[Phone, dict[str, Any]]:
        """Somebody who has not proved who they are and whom no test has met: a second phone would be asked for more than a text message."""
        while True:
            phone, person = self.stage.newcomer()
            if person["key"] not in self.met:
                self.met.add(person["key"])
                return phone, person

    def holder(self, *, with_money: bool = True) -> walk.Walk:
        """A resident with a card on a phone, and money on it."""
        phone, person = self.newcomer()
        made = walk.Walk(self.stage, phone, person, self.stage.till())
        for step in (walk.sign_in, walk.prove, walk.issue, *((walk.top_up,) if with_money else ())):
            step(made)
        made.phone.take_pay_key(made.card)
        return made


@pytest.fixture(scope="session")
def city(stage: Stage) -> City:
    """The first demo city."""
    return City(stage)


@dataclass
class Desk:
    """One counter: a browser context with its page, and what a clerk does with it."""

    city: City
    context: BrowserContext
    page: Page

    def enrol(self, name: str = "包子铺柜台", functions: tuple[str, ...] = EVERYTHING, merchant: str = "T1") -> None:
        """Open the page and enrol a fresh terminal in it."""
        self.open()
        self.page.locator("#enrolment").fill(self.city.enrolment_code(name, functions, merchant))
        self.page.locator("form .primary").click()
        expect(self.page.locator(".who")).to_contain_text(name)

    def open(self, place: str = "") -> None:
        """Open the counter's page."""
        self.page.goto(f"{self.city.stage.issuer}/desk/{place}")

    def go(self, place: str) -> None:
        """To a page of the counter."""
        self.page.locator(f'.rail a[href="#/{place}"]').click()

    def scan(self, code: str) -> None:
        """What a scanner does that types like a keyboard."""
        self.page.keyboard.type(code, delay=1)
        self.page.keyboard.press("Enter")

    def sign_in(self, login: str = "hefang") -> None:
        """The operator begins a shift."""
        member = next(each for each in self.city.stage.city["staff"] if each["login"] == login)
        self.go("operator")
        self.page.locator("#login").fill(login)
        self.page.locator("#password").fill(member["password"])
        self.page.locator("#code").fill(self.city.one_time(login))
        self.page.locator("form .primary").click()
        expect(self.page.locator('[data-test="operator"]')).to_have_text(member["name"])

    def stands(self) -> str:
        """What the till shows."""
        return self.page.locator(".stands").get_attribute("data-stands") or ""

    def wait_for(self, stands: str) -> None:
        """Until the till shows this."""
        expect(self.page.locator(".stands")).to_have_attribute("data-stands", stands, timeout=10_000)

    def read_chip(self, person: dict[str, Any], within: str = "main") -> None:
        """Put somebody's identity card on the simulated reader, the one within this part of the page."""
        part = self.page.locator(within)
        part.locator('[name="chip-name"]').fill(person["name"])
        part.locator('[name="chip-number"]').fill(person["citizen_number"])
        part.locator(".simulator button[type=submit]").click()
        expect(part.locator('[data-test="chip"]')).to_be_visible()

    def check_phone(self, phone: Phone) -> None:
        """Send a code to somebody's phone and type what they read out."""
        before = {message["id"] for message in phone.messages()}
        self.page.locator("#phone").fill(phone.number)
        self.page.locator("#phone").press("Enter")
        expect(self.page.locator("#phone-code")).to_be_visible()
        self.page.locator("#phone-code").fill(wait_for(lambda: phone._code(before), what="the code on the phone"))


@pytest.fixture
def make_desk(city: City, browser: Browser) -> Iterator[Callable[..., Desk]]:
    """Makes counters; a fault that a page reports, or an address outside, fails the test."""
    made: list[BrowserContext] = []
    faults: list[str] = []

    def make(chromium: Browser = browser, **options: Any) -> Desk:
        context = chromium.new_context(**{"locale": "zh-CN", "viewport": {"width": 1280, "height": 800}, **options})
        made.append(context)
        page = context.new_page()
        watch(page, city, faults)
        return Desk(city, context, page)

    yield make
    for context in made:
        context.close()
    assert faults == []


def refused(said: str) -> bool:
    """Whether a line of the console says that the policy of the page stopped something."""
    return "Content Security Policy" in said or "Permissions policy" in said


def outside(url: str, issuer: str) -> bool:
    """Whether a request leaves this installation."""
    return not url.startswith((issuer, "data:", "blob:"))


@pytest.fixture(scope="session")
def counter(city: City, browser: Browser) -> Iterator[BrowserContext]:
    """One counter of the bun shop that stays enrolled: the city takes only so many enrolments of one network in an hour."""
    context = browser.new_context(locale="zh-CN", viewport={"width": 1280, "height": 800})
    desk = Desk(city, context, context.new_page())
    desk.enrol()
    desk.page.close()
    yield context
    context.close()


FORGET = """() => new Promise((done) => {
  const asked = indexedDB.open('citycard-desk', 1)
  asked.onsuccess = () => {
    const work = asked.result.transaction('drawer', 'readwrite')
    for (const name of ['pending', 'today']) work.objectStore('drawer').delete(name)
    work.oncomplete = () => (asked.result.close(), done())
  }
})"""


@pytest.fixture
def desk(city: City, counter: BrowserContext) -> Iterator[Desk]:
    """The enrolled counter on a new morning."""
    faults: list[str] = []
    made = Desk(city, counter, counter.new_page())
    watch(made.page, city, faults)
    made.open()
    made.page.evaluate(FORGET)
    made.page.reload()
    expect(made.page.locator(".who .good")).to_be_visible()
    yield made
    made.page.close()
    assert faults == []


def watch(page: Page, city: City, faults: list[str]) -> None:
    """Note faults that a page reports, what its policy stopped, and addresses outside."""
    page.on("pageerror", lambda fault: faults.append(str(fault)))
    page.on("console", lambda said: faults.append(said.text) if refused(said.text) else None)
    page.on("request", lambda sent: faults.append(sent.url) if outside(sent.url, city.stage.issuer) else None)


FRAMES, FRAMES_A_SECOND = 5, 5
# The phone in front of the camera: held a little askew, before a grey wall.
HELD = "scale=-2:680,rotate=0.05:ow=iw+80:oh=ih+40:c=0x787D76,pad=1280:720:(ow-iw)/2:(oh-ih)/2:0x787D76"


def film(page: Page, folder: Path) -> Path:
    """A second of video of what a page shows, frame by frame, as a fake camera plays it again and again."""
    for number in range(FRAMES):
        page.screenshot(path=folder / f"frame-{number}.png")
    video = folder / "camera.mjpeg"
    command = ["ffmpeg", "-y", "-loglevel", "error", "-framerate", str(FRAMES_A_SECOND), "-i", str(folder / "frame-%d.png"), "-vf", HELD]
    subprocess.run([*command, "-pix_fmt", "yuvj420p", "-c:v", "mjpeg", "-q:v", "3", str(video)], check=True)
    return video


def violations(page: Page) -> list[str]:
    """What axe-core finds against WCAG 2.2 AA on the page as it stands."""
    # Evaluated by the debugger, so that the page's own policy stays as strict as it is.
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("rules => axe.run(document, {runOnly: {type: 'tag', values: rules}})", RULES)
    return [f"{each['id']}: {' '.join(node['html'].split())[:160]}" for each in found["violations"] for node in each["nodes"]]
