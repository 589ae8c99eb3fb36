"""`citycard doctor`: what this machine has for a run, and what it lacks."""

from __future__ import annotations

import platform
import shutil
import sys
from collections.abc import Callable

import click

from command import ports
from command.embedded.account import account_for, reachable_home
from command.embedded.binaries import postgres_programs, valkey_program
from command.embedded.errors import CannotStart
from command.home import Home, home
from command.run import FIRST_PORT

LEAST_FREE_BYTES = 1_000_000_000


@click.command()
def doctor() -> None:
    """体检 · what this machine has and what it lacks."""
    here = home()
    found = [
        _line("Python", platform.python_version(), good=sys.version_info >= (3, 11)),
        _try("PostgreSQL", lambda: str(postgres_programs(account_for(here.postgres / "data"), reachable_home(here.postgres), major=None))),
        _try("Valkey", lambda: str(valkey_program(account_for(here.valkey / "data"), reachable_home(here.valkey)))),
        _disk(here),
        _line(
            "端口 · port",
            f"{FIRST_PORT} {'空闲 free' if ports.is_free('127.0.0.1', FIRST_PORT) else '已占用，将另选 taken, another is chosen'}",
        ),
        _line("运行 · running", str((here.running() or {}).get("address", "-"))),
    ]
    if not all(found):
        raise SystemExit(1)


def _line(name: str, value: str, *, good: bool = True) -> bool:
    click.echo(f"  {'✓' if good else '✗'} {name}  {value}")
    return good


def _try(name: str, find: Callable[[], str]) -> bool:
    try:
        return _line(name, find())
    except CannotStart as fault:
        return _line(name, str(fault), good=False)


def _disk(here: Home) -> bool:
    folder = next(parent for parent in (here.folder, *here.folder.parents) if parent.exists())
    free = shutil.disk_usage(folder).free
    return _line("磁盘 · disk", f"{free / 1e9:.1f} GB  {folder}", good=free > LEAST_FREE_BYTES)
