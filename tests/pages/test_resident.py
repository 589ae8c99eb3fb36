"""The resident's app from first start to a charge, as a thumb and a till see it."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import TimeoutError as Late

from command.story.cast import Stage
from tests.pages.app_in_browser import App

pytestmark = pytest.mark.full
Phones = Callable[..., App]


def test_from_first_start_to_a_charge_and_offline_to_another(phone: Phones, stage: Stage) -> None:
    app, till = phone(), stage.till()
    app.with_card(stage.stranger())
    till.sign_in()
    code = app.code()
    assert till.do("POST", "/api/presentations", {"code": code})["masked_name"]

    app.press("首页")
    app.press("充值")
    app.fill("金额（元）", "30")
    app.press(re.compile("^去付款"))
    app.page.get_by_role("button", name="确认付款").click()
    app.page.get_by_role("link", name="回到应用").click()
    app.sees("充值成功，30.00 元已到账。")

    app.press("完成")
    app.sees("30.00")
    app.press("付款码")
    charge = till.do("POST", "/api/charges", {"amount_fen": 420, "code": app.another_code(than=code)})
    app.sees("已付 4.20 元")  # heard by the app itself, within two seconds
    used = app.code()

    # Without network: a reload brings the app, the card and a fresh code, which the till takes.
    app.ready_for_no_network()
    app.context.set_offline(True)
    app.page.reload()
    app.sees("没有网络。付款码照常可用")
    offline = app.another_code(than=used)
    second = till.do("POST", "/api/charges", {"amount_fen": 100, "code": offline})
    assert second["masked_name"] == charge["masked_name"]
    app.press("首页")
    app.sees("上次联网时的余额")
    app.context.set_offline(False)

    app.press("首页")
    app.press("收支记录")
    app.sees("−4.20")
    app.sees("+30.00")


def test_a_loss_in_two_taps_is_refused_at_once_and_taken_back(phone: Phones, stage: Stage) -> None:
    app, till = phone(), stage.till()
    app.with_card(stage.stranger())
    till.sign_in()
    app.press("首页")
    app.press("挂失")
    app.press("挂失这张卡")
    app.press("确定，立即挂失")
    app.sees("已挂失。从现在起不能付款。")
    app.press("返回")
    app.sees("这张卡现在不能用")
    app.press("付款码")
    app.sees("卡已挂失，不能使用；持卡人可在应用中撤销挂失")
    assert app.page.locator(".code-digits").locator("visible=true").count() == 0
    app.press("卡片详情")
    app.press("解除挂失")
    app.sees("已解除挂失，可以使用。")
    app.press("返回")
    assert till.do("POST", "/api/presentations", {"code": app.code()})["card"]["tail"]


def test_without_a_face_or_a_passkey_of_this_moment_the_page_of_the_card_leads_to_one(phone: Phones, stage: Stage) -> None:
    app, person = phone(), stage.stranger()
    app.agree()
    app.sign_in(person)
    app.prove(person)
    app.get_card()
    app.press("首页")
    app.press("挂失")
    app.press("挂失这张卡")
    app.press("确定，立即挂失")
    app.press("解除挂失")
    app.sees("解除挂失前，请先确认是您本人")
    app.press("实名认证")
    app.sees("请再确认一次是您本人")
    app.show_face()
    app.press("回到卡片")
    app.press("解除挂失")
    app.sees("已解除挂失，可以使用。")


def test_the_code_on_the_screen_is_dead_from_the_report_on(phone: Phones, stage: Stage) -> None:
    app, till = phone(), stage.till()
    app.with_card(stage.stranger())
    till.sign_in()
    code = app.code()
    assert app.phone is not None
    card = app.page.evaluate("JSON.stringify(document.title)")
    assert "付款码" in card
    app.press("首页")
    app.press("挂失")
    app.press("挂失这张卡")
    app.press("确定，立即挂失")
    app.sees("已挂失。从现在起不能付款。")
    assert till.ask("POST", "/api/presentations", {"code": code}).code == "card_lost"


def test_in_english_and_with_a_refused_agreement_there_is_a_way_on(phone: Phones, stage: Stage) -> None:
    app = phone(language="en")
    app.open()
    app.press("I do not agree")
    app.sees("bring your ID card to a service counter")
    app.press("Privacy policy")
    app.sees("What stays on this device")
    app.press("Back")
    app.press("Agree and continue")
    person = stage.stranger()
    app.sign_in(person)
    app.press("Prove who you are")
    app.fill("Name", "王小二")
    app.fill("Citizen number", person["citizen_number"])
    app.press("I agree to this alone: my citizen number is checked")
    app.press("Check", exact=True)
    app.sees("Name and citizen number do not belong together")
    assert app.page.evaluate("document.documentElement.lang") == "en"


def test_a_new_phone_of_a_named_resident_waits_for_the_old_one(phone: Phones, stage: Stage) -> None:
    person = stage.stranger()
    old = phone()
    old.with_card(person)
    new = phone()
    new.agree()
    new.stage = stage
    try_in(new, person)
    new.sees("请确认是您本人")
    new.press("我已同意，登录")
    new.sees("登录申请尚未同意")
    old.press("我的")
    old.press("设备和登录")
    old.press("是我，同意")
    new.press("我已同意，登录")
    new.shown("button", "出示付款码").wait_for()


def test_a_passkey_signs_in_without_a_message(phone: Phones, stage: Stage) -> None:
    app = phone()
    line = app.context.new_cdp_session(app.page)
    line.send("WebAuthn.enable", {"enableUI": False})
    key = {"protocol": "ctap2", "ctap2Version": "ctap2_1", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True}
    line.send("WebAuthn.addVirtualAuthenticator", {"options": {**key, "isUserVerified": True, "automaticPresenceSimulation": True}})
    app.with_card(stage.stranger())
    app.press("我的")
    app.press("设备和登录")
    app.press("添加通行密钥")
    app.sees("通行密钥已添加")
    app.press("返回")
    app.press("退出登录")
    app.press("确定退出")
    app.press("用通行密钥登录")
    app.shown("button", "出示付款码").wait_for()


def try_in(app: App, person: dict[str, Any]) -> None:
    """Type number and code, whatever comes of it."""
    app.context.set_default_timeout(4_000)
    with contextlib.suppress(Late):
        app.sign_in(person)
    app.context.set_default_timeout(15_000)
