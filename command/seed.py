"""`citycard seed`: brings the cities' data into the database."""

from __future__ import annotations

import click

from command import seeding
from command.home import current_settings


@click.command()
def seed() -> None:
    """城市数据 · apply the cities' data; outside production also their invented people."""
    seeding.seed(current_settings())
