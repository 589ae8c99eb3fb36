"""A walk past every page of the resident's app, in one language and one version."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from command.story.cast import Stage
from tests.pages.app_in_browser import App

AROUND = (("devices", "设备和登录", "Devices and sign-ins"), ("notices", "通知", "Notices"), ("agreed", "我的同意", "What I agreed to"))
DUE = "[...document.querySelectorAll('button')].filter(b => b.offsetParent && /^(查看并缴费|See and pay)$/.test(b.innerText.trim())).length"
MERCHANDISE_FEN = (380, 1_250)


def walk(app: App, stage: Stage, person: dict[str, Any]) -> Iterator[str]:
    """Yields the name of each page when it stands."""
    yield from first_steps(app, person)
    yield from proving(app, person)
    yield from with_money(app, stage)
    yield from paying_bills(app, stage, person)
    yield from taking_back(app)
    yield from around(app)
    yield from losing(app)


def first_steps(app: App, person: dict[str, Any]) -> Iterator[str]:
    """Before anybody is known."""
    app.open()
    app.shown("button", app.words["agree"]).wait_for()
    if app.elder:
        app.press(app.words["elder"])
    yield "welcome"
    app.press(word(app, "隐私政策", "Privacy policy"))
    app.sees(word(app, "您的权利", "Your rights"))
    yield "privacy"
    app.press(word(app, "返回", "Back"))
    app.press(word(app, "用户协议", "Terms of use"))
    app.sees(word(app, "停止使用", "Leaving"))
    yield "terms"
    app.press(word(app, "返回", "Back"))
    app.press(app.words["agree"])
    app.shown("button", app.words["send"]).wait_for()
    yield "enter"
    app.sign_in(person)
    app.shown("button", app.words["prove"]).wait_for()
    yield "home-new"


def proving(app: App, person: dict[str, Any]) -> Iterator[str]:
    """Who it is."""
    app.prove(person)
    yield "prove-named"
    app.show_face()
    yield "prove-faced"
    app.get_card()
    yield "home-card"
    app.press(word(app, "收支记录", "Receipts"))
    app.sees(word(app, "还没有记录。", "Nothing yet."))
    yield "receipts-none"
    app.press(word(app, "返回", "Back"))
    app.press(word(app, "付款码", "Pay code"), exact=True)
    app.shown("button", word(app, "在这台设备上开通付款码", "Set up pay codes on this device")).wait_for()
    yield "code-open"
    app.press(word(app, "首页", "Home"))
    app.open_codes()


def with_money(app: App, stage: Stage) -> Iterator[str]:
    """Topping up, paying, and what was written down."""
    app.press(word(app, "首页", "Home"))
    app.press(word(app, "充值", "Top up"))
    app.fill(word(app, "金额（元）", "Amount (CNY)"), "50")
    yield "top-up"
    app.press(re.compile("^去付款|^Pay CNY"))
    app.page.get_by_role("button", name="确认付款").click()
    app.page.get_by_role("link", name="回到应用").click()
    app.sees(word(app, "充值成功", "was added to your wallet"))
    yield "top-up-done"
    app.press(word(app, "完成", "Done"))
    app.press(word(app, "付款码", "Pay code"), exact=True)
    till = stage.till()
    till.sign_in()
    for amount in MERCHANDISE_FEN:
        till.do("POST", "/api/charges", {"amount_fen": amount, "code": unused(app)})
        app.sees(word(app, f"已付 {amount / 100:.2f} 元", f"Paid CNY {amount / 100:.2f}"))
    yield "code"
    app.context.set_offline(True)
    app.sees(word(app, "没有网络。付款码照常可用", "No connection. Pay codes work"))
    yield "code-offline"
    app.context.set_offline(False)
    app.press(word(app, "首页", "Home"))
    app.sees("33.70")
    yield "home"
    app.press(word(app, "收支记录", "Receipts"))
    app.sees("−12.50")
    yield "receipts"
    app.press(word(app, "返回", "Back"))


def paying_bills(app: App, stage: Stage, person: dict[str, Any]) -> Iterator[str]:
    """A water bill for which the wallet is short, paid after a top-up; and the next one while the company is away."""
    app.press(word(app, "生活缴费", "Bills"))
    app.sees(word(app, "绑定户号后", "Bind an account to see"))
    yield "bills-none"
    app.press(word(app, "绑定户号", "Bind an account"))
    bind_water(app, person, "无此人")
    app.sees(word(app, "户号与户主姓名不相符", "Account number and owner's name do not match"))
    yield "bills-bind"
    bind_water(app, person, person["utility_accounts"]["owner"])
    app.sees(word(app, "户号已绑定", "The account is bound"))
    yield "bills-bound"
    app.press(word(app, "对，就是这一户", "Yes, this is it"))
    app.shown("button", word(app, "查看并缴费", "See and pay")).wait_for()
    yield "bills"
    app.press(word(app, "查看并缴费", "See and pay"))
    app.sees(word(app, "这笔钱怎么算的", "How it comes to this"))
    yield "bill"
    app.press(word(app, "返回", "Back"))
    top_up(app, "400")
    app.press(word(app, "生活缴费", "Bills"))
    app.press(word(app, "查看并缴费", "See and pay"))
    app.press(re.compile("^用钱包缴|^Pay CNY"))
    yield "bill-sure"
    app.press(re.compile("^确认缴|^Yes, pay"))
    app.sees(word(app, "缴费成功", "Paid: CNY"))
    yield "bill-paid"
    app.press(word(app, "返回", "Back"))
    app.until(f"{DUE} === 1")  # read anew: the paid one is gone
    with stage.fault("water", "down"):
        app.press(word(app, "查看并缴费", "See and pay"))
        app.press(re.compile("^用钱包缴|^Pay CNY"))
        app.press(re.compile("^确认缴|^Yes, pay"))
        app.sees(word(app, "还没有缴成", "not paid yet"))
        yield "bill-confirming"
        app.press(word(app, "返回", "Back"))
        app.sees(word(app, "暂时联系不上", "cannot be reached now"))
        yield "bills-away"
    app.press(word(app, "水费 ·", "Water bill ·"))
    app.sees(word(app, "已缴清的账单", "Settled bills"))
    yield "bills-account"
    app.press(word(app, "返回", "Back"))
    app.press(word(app, "缴费记录", "Bills paid"))
    app.until("document.querySelectorAll('li.item').length === 2")
    yield "bills-paid"
    app.press(word(app, "返回", "Back"))
    app.press(word(app, "返回", "Back"))


def taking_back(app: App) -> Iterator[str]:
    """Part of a top-up goes back to where it was paid from."""
    app.press(word(app, "收支记录", "Receipts"))
    app.press(word(app, "查看或退回", "See it or take it back"))
    app.shown("button", re.compile("^退回|^Take CNY")).wait_for()
    yield "top-up-back"
    app.fill(word(app, "金额（元）", "Amount (CNY)"), "10")
    app.press(re.compile("^退回|^Take CNY"))
    app.press(word(app, "确定退回", "Yes, take it back"))
    app.sees(word(app, "已退回云付", "Back at YunPay"))
    yield "top-up-back-done"
    app.press(word(app, "返回", "Back"))
    app.press(word(app, "返回", "Back"))


def bind_water(app: App, person: dict[str, Any], owner: str) -> None:
    """The form of an account, filled and sent."""
    app.press(word(app, "水费 ·", "Water bill ·"))
    app.fill(word(app, "用水户号", "Water account number"), person["utility_accounts"]["water"])
    app.fill(word(app, "户主姓名", "Name of the account’s owner"), owner)
    app.press(word(app, "绑定户号", "Bind an account"))


def top_up(app: App, yuan: str) -> None:
    """From any page but the first: the wallet gets so much, and one is home again."""
    app.press(word(app, "返回", "Back"))
    app.press(word(app, "充值", "Top up"))
    app.fill(word(app, "金额（元）", "Amount (CNY)"), yuan)
    app.press(re.compile("^去付款|^Pay CNY"))
    app.page.get_by_role("button", name="确认付款").click()
    app.page.get_by_role("link", name="回到应用").click()
    app.sees(word(app, "充值成功", "was added to your wallet"))
    app.press(word(app, "完成", "Done"))


def around(app: App) -> Iterator[str]:
    """What is one's own."""
    app.press(word(app, "我的", "Me"), exact=True)
    app.shown("button", word(app, "退出登录", "Sign out")).wait_for()
    yield "mine"
    for name, zh, en in AROUND:
        app.press(word(app, zh, en))
        app.shown("heading", word(app, zh, en)).wait_for()
        app.page.wait_for_timeout(700)
        yield name
        app.press(word(app, "返回", "Back"))
    app.press(word(app, "首页", "Home"))


def losing(app: App) -> Iterator[str]:
    """The card is gone."""
    app.press(re.compile("挂失|ost"))
    app.shown("button", word(app, "挂失这张卡", "Report this card lost")).wait_for()
    yield "card"
    app.press(word(app, "挂失这张卡", "Report this card lost"))
    yield "card-sure"
    app.press(word(app, "确定，立即挂失", "Yes, report it now"))
    app.sees(word(app, "已挂失。从现在起不能付款。", "Reported lost. From now on it cannot pay."))
    yield "card-lost"
    app.press(word(app, "返回", "Back"))
    app.press(word(app, "付款码", "Pay code"), exact=True)
    app.sees(word(app, "这张卡现在不能用", "This card cannot be used now"))
    yield "code-refused"


def unused(app: App) -> str:
    """A code that no till has seen yet: the app shows another one by itself once it hears of a payment."""
    seen = app.last_code
    if app.code() == seen:
        app.until(f"document.querySelector('.code-digits').innerText.replace(/\\D/g, '') !== '{seen}'")
    app.last_code = app.code()
    return app.last_code


def word(app: App, zh: str, en: str) -> str:
    """One of two words, by the reader's language."""
    return zh if app.language == "zh-CN" else en
