"""Writes the documents that are made from the code: ``python -m tests.docs.writing``."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path

import app  # noqa: F401  # loads every floor, and with it every error
from core.errors import CityError

DOCS = Path(__file__).parents[2] / "docs"
HEAD = """# 错误 · Errors

Every refusal of the API is a problem document (RFC 9457) with one of these codes. A code never changes its meaning; `title` comes in the
language of the reader, `messages` always holds both. Facts in braces stand in `facts`. This page is written by
`python -m tests.docs.writing` and held by a test.

每次拒绝都是带有下列 code 之一的 problem 文档（RFC 9457）。code 的含义永不改变；`title` 用读者的语言，`messages` 总有两种语言。

| code | status | 中文 | English | from |
|---|---|---|---|---|
"""


def errors() -> list[type[CityError]]:
    """Every error of the program, by code."""
    ours = (kind for kind in everything(CityError) if not kind.__module__.startswith("tests"))
    return sorted(set(ours), key=lambda kind: (kind.code, kind.__module__))


def everything(kind: type[CityError]) -> Iterator[type[CityError]]:
    """An error and all below it."""
    yield kind
    for below in kind.__subclasses__():
        yield from everything(below)


def errors_page() -> str:
    """docs/errors.md."""
    rows = [f"| `{kind.code}` | {kind.status} | {cell(kind.zh)} | {cell(kind.en)} | `{kind.__module__}` |" for kind in errors()]
    return HEAD + "\n".join(rows) + "\n"


def cell(text: str) -> str:
    """A text as a cell of a table."""
    return inspect.cleandoc(text).replace("|", "\\|").replace("\n", " ")


if __name__ == "__main__":
    (DOCS / "errors.md").write_text(errors_page(), encoding="utf-8")
