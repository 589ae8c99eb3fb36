"""HTTP as an outside program uses it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlencode

import urllib3

Found = TypeVar("Found")
LONGEST = urllib3.Timeout(connect=5, read=20)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: status, headers, and the body as JSON or text."""

    status: int
    headers: Mapping[str, str]
    body: Any

    @property
    def code(self) -> str:
        """The code of a refusal, empty for none."""
        return str(self.body.get("code", "")) if isinstance(self.body, dict) and self.status >= 400 else ""


class Unexpected(Exception):
    """An answer that the story did not expect."""

    def __init__(self, method: str, path: str, answer: Answer) -> None:
        self.answer = answer
        super().__init__(f"{method} {path}: {answer.status} {json.dumps(answer.body, ensure_ascii=False)[:600]}")


class Wire:
    """A connection to one program."""

    def __init__(self, url: str, *, language: str = "zh-CN") -> None:
        self.url, self.language = url.rstrip("/"), language
        self._pool = urllib3.PoolManager(retries=False, timeout=LONGEST, maxsize=32)

    def send(self, method: str, path: str, *, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Answer:
        """Send a request as it is."""
        given = {"Accept-Language": self.language, **(headers or {})}
        raw = self._pool.request(method, self.url + path, body=body or None, headers=given, redirect=False)
        try:
            read = json.loads(raw.data) if raw.data else None
        except ValueError:
            read = raw.data.decode("utf-8", "replace")
        return Answer(raw.status, raw.headers, read)

    def form(self, path: str, **values: str) -> Answer:
        """Send a form as a page would, asking for JSON."""
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        return self.send("POST", path, body=urlencode(values).encode(), headers=headers)


def wait_for(read: Callable[[], Found | None], *, what: str, seconds: float = 15.0) -> Found:
    """Ask until something is there; TimeoutError says for what it waited."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if (found := read()) is not None:
            return found
        time.sleep(0.2)
    raise TimeoutError(f"waited {seconds:.0f} s for {what}")
