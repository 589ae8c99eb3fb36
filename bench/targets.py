"""The lines each hot path is measured against: below `must` it is not done, `goal` was reached once, `moonshot` is the wish."""

from dataclasses import dataclass
from enum import StrEnum


class Measure(StrEnum):
    """How a target reads its cases."""

    RATIO = "ratio"  # rate of the case over rate of the limit in the same round; more is better
    CPU_RATIO = "cpu_ratio"  # CPU of the limit over CPU of the case in the same round; more is better
    WAIT_MS = "wait_ms"  # the wait 99 of 100 requests did not exceed; less is better
    SHOWN_MS = "shown_ms"  # the wait of the middle one of several starts of a page; less is better
    CPU_US = "cpu_us"  # CPU microseconds of server and database per operation; less is better
    CLIENT_US = "client_us"  # CPU microseconds per call of a library; less is better


LESS_IS_BETTER = frozenset({Measure.WAIT_MS, Measure.SHOWN_MS, Measure.CPU_US, Measure.CLIENT_US})


@dataclass(frozen=True, slots=True)
class Target:
    """One line of the table: which case, against which limit, and the three lines to reach."""

    id: str
    title: str
    case: str
    limit: str | None
    measure: Measure
    must: float
    goal: float
    moonshot: float

    def reaches(self, value: float, line: float) -> bool:
        """Whether `value` stands on the good side of `line`."""
        return value <= line if self.measure in LESS_IS_BETTER else value >= line

    def grade(self, value: float) -> str:
        """The best line that `value` reaches."""
        for name in ("moonshot", "goal", "must"):
            if self.reaches(value, getattr(self, name)):
                return name
        return "below must"

    def way_to(self, value: float, line: float) -> float:
        """How much of `line` is reached: 1.0 is there, 0.5 is half way."""
        if not value or not line:
            return 0.0
        return line / value if self.measure in LESS_IS_BETTER else value / line


R, C, W, S, U, L = Measure.RATIO, Measure.CPU_RATIO, Measure.WAIT_MS, Measure.SHOWN_MS, Measure.CPU_US, Measure.CLIENT_US

TARGETS = (
    Target("T1", "charge, many accounts, HTTP", "charge_many", "post_many_c16", R, 0.25, 0.40, 0.60),
    Target("T2", "charge, one hot merchant, HTTP", "charge_hot", "post_hot_c16", R, 1.0, 1.4, 2.0),
    Target("T3", "charge, hot against many, HTTP", "charge_hot", "charge_many", R, 0.8, 0.95, 1.0),
    Target("T4", "group posting, 50 a commit, hot, no HTTP", "ledger_group", "post_many_c8", R, 1.3, 2.0, 2.5),
    Target("T5", "present, HTTP", "present", "present_stubbed", R, 0.4, 0.5, 0.65),
    Target("T6", "present, 4 connections, 99 of 100 within", "present_c4", None, W, 20.0, 8.0, 5.0),
    Target("T7", "token check, first time", "token_first", "verify", C, 0.7, 0.8, 0.95),
    Target("T7c", "token check, cached", "token_cached", None, L, 5.0, 2.0, 1.0),
    Target("T14", "charge, CPU of server and database", "charge_many", None, U, 900.0, 550.0, 380.0),
    # A code holds two signatures: a quarter of the bare rate is half of what its checks alone allow.
    Target("T16", "city code, checked without network", "city_code", "verify", C, 0.25, 0.32, 0.40),
    Target("T15f", "refusal: no funds", "refuse_funds", "charge_many", R, 0.8, 1.2, 1.3),
    Target("T15r", "refusal: replay", "refuse_replay", "charge_many", R, 0.8, 1.2, 1.3),
    Target("P1", "show my card: cold start, no network, CPU / 4", "card_offline", None, S, 1000.0, 700.0, 500.0),
)

BESIDE = {"charge_group": "charge_post, 50 a commit, hot, no HTTP", "hello": "bare Flask /hello, same server"}
"""Cases measured for the reader, held to no line."""


def needed(names: tuple[str, ...]) -> tuple[tuple[Target, ...], tuple[str, ...]]:
    """The targets chosen by id or case name (all when none is named) and every case they and their limits need."""
    chosen = tuple(
        target for target in TARGETS if not names or target.case in names or target.id in names
        or (target.id.rstrip("cfr") in names)
    )  # fmt: skip
    known = {*BESIDE, *(part for target in TARGETS for part in (target.limit, target.case) if part)}
    if unknown := [name for name in names if name not in known and not any(name in (t.id, t.id.rstrip("cfr")) for t in TARGETS)]:
        raise LookupError(", ".join(unknown))
    cases = dict.fromkeys(part for target in chosen for part in (target.limit, target.case) if part)
    cases.update(dict.fromkeys(name for name in (names or BESIDE) if name in known))
    return chosen, tuple(cases)
