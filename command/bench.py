"""`citycard bench`: the hot paths against limits taken in the same run (docs/bench.md)."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import click


@click.command()
@click.argument("cases", nargs=-1)
@click.option("--quick", is_flag=True, help="One short round: shows that it runs, says little about speed.")
@click.option("--rounds", default=3, show_default=True, help="How often every case runs, round robin.")
@click.option("--seconds", default=4.0, show_default=True, help="How long a case runs in a round.")
@click.option("--accept", is_flag=True, help="Make the CPU figures of this run the baseline of later ones.")
@click.option("--guard", is_flag=True, help="Also fail when a case costs a quarter more CPU than the baseline.")
@click.option("--write", is_flag=True, help="Write the tables into docs/bench.md.")
@click.option("--json", "json_to", type=click.Path(path_type=Path), help="Where to write the whole record.")
def bench(
    cases: tuple[str, ...], *, quick: bool, rounds: int, seconds: float, accept: bool, guard: bool, write: bool, json_to: Path | None
) -> None:
    """测量 · measure hot paths: CASES are targets (T1, T15) or cases (charge_many); all when none is named.

    Fails when a path stays below its must line, and never on a rate alone.
    """
    from bench import report
    from bench.ground import prepared
    from bench.results import judge, regressions, summarise
    from bench.rounds import play
    from bench.targets import needed

    try:
        chosen, names = needed(cases)
    except LookupError as unknown:
        raise click.UsageError(f"no such target or case: {unknown}") from None
    rounds, seconds = (1, 1.0) if quick else (rounds, seconds)
    home = Path(tempfile.mkdtemp(prefix="citycard-bench-"))
    try:
        with prepared(home) as ground:
            runs = play(ground, names, rounds=rounds, seconds=seconds, tell=lambda line: click.echo(line, err=True))
            facts = report.about(seconds, rounds, ground.version)
    finally:
        shutil.rmtree(home, ignore_errors=True)
    ran = {run.case for run in runs}
    verdicts = [judge(target, runs) for target in chosen if target.case in ran]
    click.echo(report.terminal(runs, verdicts))
    for target in chosen:
        if target.case not in ran:
            click.echo(f"{target.id} was left out on this machine: {target.title}")
    report.write_json(runs, verdicts, facts, json_to or report.RECORD)
    if write:
        report.write_page(runs, verdicts, facts)
    dearer = _compared(report.baseline(), regressions, summarise(runs))
    if accept:
        report.accept(runs)
    if any(verdict.fails for verdict in verdicts) or (guard and dearer):
        sys.exit(1)


def _compared(baseline: dict[str, float] | None, regressions: Callable[..., list[str]], summaries: object) -> list[str]:
    """Says which cases cost more CPU than the baseline allows, and returns those sentences."""
    if baseline is None:
        click.echo("No baseline of this kind of machine: `citycard bench --accept` makes one.", err=True)
        return []
    found = regressions(baseline, summaries)
    for sentence in found:
        click.echo(f"dearer than the baseline: {sentence}", err=True)
    return found
