"""A gate without network over the running program: fetched lists, a code, a trade that is paid later, a loss that reaches it."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest

from citycode import Refused
from command.gate_folder import GateFolder
from command.story.cast import Stage
from command.story.walk import begin, issue, prove, sign_in, top_up
from command.story.wire import wait_for

pytestmark = pytest.mark.xdist_group("journeys")


def holder_of(stage: Stage) -> dict[str, Any]:
    """Somebody with a good card and money."""
    found: dict[str, Any] = next(each for each in stage.city["people"] if each["cards"] and each["identity_level"] >= 4)
    return found


def test_a_terminal_that_stays_online_hears_of_a_loss_and_of_its_end_by_itself(stage: Stage, tmp_path: Path) -> None:
    terminal = next(each for each in stage.city["terminals"] if "offline:accept" in each["functions"])
    gate = GateFolder(tmp_path)
    gate.settle(terminal, address=stage.issuer, issuer=stage.issuer)
    gate.sync()
    walk = begin(stage)
    for step in (sign_in, prove, issue):
        step(walk)
    walk.phone.fetch_authorisations(walk.card, limit_fen=0)
    known, stop = [gate.hotlist()], threading.Event()
    asked = threading.Thread(target=gate.watch, args=(stop,), kwargs={"every": 0.05, "heard": known.append})
    asked.start()
    try:
        walk.phone.do("POST", f"/api/cards/{walk.card}/loss", {"kind": "temporary"})
        wait_for(lambda: known[-1].entries or None, what="the gate to hear of the loss")
        with pytest.raises(Refused, match="listed"):
            gate.scan(walk.phone.city_code(), 0, now=walk.phone.now)
        walk.phone.find_card(walk.card)
        wait_for(lambda: None if known[-1].entries else True, what="the gate to hear of its end")
        gate.scan(walk.phone.city_code(), 0, now=walk.phone.now)
    finally:
        stop.set()
        asked.join(30)


def test_a_gate_takes_a_code_offline_and_refuses_a_lost_card(stage: Stage, tmp_path: Path) -> None:
    terminal = next(each for each in stage.city["terminals"] if "offline:accept" in each["functions"])
    gate = GateFolder(tmp_path)
    gate.settle(terminal, address=stage.issuer, issuer=stage.issuer)
    assert gate.sync()["keys"] == 1
    phone = stage.phone(holder_of(stage))
    phone.sign_in()
    phone.show_face()
    card = next(each["id"] for each in phone.do("GET", "/api/cards")["items"] if not each["refusal"])
    before = phone.do("GET", "/api/wallet")["balance_fen"]
    phone.fetch_authorisations(card)
    code = phone.city_code()
    gate.scan(code, 200, now=phone.now)
    with pytest.raises(Refused, match="replayed"):
        gate.scan(code, 200, now=phone.now)
    assert [each["result"] for each in gate.sync()["results"]] == ["paid"]
    assert phone.do("GET", "/api/wallet")["balance_fen"] == before - 200
    phone.do("POST", f"/api/cards/{card}/loss", {"kind": "temporary"})
    assert gate.sync()["listed"] == 3
    with pytest.raises(Refused, match="listed"):
        gate.scan(phone.city_code(), 200, now=phone.now)
    assert phone.find_card(card)["refusal"] is None
    assert gate.sync()["listed"] == 0
    assert json.loads((tmp_path / "terminal.json").read_text())["terminal"] == terminal["terminal"]


def test_what_is_taken_back_with_a_loss_is_shown_by_a_receipt_and_a_notice(stage: Stage, tmp_path: Path) -> None:
    terminal = next(each for each in stage.city["terminals"] if "offline:accept" in each["functions"])
    gate = GateFolder(tmp_path)
    gate.settle(terminal, address=stage.issuer, issuer=stage.issuer)
    gate.sync()
    walk = begin(stage)
    for step in (sign_in, prove, issue, top_up):
        step(walk)
    phone = walk.phone
    phone.fetch_authorisations(walk.card, count=2)
    phone.do("POST", f"/api/cards/{walk.card}/loss", {"kind": "temporary"})
    phone.ahead += 2  # a gate counts in whole seconds: this one is after the report
    for fare in (200, 350):
        gate.scan(phone.city_code(), fare, now=phone.now)
    assert [(each["result"], each["reason"]) for each in gate.sync()["results"]] == [("risk", "lost")] * 2
    before = phone.do("GET", "/api/wallet")["balance_fen"]
    phone.find_card(walk.card)
    assert phone.do("GET", "/api/wallet")["balance_fen"] == before - 550
    receipt = phone.do("GET", "/api/receipts?limit=1")["items"][0]
    assert (receipt["kind"], receipt["change_fen"]) == ("offline_repayment", -550)
    assert [each["amount_fen"] for each in receipt["trades"]] == [200, 350]
    assert all(each["merchant"]["zh"] for each in receipt["trades"])
    assert phone.do("GET", f"/api/receipts/{receipt['id']}") == receipt

    def told() -> Any:
        items = phone.do("GET", "/api/notices")["items"]
        return next((each for each in items if each["kind"] == "payments:offline:repay"), None)

    notice = wait_for(told, what="the notice of what was made good")
    assert "5.50" in notice["text"]["zh-CN"]
    assert "5.50" in notice["text"]["en"]
