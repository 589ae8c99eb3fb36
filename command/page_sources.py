"""What pages were built from: a sum over their sources, kept beside the built pages."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

NOT_SOURCES = {"node_modules", "dist", "tests", ".build.lock"}
MARK = ".made-from"


def sum_of_sources(folder: Path) -> str:
    """The sum of a room's sources and of what all rooms share."""
    shared = folder.parent / "shared"
    return sum_of_files([*_files(folder), *_files(shared)])


def sum_of_files(paths: Iterable[Path]) -> str:
    """One sum over names and contents."""
    whole = hashlib.sha256()
    for path in paths:
        whole.update(f"{path.parent.name}/{path.name}\0".encode())
        whole.update(hashlib.sha256(path.read_bytes()).digest())
    return whole.hexdigest()


def made_from(built: Path) -> str | None:
    """The sum that stands beside built pages; None where there are none."""
    try:
        return (built / MARK).read_text(encoding="ascii")
    except OSError:
        return None


def write_mark(built: Path, value: str) -> None:
    """Note what pages were made from."""
    (built / MARK).write_text(value, encoding="ascii")


def _files(folder: Path) -> list[Path]:
    found = []
    for place, inner, names in os.walk(folder):
        inner[:] = sorted(name for name in inner if name not in NOT_SOURCES)
        found += [Path(place, name) for name in names if name not in NOT_SOURCES]
    return sorted(found)
