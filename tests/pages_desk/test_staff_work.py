"""What a member of staff does at a counter: a shift, an identity without a face, a loss on behalf."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.pages_desk.conftest import City, Desk

pytestmark = pytest.mark.full


def test_nobody_proves_an_identity_without_being_signed_in(desk: Desk) -> None:
    desk.go("identity")
    expect(desk.page.locator("main")).to_contain_text("请先由工作人员登录")
    expect(desk.page.locator("#phone")).to_have_count(0)


def test_a_shift_with_an_identity_and_a_loss(desk: Desk, city: City) -> None:
    page = desk.page
    desk.sign_in("hefang")
    expect(page.locator('[data-test="shift"]')).to_contain_text("何芳")
    page.reload()
    expect(page.locator('[data-test="shift"]')).to_contain_text("何芳")

    phone, person = city.newcomer()
    desk.go("identity")
    desk.check_phone(phone)
    desk.read_chip(person)
    page.locator('[data-test="prove"]').click()
    expect(page.locator('[data-test="proven"]')).to_contain_text("L4")

    holder = city.holder()
    desk.go("loss")
    desk.read_chip(holder.person)
    page.locator('[data-test="find"]').click()
    expect(page.locator('[data-test="found"]')).to_contain_text("L4")
    page.locator('[data-test="report"]').click()
    expect(page.locator('[data-test="reported"]')).to_contain_text("从现在起，这张卡在所有终端都不能使用")
    desk.go("till")
    desk.scan(holder.phone.pay_code())
    desk.wait_for("refused")
    expect(page.locator('[data-test="refusal"]')).to_contain_text("card_lost")
    assert holder.phone.ask("DELETE", f"/api/cards/{holder.card}/loss").code == "loss_is_formal"

    desk.go("loss")
    desk.read_chip(holder.person)
    page.locator('[data-test="find"]').click()
    page.locator('[data-test="take-back"]').click()
    expect(page.locator('[data-test="found-again"]')).to_contain_text("已解除挂失")
    desk.go("till")
    desk.scan(holder.phone.pay_code())
    desk.wait_for("shown")

    desk.go("operator")
    page.locator('[data-test="hand-over"]').click()
    expect(page.locator('[data-test="shift"]')).to_have_text("未登录")


def test_a_wrong_password_is_refused(desk: Desk) -> None:
    desk.go("operator")
    for field, value in (("#login", "sunli"), ("#password", "wrong-password-12"), ("#code", "000000")):
        desk.page.locator(field).fill(value)
    desk.page.locator("form .primary").click()
    expect(desk.page.locator('[data-test="words"]')).to_contain_text("账号、密码或动态码不正确")
    expect(desk.page.locator("#password")).to_have_value("")


def test_a_password_of_eighteen_digits_typed_key_by_key_is_no_scan(desk: Desk) -> None:
    desk.go("operator")
    desk.page.locator("#login").fill("sunli")
    desk.page.locator("#code").fill("000000")
    desk.page.locator("#password").press_sequentially("123456789012345678")
    desk.page.locator("#password").press("Enter")
    expect(desk.page.locator('[data-test="words"]')).to_contain_text("账号、密码或动态码不正确")
