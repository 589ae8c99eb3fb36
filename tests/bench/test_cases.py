"""Every case of the bench runs against the program as it is."""

from pathlib import Path

import pytest

from bench import ground, rounds, targets
from bench.results import judge


@pytest.mark.full
def test_every_case_runs_and_every_target_gets_a_verdict(tmp_path: Path) -> None:
    chosen, cases = targets.needed(())
    with ground.prepared(tmp_path) as here:
        runs = rounds.play(here, cases, rounds=1, seconds=0.5, tell=lambda _line: None)
    ran = [run.case for run in runs]
    assert ran == [case for case in cases if case in ran or case != "card_offline"]  # without Chromium that one is left out
    assert all(judge(target, runs).value > 0 for target in chosen if target.case in ran)
