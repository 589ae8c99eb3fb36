"""A gate without network over the running program: fetched lists, a code, a trade that is paid later, a loss that reaches it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from citycode import Refused
from command.gate_folder import GateFolder
from command.story.cast import Stage

pytestmark = pytest.mark.xdist_group("journeys")


def holder_of(stage: Stage) -> dict[str, Any]:
    """Somebody with a good card and money."""
    found: dict[str, Any] = next(each for each in stage.city["people"] if each["cards"] and each["identity_level"] >= 4)
    return found


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
    assert phone.ask("DELETE", f"/api/cards/{card}/loss").status == 200
    assert gate.sync()["listed"] == 0
    assert json.loads((tmp_path / "terminal.json").read_text())["terminal"] == terminal["terminal"]
