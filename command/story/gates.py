"""A gate without network in the story: it takes a code made from an authorisation, is paid later, and refuses what its list names."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from citycode import Refused
from command.gate_folder import GateFolder
from command.story.step import Step, balance, must
from core.money import yuan

if TYPE_CHECKING:
    from command.story.walk import Walk

FARE, COUNT = 200, 3


def gate_alone(walk: Walk) -> Step:
    """Authorisations are fetched, a code made and taken with nobody online, and the trade handed over later."""
    walk.gate = gate = GateFolder(Path(walk.ending.enter_context(tempfile.TemporaryDirectory(prefix="citycard-gate-"))))
    terminal = next(each for each in walk.stage.city["terminals"] if "offline:accept" in each["functions"])
    gate.settle(terminal, address=walk.stage.wire.url, issuer=walk.stage.issuer)
    lists = gate.sync()
    walk.phone.fetch_authorisations(walk.card, count=COUNT)
    before, code = balance(walk), walk.phone.city_code()
    gate.scan(code, FARE, now=walk.phone.now)
    again = refusal(walk, code)
    must(again == "replayed" and balance(walk) == before, "an authorisation is taken once, and nobody was asked", again)
    result = gate.sync()["results"]
    must(
        [each["result"] for each in result] == ["paid"] and before - balance(walk) == FARE,
        "the trade is paid when it is handed over",
        result,
    )
    seen = (
        (
            f"手机取得 {COUNT} 个一次性授权，离线生成城市码（{len(code)} 字符）",
            f"the phone fetched {COUNT} one-time authorisations; a city code of {len(code)} characters",
        ),
        (
            f"{terminal['name']}离线核验通过（信任列表 {lists['keys']} 个密钥），记下一笔 {yuan(FARE)} 元；同一码再扫：{again}",
            f"the gate ({terminal['name_en']}) took it without network and kept a trade of CNY {yuan(FARE)}; the same code again: {again}",
        ),
        (f"联网上传后入账，余额 {yuan(balance(walk))} 元", f"uploaded later and paid, balance CNY {yuan(balance(walk))}"),
    )
    return Step("城市码：闸机不联网核验，事后上传", "The city code: a gate verifies without network and uploads later", seen)


def gate_listed(walk: Walk) -> Step:
    """A loss reaches the gate with its next list, and from there on it refuses alone."""
    gate = walk.gate
    assert gate is not None
    walk.phone.do("POST", f"/api/cards/{walk.card}/loss", {"kind": "temporary"})
    listed = gate.sync()
    refused = refusal(walk, walk.phone.city_code())
    must(listed["listed"] >= COUNT and refused == "listed", "a lost card is refused without network", (listed, refused))
    walk.phone.find_card(walk.card)
    gate.sync()
    must(refusal(walk, walk.phone.city_code()) == "", "after taking it back the gate takes a code again", gate.hotlist().version)
    paid = [each["result"] for each in gate.sync()["results"]]
    must(paid == ["paid"], "and its trade is paid", paid)
    seen = (
        (
            f"挂失后黑名单第 {listed['hotlist']} 版含 {listed['listed']} 项，离线核验：{refused}",
            f"after the report, hotlist {listed['hotlist']} holds {listed['listed']} entries; without network: {refused}",
        ),
        ("解除挂失后取得新名单，闸机恢复放行", "after taking it back and a new list, the gate takes a code again"),
    )
    return Step("黑名单：离线闸机拒绝挂失的卡", "The hotlist: a gate without network refuses a lost card", seen)


def refusal(walk: Walk, code: str) -> str:
    """Why the gate refuses a code; empty when it takes it."""
    assert walk.gate is not None
    try:
        walk.gate.scan(code, FARE, now=walk.phone.now)
    except Refused as fault:
        return str(fault.reason)
    return ""
