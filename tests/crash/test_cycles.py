"""The crash harness itself: a short form every day, and every bug on purpose in the full run."""

import pytest

from crash.blows import BLOWS, COMPANY, UNSURE
from crash.cycles import run
from crash.seeding import bugs, hunt

SHORT = ("web worker killed", "PostgreSQL killed", "acknowledgements lost", COMPANY)


def test_after_each_of_four_blows_the_books_agree_with_what_was_told() -> None:
    verdict = run(cycles=4, seed=1, tell=lambda _line: None, blows=[blow for blow in BLOWS if blow.name in SHORT])
    assert verdict.found == []
    assert verdict.untried == []
    assert verdict.blows == dict.fromkeys(SHORT, 1)
    assert verdict.paid > 50
    assert verdict.unsure >= UNSURE, "while answers to payments are lost, payments are unsure"


@pytest.mark.full
@pytest.mark.parametrize("bug", bugs())
def test_a_program_with_a_bug_is_caught(bug: str) -> None:
    assert hunt(bug, cycles=26, seed=7).caught
