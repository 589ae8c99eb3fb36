"""`make screenshots`, the counter: every screen in both languages, normal and large, checked by axe-core and kept as a small picture."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from tests.pages.pictures import PICTURES, begin_anew, keep_small
from tests.pages_desk.conftest import City, Desk, violations
from tests.pages_desk.families import NEEDED, bring_child, family, moved_here, speak

OUT = PICTURES / "desk"
MODES = ("normal", "large")
OPENS_NOTHING = "OPEN-SESA-ME00-0000"
CLERKS = {"zh-CN": "hefang", "en": "sunli"}


@pytest.mark.full
@pytest.mark.parametrize(("language", "width", "height"), [("zh-CN", 1280, 800), ("en", 1024, 768)])
def test_each_screen_is_without_fault_and_kept(make_desk: Callable[..., Desk], city: City, language: str, width: int, height: int) -> None:
    desk = make_desk(locale=language, viewport={"width": width, "height": height})
    desk.open()
    seen = Pictures(desk, language)
    seen.take("enrol")
    desk.enrol("包子铺柜台" if language == "zh-CN" else "Bun shop counter")
    walk_the_till(desk, city, seen)
    walk_the_staff_pages(desk, city, seen)
    walk_with_a_guardian(desk, city, seen)
    walk_with_an_administrator(desk, city, seen)
    assert seen.faults == []


class Pictures:
    """Takes each screen in normal and large type, and lets axe-core look at both."""

    def __init__(self, desk: Desk, language: str) -> None:
        self.desk, self.language, self.faults, self.number = desk, language, list[str](), 0
        for mode in MODES:
            begin_anew(OUT / f"{language}-{mode}")

    def take(self, name: str) -> None:
        """One screen, as it stands now."""
        self.number += 1
        larger = self.desk.page.locator(".tools button").first
        for mode in MODES:
            found = violations(self.desk.page)
            self.faults += [f"{name} {mode}: {each}" for each in found]
            place = OUT / f"{self.language}-{mode}" / f"{self.number:02}-{name}.png"
            keep_small(self.desk.page.screenshot(full_page=True), place)
            larger.click()


def walk_the_till(desk: Desk, city: City, seen: Pictures) -> None:
    """The till from an empty one to a refund."""
    page, holder = desk.page, city.holder()
    seen.take("till")
    desk.scan(holder.phone.pay_code())
    desk.wait_for("shown")
    page.locator("#amount").fill("12.30")
    seen.take("person")
    page.locator('[data-test="charge"]').click()
    desk.wait_for("done")
    page.get_by_text("云川包子铺" if seen.language == "zh-CN" else "Yunchuan").first.wait_for()
    seen.take("receipt")
    page.locator('.box.good a[href^="#/charges/"]').click()
    page.locator("#back").fill("4.30")
    seen.take("charge")
    page.locator('[data-test="refund"]').click()
    page.locator('[data-test="confirm"]').click()
    page.locator('[data-test="undone"]').wait_for()
    seen.take("refunded")
    desk.go("charges")
    page.locator("tbody tr").wait_for()
    seen.take("charges")
    holder.phone.do("POST", f"/api/cards/{holder.card}/loss", {"kind": "temporary"})
    desk.go("till")
    page.locator("#amount").fill("12.30")
    desk.scan(holder.phone.pay_code())
    desk.wait_for("refused")
    seen.take("refused")
    page.route("**/api/charges", lambda route: route.abort())
    desk.scan(holder.phone.pay_code())
    desk.wait_for("unsure")
    seen.take("unsure")
    page.unroute("**/api/charges")
    page.locator('[data-test="unsure"] button').click()
    desk.wait_for("refused")


def walk_the_staff_pages(desk: Desk, city: City, seen: Pictures) -> None:
    """The pages of the operator, and the scanner test."""
    page, holder = desk.page, city.holder(with_money=False)
    desk.go("identity")
    seen.take("identity-nobody")
    desk.go("operator")
    seen.take("operator")
    desk.sign_in(CLERKS[seen.language])
    seen.take("shift")
    desk.go("identity")
    desk.read_chip(holder.person)
    seen.take("identity")
    desk.go("loss")
    seen.take("loss-find")
    desk.read_chip(holder.person)
    page.locator('[data-test="find"]').click()
    page.locator('[data-test="report"]').wait_for()
    seen.take("loss")
    page.locator('[data-test="report"]').click()
    page.locator('[data-test="reported"]').wait_for()
    seen.take("loss-done")
    desk.go("check")
    desk.scan("CITYCARD-TEST-20261122")
    seen.take("check")


def walk_with_a_guardian(desk: Desk, city: City, seen: Pictures) -> None:
    """A child who is to be named, what a guardian is asked, and what was written down; then one who was named before."""
    phone, child = moved_here(city)
    _, guardian = family(city)
    bring_child(desk, phone, child)
    seen.take("guardian-needed")
    speak(desk, guardian, *NEEDED)
    desk.page.locator("summary").nth(2).click()
    seen.take("guardian-speaks")
    desk.page.locator('[data-test="prove"]').click()
    desk.page.locator('[data-test="proven"]').wait_for()
    seen.take("guardian-named")
    child, guardian = family(city)
    desk.open("#/identity/guardian")
    desk.read_chip(child)
    desk.page.locator('[data-test="find"]').click()
    desk.page.locator('[data-test="found"]').wait_for()
    seen.take("guardian-afterwards")
    speak(desk, guardian, *NEEDED, "face_data")
    desk.page.locator('[data-test="agree"]').click()
    desk.page.locator('[data-test="agreed"]').wait_for()
    seen.take("guardian-recorded")


def walk_with_an_administrator(desk: Desk, city: City, seen: Pictures) -> None:
    """Staff: the list, somebody admitted and confirmed by two, their enrolment on a computer that is no counter, and a new password."""
    page = desk.page
    leave(desk)
    desk.sign_in("machao")
    desk.go("staff")
    page.locator('li[data-login="machao"]').wait_for()
    seen.take("staff")
    page.locator('[data-test="admit-open"]').click()
    page.locator("#admit-name").fill("周敏")
    login = f"zhoumin{int(time.time())}"
    page.locator("#admit-login").fill(login)
    seen.take("staff-admit")
    page.locator('[data-test="admit"]').click()
    page.locator('[data-test="told"]').wait_for()
    seen.take("staff-admitted")
    desk.go("operator")
    page.locator('[data-test="to-password"]').click()
    page.locator("#new-password").wait_for()
    seen.take("password")
    leave(desk)
    desk.sign_in("tanhao")
    desk.go("staff")
    page.locator(f'li[data-login="{login}"] [data-test="confirm"]').click()
    code = page.locator('[data-test="staff-code"]').inner_text()
    # What is kept of it as a picture opens nothing.
    page.locator('[data-test="staff-code"]').evaluate("(shown, text) => (shown.textContent = text)", OPENS_NOTHING)
    seen.take("staff-code")
    leave(desk)
    page.locator('[data-test="to-join"]').click()
    page.locator("#join-code").fill(code)
    seen.take("join-code")
    page.locator('[data-test="join-begin"]').click()
    page.locator('[data-test="join-secret"]').wait_for()
    seen.take("join")
    desk.sign_in("machao")
    desk.go("staff")
    page.locator(f'li[data-login="{login}"] [data-test="stop"]').click()
    seen.take("staff-stop")
    page.locator('[data-test="stop-sure"]').click()
    page.locator('[data-test="told"]').wait_for()
    seen.take("staff-stopped")


def leave(desk: Desk) -> None:
    """End the shift."""
    desk.go("operator")
    desk.page.locator('[data-test="hand-over"]').click()
    desk.page.locator("#login").wait_for()
