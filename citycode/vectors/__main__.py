"""Writes the vectors beside this file; the keys are fixed and the signatures deterministic (RFC 6979), so that they never change."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from citycode.vectors import building, gates, good, hostile

HERE = Path(__file__).parent


def files() -> dict[str, str]:
    """Every file of vectors by its name."""
    made = {"good.json": good.vectors(), "hostile.json": hostile.vectors(), "gate.json": gates.vectors()}
    return {name: json.dumps({**building.heading(), "vectors": each}, indent=1) + "\n" for name, each in made.items()}


if __name__ == "__main__":
    for name, text in files().items():
        (HERE / name).write_text(text)
        sys.stdout.write(f"{name}\n")
