"""What the runs of a bench say together: medians per case, one verdict per target."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from bench.targets import Measure, Target


@dataclass(frozen=True, slots=True)
class Run:
    """One run of one case in one round; times of waiting in milliseconds, CPU in microseconds per operation."""

    case: str
    round: int
    operations: int
    seconds: float
    rate: float
    p50_ms: float
    p99_ms: float
    client_us: float
    server_us: float
    database_us: float
    foreign: float

    @property
    def cpu_us(self) -> float:
        """CPU of server and database per operation."""
        return self.server_us + self.database_us


@dataclass(frozen=True, slots=True)
class Summary:
    """One case over all rounds: the medians, and the slowest and fastest rate."""

    case: str
    runs: int
    rate: float
    slowest: float
    fastest: float
    p50_ms: float
    p99_ms: float
    client_us: float
    server_us: float
    database_us: float
    foreign: float

    @property
    def guarded_us(self) -> float:
        """The CPU figure that the regression guard compares: of server and database, or of a library's own call."""
        return self.server_us + self.database_us or self.client_us


@dataclass(frozen=True, slots=True)
class Verdict:
    """One target with its value, the limit's rate beside it, and the best line reached."""

    target: Target
    value: float
    lowest: float
    highest: float
    limit: float | None
    ours: float
    cpu_us: float
    grade: str

    @property
    def fails(self) -> bool:
        """Whether the must line was missed."""
        return self.grade == "below must"


def summarise(runs: Sequence[Run]) -> dict[str, Summary]:
    """Medians per case, in the order the cases were first run."""
    by_case: dict[str, list[Run]] = {}
    for run in runs:
        by_case.setdefault(run.case, []).append(run)
    return {case: _summary(case, mine) for case, mine in by_case.items()}


def _summary(case: str, runs: list[Run]) -> Summary:
    rates = [run.rate for run in runs]

    def mid(name: str) -> float:
        return float(median(getattr(run, name) for run in runs))

    return Summary(
        case, len(runs), median(rates), min(rates), max(rates), mid("p50_ms"), mid("p99_ms"),
        mid("client_us"), mid("server_us"), mid("database_us"), mid("foreign"),
    )  # fmt: skip


def judge(target: Target, runs: Sequence[Run]) -> Verdict:
    """The median of the values of each round; a ratio is taken within its round, so that drift hits both sides alike."""
    mine = {run.round: run for run in runs if run.case == target.case}
    limits = {run.round: run for run in runs if run.case == target.limit}
    shared = [number for number in mine if target.limit is None or number in limits]
    values = [_value(target.measure, mine[number], limits.get(number)) for number in shared]
    value = median(values)
    return Verdict(
        target, value, min(values), max(values),
        median(run.rate for run in limits.values()) if limits else None,
        median(run.rate for run in mine.values()),
        median(run.cpu_us or run.client_us for run in mine.values()),
        target.grade(value),
    )  # fmt: skip


def _value(measure: Measure, run: Run, limit: Run | None) -> float:
    match measure:
        case Measure.WAIT_MS:
            return run.p99_ms
        case Measure.SHOWN_MS:
            return run.p50_ms
        case Measure.CPU_US:
            return run.cpu_us
        case Measure.CLIENT_US:
            return run.client_us
    if limit is None:
        raise ValueError(f"{run.case} has no limit in round {run.round}")
    return limit.client_us / run.client_us if measure is Measure.CPU_RATIO else run.rate / limit.rate


GUARD = 0.25  # a case may cost this share more CPU than the baseline before it counts as a regression


def regressions(baseline: dict[str, float], now: dict[str, Summary]) -> list[str]:
    """One sentence per case whose CPU microseconds per operation grew by more than the guard allows."""
    return [
        f"{case}: {now[case].guarded_us:.0f} us per operation, {us:.0f} in the baseline (+{now[case].guarded_us / us - 1:.0%})"
        for case, us in baseline.items()
        if case in now and us and now[case].guarded_us > us * (1 + GUARD)
    ]


def as_json(runs: Sequence[Run], verdicts: Sequence[Verdict], about: dict[str, Any]) -> dict[str, Any]:
    """Everything a later reader needs to judge the run: the machine, every run, every verdict."""
    return {
        "about": about,
        "verdicts": [{**asdict(verdict), "target": verdict.target.id, "title": verdict.target.title} for verdict in verdicts],
        "cases": {case: asdict(summary) for case, summary in summarise(runs).items()},
        "runs": [asdict(run) for run in runs],
    }
