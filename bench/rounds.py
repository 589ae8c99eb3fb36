"""Runs cases round robin, so that a drift of the machine hits a limit and what is measured against it alike."""

from collections.abc import Callable, Sequence

from bench.cases import CASES
from bench.cold_start import LeftOut
from bench.ground import Ground, Taken
from bench.machine import wait_for_quiet
from bench.results import Run

Told = Callable[[str], None]


def play(ground: Ground, cases: Sequence[str], *, rounds: int, seconds: float, tell: Told) -> list[Run]:
    """Every case once per round, waiting for a quiet moment before each; what this machine cannot run is left out, and that is told."""
    runs: list[Run] = []
    left_out: set[str] = set()
    for number in range(1, rounds + 1):
        for case in cases:
            if case in left_out:
                continue
            wait_for_quiet(at_most=seconds)
            try:
                run = _run(case, number, CASES[case](ground, seconds))
            except LeftOut as why:
                left_out.add(case)
                tell(f"left out: {case}: {why}")
                continue
            runs.append(run)
            tell(
                f"round {number}/{rounds}  {case:16s} {run.rate:10,.0f}/s  cpu {run.client_us:.0f}+{run.server_us:.0f}"
                f"+{run.database_us:.0f} us  foreign {run.foreign:.0%}"
            )
    return runs


def _run(case: str, number: int, taken: Taken) -> Run:
    each = 1e6 / taken.operations
    return Run(
        case, number, taken.operations, taken.seconds, taken.operations / taken.seconds, taken.p50_ms, taken.p99_ms,
        taken.meter.client_s * each, taken.meter.server_s * each, taken.meter.database_s * each, taken.meter.foreign,
    )  # fmt: skip
