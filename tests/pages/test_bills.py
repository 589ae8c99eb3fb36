"""Bills on the phone: an account bound, a bill explained and paid, also while the company is away; and a top-up taken back."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from command.story.cast import Stage
from tests.pages.app_in_browser import App
from tests.pages.tour import DUE, bind_water

pytestmark = pytest.mark.full
Phones = Callable[..., App]
BACK_WITHIN_MS = 60_000  # a company that is back is asked within ten seconds, or after twenty more
MANY = 400_00
LIST = re.compile(r"/api/bill-payments\?")
ROWS = "[...document.querySelectorAll('li.item')].filter(row => row.offsetParent)"
ENDS = ("已缴", "确认中", "没有缴成，钱已退回钱包", "已退回钱包")
AMOUNT = re.compile(r"^[\d,]+\.\d\d$")


def at_home(app: App, stage: Stage) -> dict[str, Any]:
    """Somebody with a card, whose household nobody else here pays for."""
    person = stage.stranger()
    app.agree()
    app.sign_in(person)
    app.prove(person)
    app.show_face()
    app.get_card()
    return person


def approve(app: App) -> None:
    """At the payment provider's own page, and back."""
    app.page.get_by_role("button", name="确认付款").click()
    app.page.get_by_role("link", name="回到应用").click()


