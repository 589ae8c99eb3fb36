"""Fields of what comes in and goes out, and the Schema they stand in: unknown members are refused, nothing is coerced."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

import marshmallow as ma
from marshmallow import validate

from core import ids
from core.errors import NotFound
from core.money import MAX_FEN


class Schema(ma.Schema):
    """Parent of every schema: unknown members are refused (a typing error or an attempt at mass assignment)."""

    class Meta:
        unknown = ma.RAISE


class Id(ma.fields.Field[UUID]):
    """A shown id such as ``card_01j…``; a UUID inside."""

    default_error_messages: dict[str, str | list[Any] | dict[Any, Any]] = {  # noqa: RUF012  # marshmallow reads it off the class
        "invalid": "Not a valid id of this kind."
    }

    def __init__(self, prefix: str, **options: Any) -> None:
        self.prefix = prefix
        example = prefix + "_01k5x3m8q2v7e4t9r6w1y0z3ab"
        super().__init__(metadata={"pattern": f"^{prefix}_[0-7][0-9a-hjkmnp-tv-z]{{25}}$", "type": "string", "example": example}, **options)

    def _serialize(self, value: UUID | None, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return None if value is None else ids.show(self.prefix, value)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> UUID:
        if not isinstance(value, str):
            raise self.make_error("invalid")
        try:
            return ids.parse(self.prefix, value)
        except NotFound as fault:
            raise self.make_error("invalid") from fault


class Fen(ma.fields.Integer):
    """An amount in whole fen."""

    def __init__(self, *, least: int = 1, most: int = MAX_FEN, **options: Any) -> None:
        self.least, self.most = least, most
        described = {"description": "Amount in fen (1/100 yuan)"}
        super().__init__(strict=True, validate=validate.Range(least, most), metadata=described, **options)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise self.make_error("invalid", input=value)
        return value


class Count(ma.fields.Integer):
    """A whole number within bounds."""

    def __init__(self, *, least: int = 0, most: int = 2**31 - 1, **options: Any) -> None:
        self.least, self.most = least, most
        super().__init__(strict=True, validate=validate.Range(least, most), **options)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise self.make_error("invalid", input=value)
        return value


class Text(ma.fields.String):
    """A line of text within bounds; no control characters, so that it is safe in a log, a receipt and a query."""

    def __init__(self, *, least: int = 1, most: int = 200, pattern: str | None = None, lines: bool = False, **options: Any) -> None:
        self.least, self.most, self.pattern, self.lines = least, most, pattern, lines
        checks: list[Any] = [validate.Length(least, most)]
        if pattern is not None:
            checks.append(validate.Regexp(pattern))
        super().__init__(validate=checks, **options)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        if not isinstance(value, str):
            raise self.make_error("invalid")
        if not printable(value, lines=self.lines):
            raise ma.ValidationError("Control characters are not allowed.")
        return value


def printable(value: str, *, lines: bool = False) -> bool:
    """Whether a text holds no control character and no lone surrogate."""
    return all((lines and c == "\n") or (ord(c) >= 32 and not 0x7F <= ord(c) < 0xA0 and not 0xD800 <= ord(c) < 0xE000) for c in value)


class Moment(ma.fields.Field[dt.datetime]):
    """RFC 3339 with an offset; a UTC datetime inside, shown with ``Z`` and milliseconds."""

    default_error_messages: dict[str, str | list[Any] | dict[Any, Any]] = {  # noqa: RUF012  # marshmallow reads it off the class
        "invalid": "Not a valid RFC 3339 time with an offset."
    }

    def __init__(self, **options: Any) -> None:
        super().__init__(metadata={"type": "string", "format": "date-time"}, **options)

    def _serialize(self, value: dt.datetime | None, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return None if value is None else rfc3339(value)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> dt.datetime:
        if not isinstance(value, str) or len(value) > 40:
            raise self.make_error("invalid")
        try:
            moment = dt.datetime.fromisoformat(value)
            if moment.tzinfo is None or "T" not in value.upper():
                raise self.make_error("invalid")
            return moment.astimezone(dt.UTC)
        except (ValueError, OverflowError) as fault:
            raise self.make_error("invalid") from fault


class Day(ma.fields.Date):
    """A calendar day, ``2026-11-22``."""


class OneOf(ma.fields.String):
    """A lower-snake word of a closed list."""

    def __init__(self, *words: str, **options: Any) -> None:
        self.words = words
        super().__init__(validate=validate.OneOf(words), **options)


def rfc3339(moment: dt.datetime) -> str:
    """``2026-11-22T08:00:00.000Z``."""
    return moment.astimezone(dt.UTC).isoformat(timespec="milliseconds")[:-6] + "Z"
