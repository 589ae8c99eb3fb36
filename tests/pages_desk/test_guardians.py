"""A guardian agrees for a child under fourteen, at the counter: before the child is named, or afterwards."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Route, expect

from command.story.app import App
from tests.pages_desk.conftest import City, Desk, violations
from tests.pages_desk.families import NEEDED, bring_child, family, moved_here, speak, tick

pytestmark = pytest.mark.full


def a_grown_up(city: City) -> dict[str, Any]:
    """Somebody of age whom the city has named."""
    return next(each for each in city.stage.city["people"] if each["identity_level"] >= 2 and each["birth"] < "2000")


def version(day: str) -> re.Pattern[str]:
    """A day as the page shows it, with signs between that keep it on one line."""
    return re.compile(day.replace("-", "-\u2060?"))


@pytest.fixture
def shift(desk: Desk) -> Iterator[Desk]:
    """The counter with a clerk, who hands over afterwards."""
    desk.sign_in("hefang")
    yield desk
    desk.go("operator")
    desk.page.locator('[data-test="hand-over"]').click()
    expect(desk.page.locator('[data-test="shift"]')).to_have_text("未登录")


def test_a_child_is_named_with_the_guardian_beside_them(shift: Desk, city: City, browser: Browser) -> None:
    desk, page, guardian = shift, shift.page, a_grown_up(city)
    phone, child = moved_here(city)
    bring_child(desk, phone, child)
    expect(page.locator('[data-test="guardian-needed"]')).to_contain_text("还没有保存")
    expect(page.locator('input[type="checkbox"]:checked')).to_have_count(0)
    assert violations(page) == []
    page.locator("summary").nth(2).click()
    expect(page.locator("details").nth(2)).to_contain_text("发给公安人口库核对一次")
    prove = page.locator('[data-test="prove"]')
    speak(desk, guardian, *NEEDED[:2])
    expect(prove).to_be_disabled()
    tick(page, NEEDED[2])
    prove.click()
    proven = page.locator('[data-test="proven"]')
    for said in ("实名完成", "L4", "户口簿", "用户协议、隐私政策、处理身份证号的单独同意", "现在可以登录应用"):
        expect(proven).to_contain_text(said)
    expect(proven).not_to_contain_text("人脸")
    expect(proven).not_to_contain_text(guardian["name"])
    assert violations(page) == []

    app = App(browser, city.stage)
    app.agree()
    app.sign_in(child)
    assert app.faults == []
    app.close()


def test_without_a_guardian_the_visit_ends_and_nothing_stays(shift: Desk, city: City) -> None:
    desk, page = shift, shift.page
    phone, child = moved_here(city)
    bring_child(desk, phone, child)
    page.get_by_text("监护人不在场，结束办理").click()
    expect(page.locator('[data-test="guardian-needed"]')).to_have_count(0)
    for field in ("#phone", '[name="chip-name"]', '[name="chip-number"]'):
        expect(page.locator(field)).to_have_value("")
    desk.page.goto(f"{city.stage.issuer}/desk/#/identity/guardian")
    desk.read_chip(child)
    page.locator('[data-test="find"]').click()
    expect(page.locator('[data-test="refusal"]')).to_contain_text("这个孩子还没有在本市实名")


def test_who_may_not_be_a_guardian_and_who_may_in_english(make_desk: Callable[..., Desk], city: City) -> None:
    desk = make_desk(locale="en-US")
    desk.enrol("Service window")
    page = desk.page
    phone, child = moved_here(city)
    _, stranger = city.newcomer()
    desk.sign_in("sunli")
    bring_child(desk, phone, child)
    expect(page.locator('[data-test="guardian-needed"]')).to_contain_text("a guardian has to agree here and now")
    speak(desk, stranger, *NEEDED, document="birth_certificate")
    page.locator('[data-test="prove"]').click()
    refusal = page.locator('[data-test="refusal"]')
    expect(refusal).to_contain_text("prove theirs at the counter first")
    expect(refusal).to_contain_text("guardian_unfit")
    assert violations(page) == []
    page.locator('[data-test="guardian-card"] .simulator button').click()
    desk.read_chip(a_grown_up(city), '[data-test="guardian-card"]')
    tick(page, "face_data")
    page.locator('[data-test="prove"]').click()
    proven = page.locator('[data-test="proven"]')
    for said in ("Identity proved", "Medical certificate of birth", "Consent to a face check", "sign in to the app now"):
        expect(proven).to_contain_text(said)


def test_for_a_named_child_only_the_agreement_is_written_down(shift: Desk, city: City) -> None:
    desk, page = shift, shift.page
    child, guardian = family(city)
    desk.go("identity")
    page.get_by_text("孩子已经实名，只补监护人的同意").click()
    expect(page.locator('.rail [aria-current="page"]')).to_have_text("实名办理")
    desk.read_chip(child)
    page.locator('[data-test="find"]').click()
    expect(page.locator("details")).to_have_count(4)
    speak(desk, guardian, *NEEDED, document="guardianship_decision")
    assert violations(page) == []
    page.locator('[data-test="agree"]').click()
    agreed = page.locator('[data-test="agreed"]')
    for said in ("已记录监护人的同意", "指定监护人的决定书或判决书", "用户协议、隐私政策、处理身份证号的单独同意"):
        expect(agreed).to_contain_text(said)
    expect(agreed).not_to_contain_text("还没有同意")
    assert violations(page) == []


def test_a_text_that_changed_meanwhile_is_read_and_agreed_to_anew(shift: Desk, city: City) -> None:
    desk, page = shift, shift.page
    child, guardian = family(city)

    def older(route: Route) -> None:
        route.fulfill(response=(came := route.fetch()), body=came.text().replace('"version":"2026-11-01"', '"version":"2026-01-01"'))

    page.route("**/api/agreements", older)
    page.goto(f"{city.stage.issuer}/desk/#/identity/guardian")
    desk.read_chip(child)
    page.locator('[data-test="find"]').click()
    expect(page.locator("summary").first).to_contain_text(version("2026-01-01"))
    page.unroute("**/api/agreements")
    speak(desk, guardian, *NEEDED)
    page.locator('[data-test="agree"]').click()
    expect(page.locator('[data-test="refusal"]')).to_contain_text("agreement_outdated")
    expect(page.locator("summary").first).to_contain_text(version("2026-11-01"))
    expect(page.locator('input[type="checkbox"]:checked')).to_have_count(0)
    expect(page.locator('[data-test="agree"]')).to_be_disabled()
    tick(page, *NEEDED)
    page.locator('[data-test="agree"]').click()
    expect(page.locator('[data-test="agreed"]')).to_be_visible()
