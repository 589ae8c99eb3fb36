"""What the bench concludes from its runs."""

from dataclasses import replace

import pytest

from bench import load, pgbench
from bench.results import Run, judge, regressions, summarise
from bench.targets import BESIDE, TARGETS, Measure, Target, needed

RUN = Run("ours", 1, 1000, 1.0, 1000.0, 1.0, 9.0, 20.0, 300.0, 200.0, 0.01)
RATIO = Target("X1", "a path", "ours", "limit", Measure.RATIO, 0.25, 0.4, 0.6)


def _rounds(case: str, *rates: float) -> list[Run]:
    return [replace(RUN, case=case, round=number, rate=rate) for number, rate in enumerate(rates, 1)]


def test_a_ratio_is_taken_within_its_round_and_the_median_counts() -> None:
    runs = _rounds("limit", 1000, 2000, 4000) + _rounds("ours", 500, 800, 800)
    verdict = judge(RATIO, runs)
    assert (verdict.lowest, verdict.value, verdict.highest) == (0.2, 0.4, 0.5)
    assert verdict.grade == "goal"


def test_a_value_below_the_must_line_fails() -> None:
    assert judge(RATIO, _rounds("limit", 1000) + _rounds("ours", 200)).fails


@pytest.mark.parametrize(("wait", "grade"), [(4.9, "moonshot"), (8.0, "goal"), (19.0, "must"), (21.0, "below must")])
def test_of_waits_less_is_better(wait: float, grade: str) -> None:
    target = Target("X2", "a wait", "ours", None, Measure.WAIT_MS, 20.0, 8.0, 5.0)
    assert judge(target, [replace(RUN, p99_ms=wait)]).grade == grade


def test_the_guard_looks_at_cpu_and_not_at_rates() -> None:
    slower = summarise([replace(RUN, rate=10.0)])
    dearer = summarise([replace(RUN, server_us=430.0)])
    assert regressions({"ours": 500.0}, slower) == []
    assert regressions({"ours": 500.0}, dearer) == ["ours: 630 us per operation, 500 in the baseline (+26%)"]


def test_naming_a_target_brings_its_limit_along() -> None:
    chosen, cases = needed(("T3",))
    assert [target.id for target in chosen] == ["T3"]
    assert cases == ("charge_many", "charge_hot")


def test_no_name_means_everything() -> None:
    chosen, cases = needed(())
    assert chosen == TARGETS
    assert set(BESIDE) <= set(cases)


def test_lines_are_ordered_from_must_to_moonshot() -> None:
    for target in TARGETS:
        assert target.reaches(target.moonshot, target.goal), target.id
        assert target.reaches(target.goal, target.must), target.id


def test_an_answer_is_complete_only_with_its_body() -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
    assert load.complete(answer) == len(answer)
    assert load.complete(answer[:-1]) == 0
    assert load.complete(answer[:20]) == 0


def test_pgbench_figures_are_read_from_its_report() -> None:
    report = "number of transactions actually processed: 4711\nlatency average = 1.500 ms\ntps = 2345.67 (without)\n"
    assert pgbench.read(report) == pgbench.PgbenchRun(4711, 2345.67, 1.5)
    with pytest.raises(RuntimeError, match="no figures"):
        pgbench.read("could not connect")


def test_a_name_that_is_no_case_is_said() -> None:
    with pytest.raises(LookupError, match="T99"):
        needed(("T1", "T99"))
