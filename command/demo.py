"""`citycard demo`: walks the story against the running program and tells it step by step."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

import click

from command.story.cast import Stage
from command.story.walk import begin


@click.command()
@click.option(
    "--language", type=click.Choice(["zh", "en", "both"]), default="both", show_default=True, help="讲述语言 · language of the telling"
)
def demo(language: str) -> None:
    """演示故事 · walk the story against the running program."""
    told = subprocess.run([sys.executable, "-m", "command", "people", "--all"], capture_output=True, text=True, check=False)
    if told.returncode:
        raise click.ClickException(told.stderr.strip())
    walk = begin(Stage.of(json.loads(told.stdout)))
    say(language, f"地址 {walk.stage.issuer}", f"at {walk.stage.issuer}")
    begun = time.monotonic()
    with ended_once(), closing(walk.steps()) as steps:
        for number, step in enumerate(steps, start=1):
            click.secho(f"\n{number:2}. ", nl=False, fg="green")
            say(language, step.zh, step.en)
            for zh, en in step.seen:
                say(language, f"    · {zh}", f"    · {en}")
    click.echo()
    say(language, f"故事走完，用时 {time.monotonic() - begun:.1f} 秒。", f"The story is told, in {time.monotonic() - begun:.1f} s.")


@contextmanager
def ended_once() -> Iterator[None]:
    """Let Ctrl-C, SIGTERM and a closed terminal end the walk, and no second one disturb it while it puts things back."""
    watched = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def end(_number: int, _frame: object) -> None:
        for each in watched:
            signal.signal(each, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = [signal.signal(each, end) for each in watched]
    try:
        yield
    finally:
        for each, handler in zip(watched, before, strict=True):
            signal.signal(each, handler)


def say(language: str, zh: str, en: str) -> None:
    """One line in the wanted language, or both."""
    if language in ("zh", "both"):
        click.echo(zh)
    if language in ("en", "both"):
        click.echo(("" if language == "en" or not zh.startswith("    ") else "    ") + en.strip() if language == "both" else en)