def topped_up(app: App, yuan: int = MANY // 100) -> None:
    """From home to home, with so much in the wallet."""
    app.press("充值")
    app.fill("金额（元）", str(yuan))
    app.press(re.compile("^去付款"))
    approve(app)
    app.press("完成")


def open_bill(app: App, person: dict[str, Any]) -> int:
    """Bind the water account and open the newest bill; what it comes to, in fen."""
    app.press("生活缴费")
    app.press("绑定户号")
    bind_water(app, person, person["utility_accounts"]["owner"])
    app.press("对，就是这一户")
    app.press("查看并缴费")
    app.sees("这笔钱怎么算的")
    return fen(app.page.locator(".figure").locator("visible=true").first.inner_text())


def fen(written: str) -> int:
    """An amount as the pages write it."""
    return round(float(written.replace(",", "")) * 100)


def rows(app: App) -> list[tuple[str, int]]:
    """The list of bills paid as it stands: how each ended, and its amount."""
    lines: list[list[str]] = app.page.evaluate(f"{ROWS}.map(row => [...row.querySelectorAll('p')].map(line => line.innerText.trim()))")
    return [(next(line for line in row if line in ENDS), fen(next(line for line in row if AMOUNT.match(line)))) for row in lines]


def one_at_a_time(route: Any) -> None:
    """The city as if its lists were of one line."""
    route.continue_(url=re.sub(r"limit=\d+", "limit=1", route.request.url))


def test_an_account_is_bound_by_number_and_owner_and_refused_precisely(phone: Phones, stage: Stage) -> None:
    app = phone()
    person = at_home(app, stage)
    app.press("生活缴费")
    app.press("绑定户号")
    for name in ("水费 ·", "电费 ·", "燃气费 ·"):  # whatever the city offers
        app.shown("button", name).wait_for()
    app.press("水费 ·")
    app.fill("用水户号", "2010001442")
    app.sees("户号的写法不对：水费通知单上以 1 开头的 10 位数字")
    assert app.shown("button", "绑定户号").is_disabled()
    bind_water(app, person, "无此人")
    app.sees("户号与户主姓名不相符，请按账单核对")
    bind_water(app, person, person["utility_accounts"]["owner"])
    app.sees("户号已绑定，请核对是不是这一户：")
    app.sees(re.compile(r"^户主 .*\*"))
    app.press("不对，解绑")
    app.sees("已解绑。")
    bind_water(app, person, person["utility_accounts"]["owner"])
    app.press("对，就是这一户")
    app.press("水费 ·")
    app.press("解绑这个户号")
    app.sees("解绑后不再显示账单")
    app.press("确定解绑")
    app.sees("绑定户号后，在这里看账单、缴费。")


def test_a_wallet_that_is_short_is_topped_up_and_the_bill_paid_with_a_receipt(phone: Phones, stage: Stage) -> None:
    app = phone()
    person = at_home(app, stage)
    open_bill(app, person)
    app.sees(re.compile(r"^第1档 \d+ 立方米 × 2\.85 元 = "))
    app.sees("我们按公布的价格核算，结果一致。")
    app.sees("钱包余额不够")
    app.press("先去充值")
    app.press(re.compile("^去付款"))
    approve(app)
    app.press("继续刚才的事")
    app.press(re.compile("^用钱包缴"))
    app.sees("手续费 0.00 元")
    app.press(re.compile("^确认缴"))
    app.sees("缴费成功")
    app.sees(re.compile(r"^收据号 \d+"))
    app.page.reload()  # the bill itself knows
    app.sees("缴费成功")
    assert app.page.get_by_role("button", name=re.compile("^用钱包缴")).count() == 0
    app.press("返回")
    app.press("收支记录")
    app.sees("缴费")
    app.sees("云川市水务集团")


def test_while_the_company_is_down_it_is_being_confirmed_and_paid_only_once_the_company_said_so(phone: Phones, stage: Stage) -> None:
    app = phone()
    person = at_home(app, stage)
    topped_up(app)
    due = open_bill(app, person)
    with stage.fault("water", "down"):
        app.press(re.compile("^用钱包缴"))
        app.press(re.compile("^确认缴"))
        app.sees("还没有缴成；结果出来前不要到别处再缴。")
        app.page.reload()
        app.sees("还没有缴成；结果出来前不要到别处再缴。")
        for words in ("缴费成功", "收据号"):
            assert app.page.get_by_text(words).locator("visible=true").count() == 0
        app.press("返回")
        app.press("生活缴费")
        app.sees("暂时联系不上云川市水务集团")
        app.sees(re.compile("确认中"))
        app.press("查看账单")
    app.page.get_by_text("缴费成功").locator("visible=true").first.wait_for(timeout=BACK_WITHIN_MS)  # heard by the page itself
    app.press("返回")
    app.press("返回")
    app.sees(f"{(MANY - due) / 100:.2f}")


def test_a_lost_answer_is_tried_again_under_the_same_key_after_a_reload_and_paid_once(phone: Phones, stage: Stage) -> None:
    app = phone()
    person = at_home(app, stage)
    topped_up(app)
    due = open_bill(app, person)
    keys: list[str] = []
    arrives = [False]

    def lose(route: Any) -> None:
        keys.append(route.request.headers["idempotency-key"])
        if arrives[0]:
            route.continue_()
        else:
            route.abort()

    app.page.route("**/api/bills/*/payment", lose)
    app.press(re.compile("^用钱包缴"))
    app.press(re.compile("^确认缴"))
    app.sees("没有收到答复，可能已经受理。请再试一次，不会重复扣款。")
    app.page.reload()
    arrives[0] = True
    app.press(re.compile("^用钱包缴"))
    app.press(re.compile("^确认缴"))
    app.sees("缴费成功")
    assert len(keys) > 1
    assert len(set(keys)) == 1
    app.press("返回")
    app.sees(f"{(MANY - due) / 100:.2f}")


def test_what_was_paid_is_listed_newest_first_and_leads_to_its_bill(phone: Phones, stage: Stage) -> None:
    app = phone()
    person = at_home(app, stage)
    topped_up(app)
    app.press("生活缴费")
    app.press("缴费记录")
    app.sees("还没有缴过费。")
    app.press("返回")
    app.press("返回")
    first = open_bill(app, person)
    app.press(re.compile("^用钱包缴"))
    app.press(re.compile("^确认缴"))
    app.sees("缴费成功")
    receipt = app.page.get_by_text(re.compile(r"^收据号 \d+")).locator("visible=true").inner_text()
    app.press("缴费记录")
    app.sees(receipt)
    app.press("查看账单")
    app.sees("这笔钱怎么算的")
    for _ in range(3):
        app.press("返回")
    app.until(f"{DUE} === 1")  # read anew: the paid one is gone
    app.page.route(LIST, one_at_a_time)
    with stage.fault("water", "down"):
        app.press("查看并缴费")
        app.sees("这笔钱怎么算的")
        second = fen(app.page.locator(".figure").locator("visible=true").first.inner_text())
        app.press(re.compile("^用钱包缴"))
        app.press(re.compile("^确认缴"))
        app.sees("还没有缴成；结果出来前不要到别处再缴。")
        app.press("缴费记录")
        app.sees("确认中")
        assert rows(app) == [("确认中", second)]
        app.press("查看更多")
        app.sees(receipt)
        assert rows(app) == [("确认中", second), ("已缴", first)]
        assert app.page.get_by_role("button", name="查看更多").locator("visible=true").count() == 0
    app.page.unroute(LIST)
    app.press("查看账单")
    app.page.get_by_text("缴费成功").locator("visible=true").first.wait_for(timeout=BACK_WITHIN_MS)
    app.press("返回")
    app.until(f"{ROWS}.length === 2 && !document.body.innerText.includes('确认中')")  # read anew, at the same place


def test_what_was_paid_stays_when_its_account_is_unbound(phone: Phones, stage: Stage) -> None:
    app = phone()
    person = at_home(app, stage)
    topped_up(app)
    due = open_bill(app, person)
    app.press(re.compile("^用钱包缴"))
    app.press(re.compile("^确认缴"))
    app.sees("缴费成功")
    app.press("返回")
    app.press("水费 ·")
    app.press("缴费记录")
    app.sees(re.compile(r"^只列出户号 \*+\d{4} 的缴费。$"))
    assert rows(app) == [("已缴", due)]
    app.press("返回")
    app.press("解绑这个户号")
    app.press("确定解绑")
    app.press("缴费记录")
    app.sees(re.compile(r"^收据号 \d+"))
    assert rows(app) == [("已缴", due)]
    assert app.page.get_by_role("button", name="查看账单").locator("visible=true").count() == 0


def test_a_top_up_goes_back_to_where_it_was_paid_from_and_waits_for_the_provider(phone: Phones, stage: Stage) -> None:
    app = phone()
    at_home(app, stage)
    topped_up(app)
    app.press("收支记录")
    app.press("查看或退回")
    app.fill("金额（元）", "500")
    app.sees("请输入不超过 400.00 元的金额，最多两位小数。")
    app.fill("金额（元）", "150")
    with stage.fault("yunpay", "slow_refund", value=5_000):
        app.press("退回 150.00 元")
        app.press("确定退回")
        app.sees("退回中：钱已从钱包中留出，等云付答复")
        app.page.reload()
        app.sees("退回中：钱已从钱包中留出，等云付答复")
    app.page.get_by_text("已退回云付").locator("visible=true").first.wait_for(timeout=BACK_WITHIN_MS)
    app.sees("最多 250.00 元")
    app.press("返回")
    app.sees("250.00")
