"""Reading JSON bodies. A decoder derived from the marshmallow schema does the common case on hot routes (D35); whatever it refuses goes to
the schema itself, which stays the one authority on what is right and words every error."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal
from urllib.parse import parse_qsl

import marshmallow as ma
import msgspec

from core import fields, ids
from core.errors import Invalid, Malformed, NotFound

Reader = Callable[[bytes], dict[str, Any]]
_UNSET = object()
# Shown as they are.
_PLAIN = (ma.fields.Integer, ma.fields.String, ma.fields.Boolean, fields.Fen, fields.Count, fields.Text, fields.OneOf)


def by_schema(schema: ma.Schema) -> Reader:
    """A reader that loads with the schema."""

    def read(body: bytes) -> dict[str, Any]:
        try:
            plain = msgspec.json.decode(body)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as fault:
            raise Malformed() from fault
        if not isinstance(plain, dict):
            raise Malformed()
        return load(schema, plain)

    return read


def by_form(schema: ma.Schema) -> Reader:
    """A reader of form bodies: one text per name, a list where a name came twice, for the schema to refuse."""

    def read(body: bytes) -> dict[str, Any]:
        try:
            pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, encoding="utf-8", errors="strict", max_num_fields=100)
        except ValueError as fault:
            raise Malformed() from fault
        plain: dict[str, Any] = {}
        for name, value in pairs:
            plain[name] = value if name not in plain else [*([plain[name]] if isinstance(plain[name], str) else plain[name]), value]
        return load(schema, plain)

    return read


def load(schema: ma.Schema, plain: Any) -> dict[str, Any]:
    """Load plain data with a schema; raises Invalid with an error per field."""
    try:
        loaded: dict[str, Any] = schema.load(plain)
    except ma.ValidationError as fault:
        raise Invalid(fault.normalized_messages()) from fault  # type: ignore[no-untyped-call]  # marshmallow leaves it untyped
    return loaded


def derived(schema: ma.Schema) -> Reader:
    """A reader that decodes and checks in one pass where it can, and asks the schema where it cannot."""
    slow = by_schema(schema)
    members, finishers = [], []
    for name, member in schema.fields.items():
        kind = _type(member)
        if kind is None or member.data_key not in (None, name):
            return slow
        default = _default(member)
        members.append((name, kind) if default is _UNSET else (name, kind | None, default))
        if (finish := _finisher(member)) is not None:
            finishers.append((name, finish))
    struct = msgspec.defstruct(type(schema).__name__, members, forbid_unknown_fields=True, kw_only=True)
    decoder = msgspec.json.Decoder(struct)
    names = tuple(schema.fields)
    absent_stays_absent = [name for name, member in schema.fields.items() if not member.required and member.load_default is ma.missing]
    if absent_stays_absent or schema._hooks.get("validates_schema") or schema._hooks.get("post_load"):
        return slow

    def read(body: bytes) -> dict[str, Any]:
        try:
            decoded = decoder.decode(body)
            loaded = {name: getattr(decoded, name) for name in names}
            for name, finish in finishers:
                if loaded[name] is not None:
                    loaded[name] = finish(loaded[name])
        except (msgspec.DecodeError, NotFound, ValueError, RecursionError):
            return slow(body)
        return loaded

    return read


Dumper = Callable[[Any], dict[str, Any]]


def dumper(schema: ma.Schema) -> Dumper | None:
    """What the schema's ``dump`` does, member by member without its general machinery; None where a member needs that."""
    members: list[tuple[str, str, Callable[[Any], Any] | None]] = []
    for name, member in schema.fields.items():
        shown = _shower(member)
        if shown is _UNSET or member.load_only:
            return None
        members.append((member.data_key or name, member.attribute or name, shown))

    def dump(given: Any) -> dict[str, Any]:
        read = given.__getitem__ if isinstance(given, dict) else lambda name: getattr(given, name)
        body = {}
        for key, name, shown in members:
            value = read(name)
            body[key] = value if shown is None or value is None else shown(value)
        return body

    return dump


def _shower(member: ma.fields.Field[Any]) -> Any:
    if isinstance(member, fields.Id):
        prefix = member.prefix
        return lambda value: ids.show(prefix, value)
    if isinstance(member, fields.Moment):
        return fields.rfc3339
    if type(member) in _PLAIN:
        return None
    if isinstance(member, ma.fields.Nested) and not member.many and isinstance(member.schema, ma.Schema):
        return dumper(member.schema) or _UNSET
    return _UNSET


def _type(member: ma.fields.Field[Any]) -> Any:
    if member.allow_none and member.required:
        return None
    if isinstance(member, (fields.Fen, fields.Count)):
        return Annotated[int, msgspec.Meta(ge=member.least, le=member.most)]
    if isinstance(member, fields.Text):
        return Annotated[str, msgspec.Meta(min_length=member.least, max_length=member.most, pattern=member.pattern)]
    if isinstance(member, fields.OneOf):
        return Literal[member.words]
    if isinstance(member, fields.Id):
        return Annotated[str, msgspec.Meta(max_length=60)]
    return None


def _default(member: ma.fields.Field[Any]) -> Any:
    return _UNSET if member.required else (None if member.load_default is ma.missing else member.load_default)


def _finisher(member: ma.fields.Field[Any]) -> Callable[[Any], Any] | None:
    if isinstance(member, fields.Id):
        prefix = member.prefix
        return lambda text: ids.parse(prefix, text)
    if isinstance(member, fields.Text):
        lines = member.lines
        return lambda text: _printable(text, lines)
    return None


def _printable(text: str, lines: bool) -> str:
    if not text.isprintable() and not fields.printable(text, lines=lines):
        raise ValueError("control characters")
    return text
