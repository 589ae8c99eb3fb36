"""`citycard losses`: how soon a lost card is refused at the centre and at terminals that are online (docs/reliability.md)."""

from __future__ import annotations

import json
import subprocess
import sys

import click


@click.command()
@click.option("--losses", default=200, show_default=True, help="挂失次数 · how many losses are reported")
@click.option("--holders", default=10, show_default=True, help="居民人数 · by how many residents")
@click.option("--gates", default=8, show_default=True, help="联网终端数 · heard by how many terminals")
def losses(losses: int, holders: int, gates: int) -> None:
    """挂失时延 · measure, against the running demo, how soon a lost card is refused."""
    from bench.losses import measure
    from command.story.cast import Stage

    told = subprocess.run([sys.executable, "-m", "command", "people", "--all"], capture_output=True, text=True, check=False)
    if told.returncode:
        raise click.ClickException(told.stderr.strip())
    click.echo(measure(Stage.of(json.loads(told.stdout)), losses=losses, holders=holders, gates=gates).told())
