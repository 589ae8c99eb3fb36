"""The part of CBOR (RFC 8949) that a city code uses, in its one deterministic form (section 4.2.1), and nothing else.

The reader is strict so that one meaning has one form: shortest lengths, definite lengths, map keys ascending and single. It
knows whole numbers, byte and text strings, arrays, maps, tags and the two truth values; floats, null and bignums are refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from citycode.refusals import Reason, Refused

DEEPEST: Final = 8
_UINT, _NINT, _BYTES, _TEXT, _ARRAY, _MAP, _TAG, _SIMPLE = range(8)


@dataclass(frozen=True, slots=True)
class Tagged:
    """A tagged item (section 3.4)."""

    tag: int
    value: Any


def encode(item: Any) -> bytes:
    """The deterministic form of an item; TypeError for what the format does not use."""
    if isinstance(item, bool):
        return b"\xf5" if item else b"\xf4"
    if isinstance(item, int):
        return _head(_UINT, item) if item >= 0 else _head(_NINT, -1 - item)
    if isinstance(item, bytes):
        return _head(_BYTES, len(item)) + item
    if isinstance(item, str):
        text = item.encode()
        return _head(_TEXT, len(text)) + text
    if isinstance(item, list):
        return _head(_ARRAY, len(item)) + b"".join(map(encode, item))
    if isinstance(item, dict):
        pairs = sorted((encode(key), encode(value)) for key, value in item.items())
        return _head(_MAP, len(pairs)) + b"".join(key + value for key, value in pairs)
    if isinstance(item, Tagged):
        return _head(_TAG, item.tag) + encode(item.value)
    raise TypeError(f"a city code holds no {type(item).__name__}")


def _head(major: int, number: int) -> bytes:
    first = major << 5
    if number < 24:
        return bytes([first | number])
    for size, extra in ((1, 24), (2, 25), (4, 26), (8, 27)):
        if number < 1 << 8 * size:
            return bytes([first | extra]) + number.to_bytes(size, "big")
    raise OverflowError("a number of at most 64 bits")


def decode(data: bytes) -> Any:
    """The one item in these bytes; Refused with bad_encoding or not_canonical, whichever comes first."""
    item, end = _item(data, 0, 0)
    if end != len(data):
        raise Refused(Reason.BAD_ENCODING)
    return item


def _item(data: bytes, at: int, depth: int) -> tuple[Any, int]:
    if depth > DEEPEST:
        raise Refused(Reason.BAD_ENCODING)
    major, number, at = _read_head(data, at)
    if major == _UINT:
        return number, at
    if major == _NINT:
        return -1 - number, at
    if major in (_BYTES, _TEXT):
        return _string(data, at, number, text=major == _TEXT)
    if major == _ARRAY:
        return _array(data, at, number, depth)
    if major == _MAP:
        return _map(data, at, number, depth)
    if major == _TAG:
        value, at = _item(data, at, depth + 1)
        return Tagged(number, value), at
    if number in (20, 21):
        return number == 21, at
    raise Refused(Reason.BAD_ENCODING)


def _read_head(data: bytes, at: int) -> tuple[int, int, int]:
    if at >= len(data):
        raise Refused(Reason.BAD_ENCODING)
    major, extra = data[at] >> 5, data[at] & 31
    if extra < 24:
        return major, extra, at + 1
    if extra == 31 and major in (_BYTES, _TEXT, _ARRAY, _MAP):
        raise Refused(Reason.NOT_CANONICAL)  # an indefinite length
    if extra > 27 or major == _SIMPLE:
        raise Refused(Reason.BAD_ENCODING)
    size = 1 << (extra - 24)
    if at + 1 + size > len(data):
        raise Refused(Reason.BAD_ENCODING)
    number = int.from_bytes(data[at + 1 : at + 1 + size], "big")
    if number < (24 if size == 1 else 1 << 4 * size):
        raise Refused(Reason.NOT_CANONICAL)  # a longer form than needed
    return major, number, at + 1 + size


def _string(data: bytes, at: int, length: int, *, text: bool) -> tuple[bytes | str, int]:
    if length > len(data) - at:
        raise Refused(Reason.BAD_ENCODING)
    raw = data[at : at + length]
    if not text:
        return raw, at + length
    try:
        return raw.decode(), at + length
    except UnicodeDecodeError:
        raise Refused(Reason.BAD_ENCODING) from None


def _array(data: bytes, at: int, length: int, depth: int) -> tuple[list[Any], int]:
    if length > len(data) - at:
        raise Refused(Reason.BAD_ENCODING)
    items = []
    for _ in range(length):
        item, at = _item(data, at, depth + 1)
        items.append(item)
    return items, at


def _map(data: bytes, at: int, length: int, depth: int) -> tuple[dict[Any, Any], int]:
    if 2 * length > len(data) - at:
        raise Refused(Reason.BAD_ENCODING)
    members: dict[Any, Any] = {}
    before = b""
    for _ in range(length):
        start = at
        key, at = _item(data, at, depth + 1)
        if not isinstance(key, (int, str)) or isinstance(key, bool):
            raise Refused(Reason.BAD_ENCODING)
        if data[start:at] <= before:
            raise Refused(Reason.NOT_CANONICAL)  # out of order, or twice
        before = data[start:at]
        members[key], at = _item(data, at, depth + 1)
    return members, at
