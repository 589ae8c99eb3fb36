"""Writes what a bench found: a table for the terminal, the same for the docs, JSON beside it."""

import json
import os
import platform
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.results import Run, Summary, Verdict, as_json, summarise
from bench.targets import Measure

HERE = Path(__file__).parent
BASELINE = HERE / "baseline.json"
RECORD = HERE.parent / "var" / "bench" / "last.json"  # not committed: the record of the last run on this machine
PAGE = HERE.parent / "docs" / "bench.md"
BEGIN, END = "<!-- table: begin (written by `citycard bench --write`) -->", "<!-- table: end -->"
_UNITS = {
    Measure.RATIO: "x limit", Measure.CPU_RATIO: "x limit", Measure.WAIT_MS: "ms p99", Measure.SHOWN_MS: "ms p50",
    Measure.CPU_US: "us", Measure.CLIENT_US: "us",
}  # fmt: skip


def about(seconds: float, rounds: int, postgres: str) -> dict[str, Any]:
    """The machine and the programs, without names or paths of the machine."""
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),  # the real hour of the run, never the city's clock
        "machine": machine(),
        "python": platform.python_version(),
        "postgres": postgres,
        "seconds": seconds,
        "rounds": rounds,
    }


def machine() -> str:
    """Processor and number of cores, the key by which a baseline may be compared."""
    found = re.search(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return f"{found[1].strip() if found else platform.machine()}, {os.cpu_count()} cores"


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _verdict_rows(verdicts: Sequence[Verdict]) -> list[list[str]]:
    rows = [["", "hot path", "limit /s", "ours /s", "value", "low-high", "must", "goal", "moonshot", "reached",
             "of goal", "of moonshot", "CPU us"]]  # fmt: skip
    for verdict in verdicts:
        target = verdict.target
        rows.append([
            target.id, target.title, _figure(verdict.limit) if verdict.limit else "-", _figure(verdict.ours),
            f"{_figure(verdict.value)} {_UNITS[target.measure]}", f"{_figure(verdict.lowest)}-{_figure(verdict.highest)}",
            _figure(target.must), _figure(target.goal), _figure(target.moonshot), verdict.grade,
            f"{target.way_to(verdict.value, target.goal):.0%}", f"{target.way_to(verdict.value, target.moonshot):.0%}",
            _figure(verdict.cpu_us),
        ])  # fmt: skip
    return rows


def _case_rows(cases: dict[str, Summary]) -> list[list[str]]:
    rows = [["case", "runs", "rate /s", "slowest-fastest", "p50 ms", "p99 ms", "client us", "server us", "PostgreSQL us",
             "foreign"]]  # fmt: skip
    for case, mid in cases.items():
        rows.append([
            case, str(mid.runs), _figure(mid.rate), f"{_figure(mid.slowest)}-{_figure(mid.fastest)}",
            f"{mid.p50_ms:.2f}", f"{mid.p99_ms:.2f}", _figure(mid.client_us), _figure(mid.server_us),
            _figure(mid.database_us), f"{mid.foreign:.0%}",
        ])  # fmt: skip
    return rows


def _aligned(rows: list[list[str]]) -> str:
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    return "\n".join("  ".join(word.ljust(width) for word, width in zip(row, widths, strict=True)).rstrip() for row in rows)


def _markdown(rows: list[list[str]]) -> str:
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([lines[0], "|" + "---|" * len(rows[0]), *lines[1:]])


def terminal(runs: Sequence[Run], verdicts: Sequence[Verdict]) -> str:
    """Both tables, aligned for reading in a terminal."""
    parts = [_aligned(_verdict_rows(verdicts))] if verdicts else []
    return "\n\n".join([*parts, _aligned(_case_rows(summarise(runs)))])


def write_page(runs: Sequence[Run], verdicts: Sequence[Verdict], facts: dict[str, Any], page: Path = PAGE) -> None:
    """Replaces the generated part of the page and leaves what is written around it."""
    text = page.read_text(encoding="utf-8")
    before, after = text.split(BEGIN)[0], text.split(END)[1]
    line = (
        f"Taken {facts['at']} on {facts['machine']}; Python {facts['python']}, PostgreSQL {facts['postgres']}; "
        f"{facts['rounds']} rounds of {facts['seconds']:g} s."
    )
    tables = [_markdown(_verdict_rows(verdicts)), _markdown(_case_rows(summarise(runs)))]
    page.write_text(before + "\n\n".join([BEGIN, line, *tables, END]) + after, encoding="utf-8")


def write_json(runs: Sequence[Run], verdicts: Sequence[Verdict], facts: dict[str, Any], path: Path) -> None:
    """The whole record of a run, for machines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(as_json(runs, verdicts, facts), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def accept(runs: Sequence[Run], path: Path = BASELINE) -> None:
    """Makes the CPU figures of this run the ones that later runs are compared with."""
    figures = {case: round(mid.guarded_us, 2) for case, mid in summarise(runs).items() if mid.guarded_us}
    known = json.loads(path.read_text())["cpu_us"] if path.exists() and baseline(path) is not None else {}
    path.write_text(json.dumps({"machine": machine(), "cpu_us": {**known, **figures}}, indent=1) + "\n", encoding="utf-8")


def baseline(path: Path = BASELINE) -> dict[str, float] | None:
    """CPU microseconds per case to compare with, or None when they were taken on another kind of machine."""
    if not path.exists():
        return None
    kept = json.loads(path.read_text())
    return dict(kept["cpu_us"]) if kept["machine"] == machine() else None
