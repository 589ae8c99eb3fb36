"""What the reader of a terminal sees: one line a step, in Chinese and English, with the time it took."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager


def say(zh: str, en: str, *, mark: str = "·") -> None:
    """One line."""
    print(f"  {mark} {zh}  {en}", flush=True)


@contextmanager
def step(zh: str, en: str) -> Iterator[None]:
    """One line for the block: shown while it works where the terminal can, and again with its time when done."""
    began = time.monotonic()
    live = sys.stdout.isatty()
    if live:
        print(f"  … {zh}  {en}", end="", flush=True)
    try:
        yield
    except BaseException:
        _end(live, "✗", zh, en, began)
        raise
    _end(live, "✓", zh, en, began)


def _end(live: bool, mark: str, zh: str, en: str, began: float) -> None:
    start = "\r" if live else ""
    print(f"{start}  {mark} {zh}  {en}  {time.monotonic() - began:.1f} s", flush=True)
