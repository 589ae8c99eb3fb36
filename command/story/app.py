"""One resident's app in one browser: what a thumb would do; needs playwright, which comes with development, and Chromium."""

from __future__ import annotations

import os
import re
import shutil
import time
from typing import Any

from command.story.cast import Stage
from command.story.phone import Phone
from command.story.wire import wait_for

PATIENCE_MS = 15_000
# What the pages' own code says by name; a word that is missing here is a word that changed.
WORDS = {
    "zh-CN": {
        "agree": "同意并继续",
        "elder": "长辈版",
        "send": "获取验证码",
        "enter": "登录",
        "phone": "手机号",
        "code": "验证码",
        "prove": "实名认证",
    },
    "en": {
        "agree": "Agree and continue",
        "elder": "Large and simple",
        "send": "Send me a code",
        "enter": "Sign in",
        "phone": "Phone number",
        "code": "Code",
        "prove": "Prove who you are",
    },
}
SCREEN: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2, "is_mobile": True, "has_touch": True}
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-sync"]


def find_chromium() -> str | None:
    """The Chromium of the machine: the one that CITYCARD_CHROMIUM names, else Debian's."""
    return os.environ.get("CITYCARD_CHROMIUM") or shutil.which("chromium")


class App:
    """The app on a phone of its own: nothing is kept of another."""

    def __init__(
        self, browser: Any, stage: Stage, *, language: str = "zh-CN", elder: bool = False, dark: bool = False, scale: int = 2
    ) -> None:
        self.stage, self.language, self.elder, self.words = stage, language, elder, WORDS[language]
        screen = {**SCREEN, "device_scale_factor": scale, "color_scheme": "dark" if dark else "light"}
        self.context = browser.new_context(locale=language, **screen)
        self.context.set_default_timeout(PATIENCE_MS)
        self.page = self.context.new_page()
        self.faults: list[str] = []
        self.page.on("pageerror", lambda fault: self.faults.append(f"page: {fault}"))
        self.page.on("console", self._hear)
        self.lost: list[str] = []
        self.page.on("requestfailed", lambda sent: self.lost.append(f"{sent.method} {sent.url} {sent.failure}"))
        self.phone: Phone | None = None
        self.last_code = ""

    def _hear(self, message: Any) -> None:
        # An answer that is a refusal, and a network that is off, are logged by the browser itself; the pages say them in words.
        if message.type == "error" and "Failed to load resource" not in message.text and "ERR_INTERNET_DISCONNECTED" not in message.text:
            self.faults.append(f"console: {message.text}")

    def close(self) -> None:
        """Throw the phone away."""
        self.context.close()

    def open(self, place: str = "") -> None:
        """Open the app, or one of its pages."""
        self.page.goto(f"{self.stage.issuer}/app/{'#/pages/' + place if place else ''}")
        if place:
            self.page.reload()

    def press(self, name: str | re.Pattern[str], *, exact: bool = False) -> None:
        """Touch the button of this name that is on the page in front."""
        self.shown("button", name, exact=exact).click()

    def shown(self, role: str, name: str | re.Pattern[str], *, exact: bool = False) -> Any:
        """What has this role and name and can be seen: pages that lie behind are still there."""
        return self.page.get_by_role(role, name=name, exact=exact).locator("visible=true").first

    def fill(self, label: str, text: str) -> None:
        """Type into the field of this label."""
        self.page.get_by_label(label, exact=True).locator("visible=true").first.fill(text)

    def sees(self, text: str | re.Pattern[str]) -> None:
        """Wait until the text is on the page in front; a fault shows what is there instead."""
        from playwright.sync_api import TimeoutError as Late

        try:
            self.page.get_by_text(text).locator("visible=true").first.wait_for()
        except Late:
            raise AssertionError(f"not on the page: {text}\n{self.page.url}\n{self.page.inner_text('body')}\n{self.lost}") from None

    def agree(self) -> None:
        """First start: choose a version, agree to the texts."""
        self.open()
        if self.elder:
            self.press(self.words["elder"])
        self.press(self.words["agree"])

    def sign_in(self, person: dict[str, Any]) -> None:
        """By text message."""
        self.phone = self.stage.phone(person)
        before = {message["id"] for message in self.phone.messages()}
        self.fill(self.words["phone"], person["phone"])
        self.press(self.words["send"])
        code = wait_for(lambda: self._code(before), what="a sign-in code")
        self.fill(self.words["code"], code)
        self.press(self.words["enter"], exact=True)
        self.shown("navigation", re.compile("")).wait_for()

    def _code(self, before: set[Any]) -> str | None:
        assert self.phone is not None
        found = [m for m in self.phone.messages() if m["id"] not in before and m["template"] == "sign_in_code"]
        return str(found[0]["values"]["code"]) if found else None

    def prove(self, person: dict[str, Any]) -> None:
        """Name and number."""
        zh = self.language == "zh-CN"
        self.press(self.words["prove"])
        self.fill("姓名" if zh else "Name", person["name"])
        self.fill("身份证号" if zh else "Citizen number", person["citizen_number"])
        self.press("我单独同意：用身份证号核对身份" if zh else "I agree to this alone: my citizen number is checked")
        self.press("提交核对" if zh else "Check", exact=True)
        self.sees("姓名与身份证号已核对" if zh else "Name and number were checked")

    def show_face(self) -> None:
        """The played camera, and back by its link."""
        zh = self.language == "zh-CN"
        self.press("我单独同意：进行人脸核验" if zh else "I agree to this alone: a face check")
        self.press("开始人脸核验" if zh else "Begin the face check")
        self.page.get_by_role("button", name="本人").click()
        self.page.get_by_role("link", name="回到应用").click()
        self.sees("已完成人脸核验" if zh else "The face check passed")

    def get_card(self) -> None:
        """The virtual card, from home."""
        self.press("完成" if self.language == "zh-CN" else "Done")
        self.shown("button", re.compile("市民卡|card", re.I)).click()
        self.shown("button", "出示付款码" if self.language == "zh-CN" else "Show pay code").wait_for()

    def open_codes(self) -> None:
        """Set this device up for pay codes."""
        zh = self.language == "zh-CN"
        self.press("出示付款码" if zh else "Show pay code")
        self.press("在这台设备上开通付款码" if zh else "Set up pay codes on this device")
        self.code()

    def code(self) -> str:
        """The eighteen digits on the screen."""
        shown = self.page.locator(".code-digits").locator("visible=true").first
        shown.wait_for()
        return re.sub(r"\D", "", shown.inner_text())

    def with_card(self, person: dict[str, Any]) -> None:
        """From first start to a card whose codes work."""
        self.agree()
        self.sign_in(person)
        self.prove(person)
        self.show_face()
        self.get_card()
        self.open_codes()

    def until(self, holds: str) -> None:
        """Wait until a sentence of JavaScript is true; asked from outside, because the page's policy forbids to evaluate text."""
        end = time.monotonic() + PATIENCE_MS / 1000
        while not self.page.evaluate(holds):
            if time.monotonic() > end:
                raise AssertionError(f"does not come true: {holds}\n{self.page.url}")
            self.page.wait_for_timeout(50)

    def another_code(self, *, than: str) -> str:
        """A code that differs from one seen before: the next tap where it is still the same half minute."""
        if self.code() == than:
            self.press("换一个码" if self.language == "zh-CN" else "Another code")
            self.until(f"document.querySelector('.code-digits').innerText.replace(/\\D/g, '') !== '{than}'")
        return self.code()

    def ready_for_no_network(self) -> None:
        """Wait until the app is kept on the device, so that it starts without network."""
        self.until("navigator.serviceWorker.controller !== null")
