"""How one setting is read from its text, and what is wrong with it when it cannot be."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import MISSING, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

ROOT_KEY_BYTES = 32
Reader = Callable[[str], Any]


class Unreadable(ValueError):
    """A text that is no value of its setting."""

    def __init__(self, *, zh: str, en: str) -> None:
        super().__init__(en)
        self.zh = zh
        self.en = en


def setting(read: Reader, *, zh: str, en: str, form: str, default: Any = MISSING, secret: bool = False) -> Any:
    """One field of Settings: how it is read, its form, what it is for, and whether it may be shown."""
    metadata = {"read": read, "zh": zh, "en": en, "form": form, "secret": secret}
    return field(default=default, metadata=metadata, repr=not secret)


def text(value: str) -> str:
    """Any text that is not empty."""
    if not value.strip():
        raise Unreadable(zh="不能为空", en="must not be empty")
    return value.strip()


def words(value: str) -> tuple[str, ...]:
    """Names between commas."""
    found = tuple(word.strip() for word in value.split(",") if word.strip())
    if not found or not all(re.fullmatch(r"[a-z][a-z0-9_]*", word) for word in found):
        raise Unreadable(zh="应为逗号分隔的小写名称", en="must be lower-case names between commas")
    return found


def one_of(*choices: str) -> Reader:
    """One of a few words."""

    def read(value: str) -> str:
        if value not in choices:
            raise Unreadable(zh=f"应为 {'、'.join(choices)} 之一", en=f"must be one of {', '.join(choices)}")
        return value

    return read


def number(low: int, high: int) -> Reader:
    """A whole number from `low` to `high`."""

    def read(value: str) -> int:
        if not re.fullmatch(r"\d{1,9}", value) or not low <= int(value) <= high:
            raise Unreadable(zh=f"应为 {low} 到 {high} 的整数", en=f"must be a whole number from {low} to {high}")
        return int(value)

    return read


def address(*schemes: str) -> Reader:
    """A URL of one of the `schemes`, without a slash at its end."""

    def read(value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in schemes or not (parts.netloc or parts.path):
            raise Unreadable(zh=f"应为 {'、'.join(schemes)} 地址", en=f"must be an address of {', '.join(schemes)}")
        return value.rstrip("/")

    return read


def folder(value: str) -> Path:
    """The absolute path of a folder."""
    path = Path(text(value)).expanduser()
    if not path.is_absolute():
        raise Unreadable(zh="应为绝对路径", en="must be an absolute path")
    return path


def root_key(value: str) -> bytes:
    """Thirty-two bytes as hexadecimal digits, or the absolute path of a file that holds them."""
    path = Path(value)
    if path.is_absolute():
        value = secret_file(path)
    try:
        key = bytes.fromhex(value.strip())
    except ValueError:
        key = b""
    if len(key) != ROOT_KEY_BYTES or len(set(key)) < 8:
        raise Unreadable(zh="应为 32 个随机字节（64 位十六进制）", en="must be 32 random bytes (64 hexadecimal digits)")
    return key


def secret_file(path: Path) -> str:
    """The text of a file that its owner alone may read."""
    try:
        if path.stat().st_mode & 0o077:
            raise Unreadable(zh=f"{path} 别人也能读，请 chmod 600", en=f"{path} can be read by others; chmod 600")
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise Unreadable(zh=f"{path} 无法读取", en=f"{path} cannot be read") from None
