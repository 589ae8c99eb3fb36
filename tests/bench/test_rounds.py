"""How the cases of a bench take turns."""

from typing import Any

import pytest

from bench import rounds
from bench.cold_start import LeftOut
from bench.ground import Taken
from bench.machine import Meter


def test_what_a_machine_cannot_run_is_left_out_once_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[str] = []

    def cannot(_ground: Any, _seconds: float) -> Taken:
        tried.append("cannot")
        raise LeftOut("there is no Chromium")

    def can(_ground: Any, _seconds: float) -> Taken:
        return Taken(10, 1.0, Meter(server=None, database=None))

    monkeypatch.setattr(rounds, "CASES", {"cannot": cannot, "can": can})
    monkeypatch.setattr(rounds, "wait_for_quiet", lambda at_most: None)
    said: list[str] = []
    ground: Any = None
    runs = rounds.play(ground, ("cannot", "can"), rounds=2, seconds=0.0, tell=said.append)
    assert [run.case for run in runs] == ["can", "can"]
    assert tried == ["cannot"]
    assert said[0] == "left out: cannot: there is no Chromium"
