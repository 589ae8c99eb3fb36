"""The bugs kept on purpose still fit the program, and each says what it is."""

import pytest

from crash.seeding import applies, bugs, patch_of

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
