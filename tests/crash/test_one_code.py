"""A hundred terminals bring one code at once, to the served program; ten rounds a day, two hundred by `make crash ARGS=--one-code`."""

from crash.one_code import Blow, run


def test_of_a_hundred_terminals_that_bring_one_code_one_gets_it_also_while_valkey_or_a_backend_is_killed() -> None:
    outcome = run(rounds=10, seed=1, tell=lambda _line: None)
    assert outcome.found == []
    assert outcome.rounds == 10
    assert outcome.blows[Blow.VALKEY] >= 1 <= outcome.blows[Blow.BACKEND]
