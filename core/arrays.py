"""Columns of a batch as binary arrays, packed here in one go: psycopg's own list dumper asks every element for its type, which for the
twenty columns of a charge costs more than sending them.

The layout is that of PostgreSQL's ``array_recv``: dimensions, whether there are NULLs, the element's oid, length and first index, and
then each element with its size in front. The statement casts each parameter, so the server knows what it receives.
"""

from __future__ import annotations

import datetime as dt
import struct
from collections.abc import Callable, Iterable, Sequence
from typing import Any

_HEAD = struct.Struct(">iiIii").pack
_SIZE = struct.Struct(">i").pack
_SMALL, _INT, _BIG = (struct.Struct(form).pack for form in (">ih", ">ii", ">iq"))
_SIZE_BYTES = 4
_NULL = _SIZE(-1)
_SIXTEEN = _SIZE(16)
_EPOCH = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
_MICROSECOND = dt.timedelta(microseconds=1)


def _text(value: str) -> bytes:
    data = value.encode()
    return _SIZE(len(data)) + data


# By the name of the element's type: its oid, and an element with its size in front.
_ELEMENTS: dict[str, tuple[int, Callable[[Any], bytes]]] = {
    "uuid": (2950, lambda value: _SIXTEEN + value.bytes),
    "text": (25, _text),
    "bytea": (17, lambda value: _SIZE(len(value)) + value),
    "smallint": (21, lambda value: _SMALL(2, value)),
    "integer": (23, lambda value: _INT(4, value)),
    "bigint": (20, lambda value: _BIG(8, value)),
    "timestamptz": (1184, lambda value: _BIG(8, (value - _EPOCH) // _MICROSECOND)),
}


def pack(kind: str, values: Sequence[Any]) -> bytes:
    """An array of a kind of element; None is NULL. Raises struct.error or AttributeError for a value of another kind."""
    oid, element = _ELEMENTS[kind]
    parts = [_NULL if value is None else element(value) for value in values]
    return _HEAD(1, 1, oid, len(parts), 1) + b"".join(parts)


def pack_one(kind: str, value: Any) -> bytes:
    """A single value as a binary parameter, without the size that an element has in front."""
    return _ELEMENTS[kind][1](value)[_SIZE_BYTES:]


def pack_rows(kinds: Sequence[str], rows: Iterable[tuple[Any, ...]]) -> list[bytes]:
    """The columns of rows that have these kinds, in the same order."""
    return [pack(kind, column) for kind, column in zip(kinds, zip(*rows, strict=True), strict=True)]
