"""`citycard stop`: ends a run that was started elsewhere."""

from __future__ import annotations

import os
import signal
import time

import click

from command.embedded import postgres, valkey
from command.home import home, is_held
from command.progress import say
from command.supervisor import kill_left_behind

PATIENCE_SECONDS = 30.0


@click.command()
def stop() -> None:
    """停止 · end the run of this folder, and whatever one that was killed left behind."""
    here = home()
    note = here.running()
    if note is not None:
        os.kill(int(note["pid"]), signal.SIGTERM)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while is_held(here.lock):
            if time.monotonic() > deadline:
                raise click.ClickException(f"进程 {note['pid']} 没有结束 · process {note['pid']} did not end")
            time.sleep(0.1)
    kill_left_behind(here.folder)
    valkey.stop(here.valkey)
    postgres.stop(here.postgres)
    say("已停止，数据还在", f"stopped; the data stay in {here.folder}")
