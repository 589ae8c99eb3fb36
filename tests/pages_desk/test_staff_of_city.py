"""Two administrators let somebody in, who enrols alone, changes the password and is stopped: all on pages, also by keyboard."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Page, expect

from command.story import proving
from tests.pages_desk.conftest import City, Desk, violations

pytestmark = pytest.mark.full

PASSWORD, LATER = "quite a long phrase", "quite another phrase"


@dataclass
class Newcomer:
    """Somebody with an authenticator app."""

    login: str
    secret: str = ""
    step: int = field(default=0)

    def code(self) -> str:
        """The next code that was not used yet; at most half a minute is waited for it."""
        self.step = max(int(time.time()) // 30, self.step + 1)
        time.sleep(max(0.0, self.step * 30 - 29 - time.time()))
        return proving.one_time_code(self.secret, now=self.step * 30)


def row(login: str) -> str:
    """Where somebody stands in the list."""
    return f'li[data-login="{login}"]'


def leave(desk: Desk) -> None:
    """End the shift: the next test has the same counter."""
    desk.go("operator")
    desk.page.locator('[data-test="hand-over"]').click()
    expect(desk.page.locator('[data-test="shift"]')).to_have_text("未登录")


def admit(desk: Desk, login: str, name: str) -> None:
    """By keyboard alone, from the page of staff."""
    page = desk.page
    desk.go("staff")
    page.locator('[data-test="admit-open"]').focus()
    page.keyboard.press("Enter")
    page.locator("#admit-name").fill(name)
    page.keyboard.press("Tab")
    page.keyboard.type(login)
    page.keyboard.press("Enter")
    expect(page.locator('[data-test="told"]')).to_contain_text(name)


def join(page: Page, city: City, newcomer: Newcomer, code: str) -> None:
    """Enrol on a computer that is no counter."""
    page.goto(f"{city.stage.issuer}/desk/")
    page.get_by_text("第一次来").click()
    page.locator("#join-code").fill(code.lower())
    page.locator('[data-test="join-begin"]').click()
    newcomer.secret = page.locator('[data-test="join-secret"]').inner_text().replace(" ", "")
    assert violations(page) == []
    page.locator("#new-password").fill(PASSWORD)
    page.locator("#new-password-again").fill(LATER)
    expect(page.locator("#differs")).to_have_text("两次输入的新密码不同")
    page.locator("#new-password-again").fill(PASSWORD)
    page.locator("#join-one-time").fill(newcomer.code())
    page.locator('[data-test="join-finish"]').click()
    expect(page.locator('[data-test="joined"]')).to_contain_text(newcomer.login)


def sign_in(page: Page, newcomer: Newcomer, password: str) -> None:
    page.goto(page.url.partition("#")[0] + "#/operator")
    page.locator("#login").fill(newcomer.login)
    page.locator("#password").fill(password)
    page.locator("#code").fill(newcomer.code())
    page.locator("form .primary").click()


def test_somebody_new_from_admission_to_the_end(desk: Desk, city: City, make_desk: Callable[..., Desk]) -> None:
    newcomer = Newcomer(f"zhoumin{int(time.time())}")
    desk.sign_in("machao")
    admit(desk, newcomer.login, "周敏")
    own = desk.page.locator(row(newcomer.login))
    expect(own.locator('[data-test="standing"]')).to_have_text("待确认")
    expect(own).to_contain_text("须由另一位管理员确认")
    expect(own.locator('[data-test="confirm"]')).to_have_count(0)
    assert violations(desk.page) == []

    second = make_desk(permissions=["clipboard-read", "clipboard-write"])
    second.open()
    second.page.locator('[data-test="to-operator"]').click()
    sign = next(each for each in city.stage.city["staff"] if each["login"] == "tanhao")
    second.page.locator("#login").fill("tanhao")
    second.page.locator("#password").fill(sign["password"])
    second.page.locator("#code").fill(city.one_time("tanhao"))
    second.page.locator("form .primary").click()
    second.go("staff")
    seen = second.page.locator(row(newcomer.login))
    expect(seen).to_contain_text("录用：马超")
    seen.locator('[data-test="confirm"]').click()
    code = second.page.locator('[data-test="staff-code"]').inner_text()
    assert second.page.evaluate("document.activeElement.classList.contains('staff-code')"), "the code is where the reader is"
    second.page.locator('[data-test="copy"]').click()
    expect(second.page.get_by_text("已复制")).to_be_visible()
    assert second.page.evaluate("navigator.clipboard.readText()") == code
    expect(seen.locator('[data-test="standing"]')).to_have_text("待本人登记")
    assert violations(second.page) == []
    second.page.reload()
    expect(second.page.locator(row(newcomer.login))).to_be_visible()
    expect(second.page.locator('[data-test="staff-code"]')).to_have_count(0)

    third = make_desk()
    join(third.page, city, newcomer, code)
    sign_in(third.page, newcomer, PASSWORD)
    expect(third.page.locator('[data-test="operator"]')).to_have_text("周敏")
    expect(third.page.locator('.rail a[href="#/staff"]')).to_have_count(0)
    change_password(third.page, newcomer)

    second.page.locator(row(newcomer.login)).locator('[data-test="stop"]').click()
    second.page.keyboard.press("Enter")  # the button that makes sure has the focus
    expect(second.page.locator('[data-test="told"]')).to_contain_text("已停用 周敏")
    expect(seen.locator('[data-test="standing"]')).to_have_text("已停用")
    sign_in_again = make_desk()
    sign_in_again.open()
    sign_in(sign_in_again.page, newcomer, LATER)
    expect(sign_in_again.page.locator('[data-test="refusal"]')).to_contain_text("staff_sign_in_refused")
    leave(desk)


def change_password(page: Page, newcomer: Newcomer) -> None:
    """A used code is refused and says what to do; the next one changes the password, and the shift goes on."""
    page.locator('[data-test="to-password"]').click()
    page.locator("#present-password").fill(PASSWORD)
    for field_name in ("#new-password", "#new-password-again"):
        page.locator(field_name).fill(LATER)
    page.locator("#fresh-code").fill(proving.one_time_code(newcomer.secret, now=newcomer.step * 30))
    page.locator('[data-test="change-password"]').click()
    expect(page.locator('[data-test="refusal"]')).to_contain_text("present_password_refused")
    page.locator("#fresh-code").fill(newcomer.code())
    page.locator('[data-test="change-password"]').click()
    expect(page.locator('[data-test="password-changed"]')).to_be_visible()
    assert violations(page) == []
    page.reload()
    expect(page.locator('[data-test="shift"]')).to_contain_text("周敏")


def test_a_clerk_is_offered_no_page_of_staff_and_a_supervisor_only_looks(desk: Desk) -> None:
    desk.sign_in("hefang")
    expect(desk.page.locator('.rail a[href="#/staff"]')).to_have_count(0)
    desk.open("#/staff")
    expect(desk.page.locator("main")).to_contain_text("没有办理此项的权限")
    leave(desk)
    desk.sign_in("sunli")
    desk.go("staff")
    expect(desk.page.locator(row("hefang"))).to_be_visible()
    for deed in ("admit-open", "confirm", "stop"):
        expect(desk.page.locator(f'[data-test="{deed}"]')).to_have_count(0)
    leave(desk)


def test_a_taken_name_to_sign_in_by_is_refused_in_the_citys_words(desk: Desk) -> None:
    desk.sign_in("machao")
    desk.go("staff")
    page = desk.page
    page.locator('[data-test="admit-open"]').click()
    page.locator("#admit-name").fill("何芳")
    page.locator("#admit-login").fill("hefang")
    page.locator('[data-test="admit"]').click()
    expect(page.locator('[data-test="words"]')).to_have_text("该登录名已被使用")
    expect(page.locator("#admit-name")).to_have_value("何芳")
    leave(desk)


def test_a_password_is_hidden_pasted_and_shown_on_wish(make_desk: Callable[..., Desk], city: City) -> None:
    """ASVS 6.2.6 and 6.2.7, where a password is chosen; the fields say to a password manager what they are."""
    desk = make_desk(permissions=["clipboard-read", "clipboard-write"])
    desk.open("#/operator")
    page = desk.page
    member = next(each for each in city.stage.city["staff"] if each["login"] == "hefang")
    page.locator("#login").fill("hefang")
    page.evaluate("text => navigator.clipboard.writeText(text)", member["password"])
    page.locator("#password").focus()
    page.keyboard.press("Control+V")
    expect(page.locator("#password")).to_have_value(member["password"])
    page.locator("#code").fill(city.one_time("hefang"))
    page.keyboard.press("Enter")
    page.locator('[data-test="to-password"]').click()
    kinds = {"#present-password": "current-password", "#new-password": "new-password", "#new-password-again": "new-password"}
    for place, kind in kinds.items():
        expect(page.locator(place)).to_have_attribute("type", "password")
        expect(page.locator(place)).to_have_attribute("autocomplete", kind)
    page.locator("#new-password").focus()
    page.keyboard.press("Control+V")
    expect(page.locator("#new-password")).to_have_value(member["password"])
    page.locator('[name="shown"]').check()
    expect(page.locator("#new-password")).to_have_attribute("type", "text")
    expect(page.locator("#present-password")).to_have_attribute("type", "password")
