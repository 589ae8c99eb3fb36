"""The water bill in the story: the account is bound, the bill explained and paid, and the company goes away for an hour."""

from __future__ import annotations

import datetime as dt
import math
import secrets
import time
from typing import TYPE_CHECKING, Any

from command.story.step import Step, balance, must, word
from command.story.wire import wait_for
from core.clock import CHINA
from core.money import yuan

if TYPE_CHECKING:
    from command.story.walk import Walk


def catalogue(walk: Walk) -> Step:
    """What the city offers; and an account bound by its number and its owner's name, which a wrong name does not do."""
    offered = walk.phone.do("GET", f"/api/items?city={walk.stage.city['city_id']}")["services"]
    held = walk.person["utility_accounts"]
    wanted = {"item": "water", "account_number": held["water"], "alias": "家", "relation": "family"}
    wrong = walk.phone.ask("POST", "/api/bindings", {**wanted, "owner_name": "无此人"})
    nobody = walk.phone.ask("POST", "/api/bindings", {**wanted, "owner_name": held["owner"], "account_number": "1999999999"})
    must(wrong.code == nobody.code == "account_not_matched", "a wrong name and no account are told alike", (wrong, nobody))
    bound = walk.phone.do("POST", "/api/bindings", {**wanted, "owner_name": held["owner"]})
    walk.binding = bound["id"]
    names = [(each["name"]["zh-CN"], each["name"]["en"], each["agency"]["zh-CN"], each["agency"]["en"]) for each in offered if each["on"]]
    seen = (
        (
            "目录：" + "、".join(f"{zh}（{agency}）" for zh, _, agency, _ in names),
            "offered: " + ", ".join(f"{en} ({a})" for _, en, _, a in names),
        ),
        (f"户名不符与户号不存在，答复相同：{word(wrong, 'zh-CN')}", f"a wrong name and no such account read alike: {word(wrong, 'en')}"),
        (
            f"已绑定 {bound['account_number']}，户主 {bound['masked_owner']}",
            f"bound {bound['account_number']}, owner {bound['masked_owner']}",
        ),
    )
    return Step("查看服务目录，绑定水费户号", "The catalogue, and a water account bound", seen)


def bill_paid(walk: Walk) -> Step:
    """The bill line by line, and paid from the wallet."""
    bill, before = due(walk)[0], balance(walk)
    must(bill["agrees"], "the published tariff gives the same lines", bill)
    key, path = secrets.token_urlsafe(16), f"/api/bills/{bill['id']}/payment"
    paid = walk.phone.ask("POST", path, {"amount_fen": bill["amount_fen"]}, key=key)
    again = walk.phone.ask("POST", path, {"amount_fen": bill["amount_fen"]}, key=key)
    other = walk.phone.ask("POST", path, {"amount_fen": bill["amount_fen"]}, key=secrets.token_urlsafe(16))
    must(paid.status == 201 and paid.body["state"] == "paid" and again.body == paid.body, "it is paid, and once", paid)
    must(other.code == "bill_settled" and before - balance(walk) == bill["amount_fen"], "the money moved once", other)
    seen = (
        *((line["text"]["zh-CN"], line["text"]["en"]) for line in bill["lines"]),
        *((note["zh-CN"], note["en"]) for note in bill["notes"]),
        (f"收据 {paid.body['receipt_number']}，水务单号 {paid.body['company_number']}", f"receipt {paid.body['receipt_number']}"),
        (f"再缴一次：{word(other, 'zh-CN')}", f"paying again: {word(other, 'en')}"),
    )
    amount = yuan(bill["amount_fen"])
    return Step(
        f"逐行说明 {bill['period']} 水费并缴纳 {amount} 元", f"The bill of {bill['period']}, explained, and CNY {amount} paid", seen
    )


