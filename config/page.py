"""The table of all settings, as docs/settings.md shows it; a test holds the page to it."""

from __future__ import annotations

from dataclasses import MISSING, Field, fields
from typing import Any

from config.settings import PREFIX, Settings

HEAD = "| 变量 Variable | 形式 Form | 默认 Default | 用途 | Purpose |\n|---|---|---|---|---|"


def table() -> str:
    """One line a setting, in the order of Settings."""
    return "\n".join([HEAD, *(_line(part) for part in fields(Settings))])


def _line(part: Field[Any]) -> str:
    form = part.metadata["form"].replace("|", "\\|")
    name = f"`{PREFIX}{part.name.upper()}`" + (" (secret)" if part.metadata["secret"] else "")
    return f"| {name} | {form} | {_default(part)} | {part.metadata['zh']} | {part.metadata['en']} |"


def _default(part: Field[Any]) -> str:
    if part.default is MISSING:
        return "**必填 required**"
    return f"`{part.default}`" if part.default not in (None, "") else "–"


if __name__ == "__main__":
    print(table())
