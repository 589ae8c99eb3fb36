"""What was taken from the wallet for trades at gates without network, as the resident's app shows it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import TimeoutError as Late

from command.gate_folder import GateFolder
from command.story.cast import Stage
from command.story.walk import Walk, begin, issue, prove, sign_in, top_up
from command.story.wire import wait_for
from tests.pages.app_in_browser import App

pytestmark = pytest.mark.full
FARES = (200, 350)
RIGHT = "document.querySelector('{}').getBoundingClientRect().right"


def made_good(stage: Stage, folder: Path) -> Walk:
    """A resident who reported the card lost, was at a gate that could not know it, and took the report back."""
    terminal = next(each for each in stage.city["terminals"] if "offline:accept" in each["functions"])
    gate = GateFolder(folder)
    gate.settle(terminal, address=stage.issuer, issuer=stage.issuer)
    gate.sync()
    walk = begin(stage)
    for step in (sign_in, prove, issue, top_up):
        step(walk)
    walk.phone.fetch_authorisations(walk.card, count=len(FARES))
    walk.phone.do("POST", f"/api/cards/{walk.card}/loss", {"kind": "temporary"})
    walk.phone.ahead += 2  # a gate counts in whole seconds: this one is after the report
    for fare in FARES:
        gate.scan(walk.phone.city_code(), fare, now=walk.phone.now)
    gate.sync()
    walk.phone.find_card(walk.card)
    return walk


def enter(app: App, walk: Walk) -> None:
    """Come in on this phone with the word of the resident's other one."""
    app.agree()
    app.context.set_default_timeout(4_000)
    with contextlib.suppress(Late):
        app.sign_in(walk.person)
    app.context.set_default_timeout(15_000)
    zh = app.language == "zh-CN"
    app.sees("请确认是您本人" if zh else "Please confirm that it is you")
    (request,) = walk.phone.do("GET", "/api/me/sign-in-requests")["items"]
    walk.phone.do("POST", f"/api/me/sign-in-requests/{request['id']}/decision", {"approve": True})
    app.press("我已同意，登录" if zh else "I have approved it, sign in")


@pytest.mark.parametrize(("language", "elder"), [("zh-CN", False), ("en", False), ("zh-CN", True)])
def test_what_was_made_good_is_named_trade_by_trade_and_told(
    phone: Callable[..., App], stage: Stage, axe: str, tmp_path: Path, language: str, elder: bool
) -> None:
    walk = made_good(stage, tmp_path)
    merchant = walk.phone.do("GET", "/api/receipts?limit=1")["items"][0]["trades"][0]["merchant"]
    wait_for(lambda: [n for n in walk.phone.do("GET", "/api/notices")["items"] if "repay" in n["kind"]] or None, what="the notice")
    app, zh = phone(language=language, elder=elder), language == "zh-CN"
    enter(app, walk)
    app.press("收支记录" if zh else "Receipts")
    app.sees("补扣离线付款" if zh else "Offline payments paid back")
    app.sees("−5.50")
    trades = app.page.locator("ul.repaid li").all_inner_texts()
    assert [trade.split()[-1] for trade in trades] == ["2.00", "3.50"]
    assert all(merchant["zh" if zh else "en"] in trade for trade in trades)
    assert app.faults_of_access(axe) == []
    assert app.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert app.page.evaluate(f"{RIGHT.format('ul.repaid')} <= {RIGHT.format('.receipt')}")
    app.press("返回" if zh else "Back")
    app.press("我的" if zh else "Me", exact=True)
    app.press("通知" if zh else "Notices")
    app.sees("离线付款已补扣" if zh else "Offline payments paid back")
