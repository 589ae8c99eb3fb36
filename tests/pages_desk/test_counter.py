"""A counter from its enrolment to a refund, by keyboard and scanner."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Route, expect

from command.story import walk
from tests.pages_desk.conftest import City, Desk

pytestmark = pytest.mark.full


def test_a_terminal_enrols_with_a_key_that_cannot_be_read(make_desk: Callable[..., Desk]) -> None:
    desk = make_desk()
    desk.enrol("桥东便利店二号", merchant="T4")
    read = """async () => {
      const base = await new Promise((done) => {
        const asked = indexedDB.open('citycard-desk', 1)
        asked.onsuccess = () => done(asked.result)
      })
      const pair = await new Promise((done) => {
        const asked = base.transaction('drawer').objectStore('drawer').get('key')
        asked.onsuccess = () => done(asked.result)
      })
      const exported = crypto.subtle.exportKey('jwk', pair.privateKey)
      return [pair.privateKey.extractable, await exported.then(() => 'read', (fault) => fault.name)]
    }"""
    assert desk.page.evaluate(read) == [False, "InvalidAccessError"]
    desk.page.reload()
    expect(desk.page.locator(".who")).to_contain_text("桥东便利店二号")
    expect(desk.page.locator(".who .good")).to_have_text("已连接")


def test_a_wrong_enrolment_code_is_refused_in_the_citys_words(make_desk: Callable[..., Desk]) -> None:
    desk = make_desk()
    desk.open()
    desk.page.locator("#enrolment").fill("0000-0000-0000-0000")
    desk.page.locator("form .primary").click()
    expect(desk.page.locator('[data-test="words"]')).to_contain_text("登记码")
    expect(desk.page.locator('[data-test="refusal"]')).to_contain_text("enrolment_refused")


def test_a_scan_shows_the_holder_then_charge_receipt_and_refund(desk: Desk, city: City) -> None:
    holder, page = city.holder(), desk.page
    desk.scan(holder.phone.pay_code())
    desk.wait_for("shown")
    shown = page.locator('[data-test="person"]')
    expect(shown).to_contain_text("电子卡")
    expect(shown).to_contain_text("本终端无权查看")
    assert re.fullmatch(r".\*+.?", page.locator('[data-test="name"]').inner_text())
    page.keyboard.type("12.30")  # the amount has the focus
    page.keyboard.press("Enter")
    desk.wait_for("done")
    receipt = page.locator('[data-test="receipt"]')
    expect(receipt).to_contain_text("12.30")
    expect(receipt).to_contain_text("云川包子铺")
    page.locator("a", has_text="查看或退款").click()
    page.locator("#back").fill("4.30")
    page.locator('[data-test="refund"]').click()
    page.locator('[data-test="confirm"]').click()
    expect(page.locator('[data-test="undone"]')).to_contain_text("退款成功：4.30 元已退回")
    expect(page.locator(".sum-line")).to_contain_text("8.00")
    assert walk.balance(holder) == walk.TOP_UP - 800
    desk.go("charges")
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.locator("tbody tr")).to_contain_text("4.30")


def test_with_an_amount_a_scan_charges_at_once_and_a_reversal_gives_all_back(desk: Desk, city: City) -> None:
    holder, page = city.holder(), desk.page
    page.keyboard.press("F2")
    page.keyboard.type("5")
    desk.scan(holder.phone.pay_code())  # into the very field that holds the amount
    desk.wait_for("done")
    expect(page.locator('[data-test="receipt"]')).to_contain_text("5.00")
    assert walk.balance(holder) == walk.TOP_UP - 500
    page.locator("a", has_text="查看或退款").click()
    page.locator('[data-test="reverse"]').click()
    page.locator('[data-test="confirm"]').click()
    expect(page.locator('[data-test="undone"]')).to_contain_text("冲正成功")
    expect(page.locator('[data-test="receipt"]')).to_contain_text("已冲正")
    assert walk.balance(holder) == walk.TOP_UP


def test_the_scanner_is_heard_whatever_has_the_focus_and_however_slow_it_types(desk: Desk, city: City) -> None:
    holder, page = city.holder(with_money=False), desk.page
    desk.go("operator")
    page.locator("#login").fill("abc")
    page.locator("#code").focus()  # takes six signs at most
    page.keyboard.type(holder.phone.pay_code(), delay=90)
    page.keyboard.press("Enter")
    desk.wait_for("shown")
    page.locator('[data-test="charge"]').evaluate("button => button.focus()")
    page.keyboard.press("Escape")
    desk.wait_for("ready")
    page.locator('[data-test="camera"]').focus()
    desk.scan(holder.phone.pay_code())
    desk.wait_for("shown")
    expect(page.locator('[data-test="camera"]')).to_have_attribute("aria-expanded", "false")


def test_a_used_code_and_an_empty_wallet_are_refused_with_what_to_do(desk: Desk, city: City) -> None:
    holder, page = city.holder(with_money=False), desk.page
    code = holder.phone.pay_code()
    desk.scan(code)
    desk.wait_for("shown")
    desk.scan(code)
    desk.wait_for("refused")
    expect(page.locator('[data-test="words"]')).to_have_text("付款码已被使用，请刷新后出示新的付款码")
    expect(page.locator('[data-test="refusal"]')).to_contain_text("请顾客在应用里刷新付款码，再扫一次")
    page.keyboard.press("Escape")
    page.locator("#amount").fill("20")
    desk.scan(holder.phone.pay_code())
    desk.wait_for("refused")
    expect(page.locator('[data-test="refusal"]')).to_contain_text("没有收款")
    expect(page.locator('[data-test="refusal"]')).to_contain_text("insufficient_funds")
    expect(page.locator("#amount")).to_have_value("20")


def test_after_a_loss_the_next_scan_is_refused_and_nothing_is_taken(desk: Desk, city: City) -> None:
    holder = city.holder()
    desk.page.locator("#amount").fill("2")
    code = holder.phone.pay_code()
    holder.phone.do("POST", f"/api/cards/{holder.card}/loss", {"kind": "temporary"})
    desk.scan(code)
    desk.wait_for("refused")
    expect(desk.page.locator('[data-test="words"]')).to_have_text("卡已挂失，不能使用；持卡人可在应用中撤销挂失")
    assert walk.balance(holder) == walk.TOP_UP


def test_a_charge_whose_answer_was_lost_is_asked_again_and_charged_once(desk: Desk, city: City) -> None:
    holder, page = city.holder(), desk.page

    def lose_the_answer(route: Route) -> None:
        route.fetch()
        route.abort()

    page.route("**/api/charges", lose_the_answer)
    page.locator("#amount").fill("3")
    desk.scan(holder.phone.pay_code())
    desk.wait_for("unsure")
    desk.scan(holder.phone.pay_code())  # is not taken while the question is open
    page.reload()
    desk.wait_for("unsure")
    page.locator('[data-test="unsure"] button').click()  # lost again
    desk.wait_for("unsure")
    page.unroute("**/api/charges")
    page.locator('[data-test="unsure"] button').click()
    desk.wait_for("done")
    expect(page.locator('[data-test="receipt"]')).to_contain_text("3.00")
    assert walk.balance(holder) == walk.TOP_UP - 300


def test_typing_the_code_works_with_wide_digits(desk: Desk, city: City) -> None:
    holder, page = city.holder(with_money=False), desk.page
    page.keyboard.press("F4")
    page.locator("#typed").fill("8100")
    page.locator(".typing button").click()
    expect(page.locator("#typed-wrong")).to_have_text("付款码是 18 位数字，请核对")
    page.locator("#typed").fill(holder.phone.pay_code().translate({48 + digit: 0xFF10 + digit for digit in range(10)}))
    page.locator(".typing button").click()
    desk.wait_for("shown")


def test_an_input_method_that_swallows_keys_is_named(desk: Desk) -> None:
    page = desk.page
    page.evaluate("document.body.dispatchEvent(new KeyboardEvent('keydown', {key: 'Process', keyCode: 229, bubbles: true}))")
    expect(page.locator('[data-test="ime"]')).to_contain_text("请切换到英文输入")
    desk.go("check")
    desk.scan("CITYCARD-TEST-20261122")
    expect(page.locator('[data-test="outcome"]')).to_contain_text("扫码枪正常")
    expect(page.locator('[data-test="ime"]')).to_have_count(0)
    desk.scan("citycard-test-20261122")
    expect(page.locator('[data-test="outcome"]')).to_contain_text("小写")


def test_the_counter_speaks_english_refusals_too(make_desk: Callable[..., Desk], city: City) -> None:
    desk = make_desk(locale="en-GB")
    desk.enrol("Bun shop, second till")
    expect(desk.page.locator("html")).to_have_attribute("lang", "en")
    holder = city.holder()
    desk.page.locator("#amount").fill("1")
    desk.scan(holder.phone.pay_code())
    desk.wait_for("done")
    expect(desk.page.locator('[data-test="receipt"]')).to_contain_text("Yunchuan")
    holder.phone.do("POST", f"/api/cards/{holder.card}/loss", {"kind": "temporary"})
    desk.page.locator("#amount").fill("1")
    desk.scan(holder.phone.pay_code())
    desk.wait_for("refused")
    expect(desk.page.locator('[data-test="words"]')).to_have_text(
        "The card was reported lost; its holder can take back the report in the app"
    )


def test_a_terminal_that_only_checks_offers_no_money(make_desk: Callable[..., Desk], city: City) -> None:
    desk = make_desk()
    desk.enrol("市民中心二号窗口", ("presentation:create", "concession:read"), merchant="T2")
    expect(desk.page.locator("#amount")).to_have_count(0)
    desk.scan(city.holder(with_money=False).phone.pay_code())
    desk.wait_for("shown")
    expect(desk.page.locator('[data-test="person"]')).not_to_contain_text("本终端无权查看")
