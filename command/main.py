"""`citycard`: the one command. Each word of GROUPS is a file of that name beside this one, holding a click command of that name."""

from __future__ import annotations

import importlib

import click

from config import logging

GROUPS = (
    "run",
    "stop",
    "doctor",
    "db",
    "seed",
    "people",
    "pages",
    "api",
    "demo",
    "terminal",
    "staff",
    "sign",
    "clock",
    "bench",
    "losses",
    "crash",
    "verify",
    "worker",
)  # fmt: skip


class Groups(click.Group):
    """Loads a command when it is wanted, so that one word does not pay for the imports of all others."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(GROUPS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in GROUPS:
            return None
        module = importlib.import_module(f"command.{cmd_name}")
        found: click.Command = getattr(module, cmd_name)
        return found


@click.command(cls=Groups, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """城市一卡通平台 · the city card platform."""
    logging.configure("warning", process="command")  # a command tells its own story; what goes wrong is still said
