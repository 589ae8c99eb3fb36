"""`citycard crash`: kills each part of the running platform in mid-charge and checks the books (docs/reliability.md)."""

from __future__ import annotations

import json
import secrets
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from crash.cycles import Verdict

CI_CYCLES, LONG_CYCLES, HUNT_CYCLES, ROUNDS = 30, 200, 26, 200


@click.command()
@click.option("--cycles", type=click.IntRange(1, 100_000), help=f"How many blows are dealt ({CI_CYCLES}).")
@click.option("--long", "long_run", is_flag=True, help=f"{LONG_CYCLES} cycles.")
@click.option("--seed", type=int, help="Repeats the order of blows of an earlier run.")
@click.option("--seeded", is_flag=True, help="Instead: run against copies of the program with known bugs, each of which must be caught.")
@click.option("--bug", "only", multiple=True, help="Of the known bugs, only this one.")
@click.option("--one-code", is_flag=True, help=f"Instead: a hundred terminals bring one code at once, {ROUNDS} times over.")
@click.option("--rounds", type=click.IntRange(1, 100_000), help="How many times a hundred terminals bring one code.")
@click.option("--json", "json_to", type=click.Path(path_type=Path), help="Where to write the whole verdict.")
def crash(
    *, cycles: int | None, long_run: bool, seed: int | None, seeded: bool, only: tuple[str, ...], one_code: bool, rounds: int | None,
    json_to: Path | None,
) -> None:  # fmt: skip
    """崩溃试验 · kill every part in mid-charge; fails when the books disagree with what clients were told."""
    chosen = secrets.randbelow(10**6) if seed is None else seed
    if one_code:
        _one_code(rounds or ROUNDS, chosen)
        return
    if seeded or only:
        _hunt(only, cycles or HUNT_CYCLES, chosen)
        return
    from crash.cycles import run

    wanted = cycles or (LONG_CYCLES if long_run else CI_CYCLES)
    click.echo(f"{wanted} cycles, seed {chosen}")
    verdict = run(cycles=wanted, seed=chosen, tell=click.echo)
    if json_to:
        json_to.write_text(json.dumps({"seed": chosen, **asdict(verdict)}, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    _tell(verdict)
    if not verdict.clean:
        sys.exit(1)


def _one_code(rounds: int, seed: int) -> None:
    from crash.one_code import CROWD, run

    click.echo(f"{rounds} rounds, seed {seed}")
    outcome = run(rounds=rounds, seed=seed, tell=click.echo)
    blows, answers = ({str(name): count for name, count in each.items()} for each in (outcome.blows, outcome.answers))
    click.echo(f"{outcome.rounds} rounds of {CROWD} terminals in {outcome.seconds:.0f} s: {blows}; answers {answers}")
    for sentence in outcome.found:
        click.echo(f"FOUND {sentence}")
    click.echo("one code was good for one" if not outcome.found else "one code was NOT good for one alone")
    if outcome.found:
        sys.exit(1)


def _tell(verdict: Verdict) -> None:
    click.echo(
        f"{verdict.cycles} cycles in {verdict.seconds:.0f} s: {verdict.paid} charges acknowledged ({verdict.after_retry} only when"
        f" asked again, the slowest after {verdict.slowest:.1f} s), {sum(verdict.refused.values())} refused,"
        f" {verdict.credited} top-ups credited, {verdict.bills} bills paid and {verdict.unsure} unsure for a while,"
        f" {verdict.events} events taken, {verdict.open} left open"
    )
    for sentence in (*verdict.found, *verdict.untried):
        click.echo(f"FOUND {sentence}")
    click.echo("the books agree with everything that was told" if verdict.clean else "the books do NOT agree with what was told")
    failed = min(len(verdict.found) + len(verdict.untried), 1)
    click.echo(f"{verdict.cycles - failed} passed, {failed} failed in {verdict.seconds:.2f}s")


def _hunt(only: tuple[str, ...], cycles: int, seed: int) -> None:
    from crash.seeding import bugs, hunt

    missed = []
    for bug in only or bugs():
        caught = hunt(bug, cycles=cycles, seed=seed)
        click.echo(f"{bug:28s} {caught.outcome} {caught.cycles}")
        click.echo("".join(f"    {sentence[:200]}\n" for sentence in caught.found[:3]), nl=False)
        if not caught.caught:
            missed.append(bug)
    if missed:
        raise click.ClickException(f"seed {seed}: the harness did not see {', '.join(missed)}")
