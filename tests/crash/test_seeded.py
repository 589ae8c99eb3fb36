"""The bugs kept on purpose still fit the program, and each says what it is."""

import pytest

from bench.granian import ROOT
from crash.seeding import Caught, applies, bugs, patch_of, seen_as

NEEDED = {
    "answer_before_commit", "synchronous_commit_off", "key_in_second_transaction", "check_without_lock",
    "company_told_before_commit", "money_back_when_unsure", "delivered_before_answer", "event_sent_before_commit",
}  # fmt: skip


def test_the_bugs_that_every_harness_must_see_are_there() -> None:
    assert set(bugs()) >= NEEDED


@pytest.mark.parametrize("bug", bugs())
def test_a_seeded_bug_still_applies_to_the_program(bug: str) -> None:
    assert applies(bug) == ""


@pytest.mark.parametrize("bug", bugs())
def test_a_seeded_bug_says_what_is_wrong(bug: str) -> None:
    assert patch_of(bug).read_text(encoding="utf-8").startswith("A bug on purpose: ")


@pytest.mark.parametrize("bug", bugs())
def test_a_seeded_bug_is_seen_as_what_the_harness_can_say(bug: str) -> None:
    said = "".join(path.read_text(encoding="utf-8") for folder in ("crash", "bench") for path in (ROOT / folder).glob("*.py"))
    assert seen_as(bug)
    assert [words for words in seen_as(bug) if words not in said] == []


def test_a_finding_of_something_else_is_no_catch() -> None:
    assert not Caught("sentinel_forgotten", 3, ["nobody could pay for a minute"]).caught
    assert Caught("sentinel_forgotten", 3, ["nobody could pay for a minute", "code 7 was presented twice"]).caught
