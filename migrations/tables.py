"""Which tables of the database are ours to compare with the models."""

from __future__ import annotations

from pathlib import Path
from typing import Any

# Partitions belong to their parent; procrastinate keeps its own tables.
NOT_OURS = ("procrastinate_", "transfer_2", "alembic_version")


def ours(thing: Any, name: str | None, kind: str, reflected: bool, compared: Any) -> bool:
    """Leave partitions and the job queue's own tables out of a comparison."""
    if kind == "table":
        return not (name or "").startswith(NOT_OURS)
    table = getattr(getattr(thing, "table", None), "name", "")
    return not table.startswith(NOT_OURS)


def sql(name: str) -> str:
    """The frozen copy of an SQL file that a migration installs."""
    return (Path(__file__).parent / "sql" / f"{name}.sql").read_text()