def company_down(walk: Walk) -> Step:
    """The water company is away for an hour of the clock: nothing is lost, doubled, or shown as paid that is not."""
    bill, before = due(walk)[0], balance(walk)
    with walk.stage.borrowed_time():
        began = hour_without_company(walk, bill, before)
        walk.stage.clock("advance", "15m")
        come_back(walk)
        done = wait_for(lambda: settled(walk, began["id"]), what="the company to have it", seconds=30)
        must(done["state"] == "paid" and before - balance(walk) == bill["amount_fen"], "it is paid once", done)
        day = dt.datetime.fromisoformat(done["decided_at"]).astimezone(CHINA).date()
        read = day_read(walk, day)
    come_back(walk)
    walk.till.sign_in()
    amount, sum_ = yuan(bill["amount_fen"]), yuan(read["ours_fen"])
    seen = (
        (
            f"水务系统停机一小时：{amount} 元已留出，显示“处理中”，无收据",
            f"down for an hour: CNY {amount} kept, shown as being paid, no receipt",
        ),
        (f"恢复后询问并补报一次，收据 {done['receipt_number']}", f"back again: asked, told once, receipt {done['receipt_number']}"),
        (
            f"次日核对 {day} 的对账文件：{read['equal']} 笔、{sum_} 元一致，差错 {read['differences']} 笔",
            f"the file of {day}, read the next day: {read['equal']} payments, CNY {sum_}, on both sides; {read['differences']} differ",
        ),
        ("演示时钟已拨回", "the demo's clock is put back"),
    )
    return Step("水务系统停机一小时", "The water company is down for an hour", seen)


def hour_without_company(walk: Walk, bill: dict[str, Any], before: int) -> dict[str, Any]:
    """Pay while the company is away, and look an hour later."""
    with walk.stage.fault("water", "down"):
        began: dict[str, Any] = walk.phone.do("POST", f"/api/bills/{bill['id']}/payment", {"amount_fen": bill["amount_fen"]})
        walk.stage.clock("advance", "1h")
        come_back(walk)
        waiting = walk.phone.do("GET", f"/api/bill-payments/{began['id']}")
        shown = walk.phone.do("GET", f"/api/bills/{bill['id']}")
    must(began["state"] == waiting["state"] == shown["state"] == "processing", "it is not shown as paid", (began, waiting, shown))
    must(waiting["receipt_number"] is None and before - balance(walk) == bill["amount_fen"], "the money is kept, once", waiting)
    return began


def day_read(walk: Walk, day: dt.date) -> dict[str, Any]:
    """The company's file of a day, read by the city in the night after it: each payment stands there once, and none besides."""
    # Not always at the same minute: a one-time code is good once, also after the clock was put back.
    over = dt.datetime.combine(day + dt.timedelta(days=1), dt.time(0, 5), CHINA) + dt.timedelta(minutes=secrets.randbelow(240))
    if (left := over.timestamp() - walk.phone.now) > 0:
        walk.stage.clock("advance", f"{math.ceil(left)}s")
        time.sleep(1)
    read: dict[str, Any] = walk.stage.desk("supervisor").do("POST", "/api/reconciliations", {"item": "water", "day": day.isoformat()})
    must(read["state"] == "equal" and read["differences"] == 0 and read["equal"] > 0, "the day's file reconciles", read)
    return read


def due(walk: Walk) -> list[dict[str, Any]]:
    """The bills that are due."""
    told = walk.phone.do("GET", f"/api/bindings/{walk.binding}/bills")
    found = [bill for bill in told["bills"] if bill["state"] == "due"]
    must(bool(found) and told["fresh"], "a bill is due", told)
    return found


def settled(walk: Walk, payment: str) -> dict[str, Any] | None:
    """The payment once it is certain."""
    found: dict[str, Any] = walk.phone.do("GET", f"/api/bill-payments/{payment}")
    return found if found["state"] != "processing" else None


def come_back(walk: Walk) -> None:
    """After the clock moved: learn the time and renew what ran out."""
    # Every process of the program learns of the new time within half a second.
    time.sleep(1)
    walk.phone.set_clock()
    walk.phone.refresh()
