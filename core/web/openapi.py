"""The API document: OpenAPI 3.1 made from the declared routes, so that every route is in it and nothing else is."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable
from typing import Any

import marshmallow as ma
from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin

from core import fields
from core.actors import ActorKind
from core.errors import (
    CityError,
    Denied,
    Invalid,
    KeyMissing,
    Malformed,
    NotFound,
    PreconditionNeeded,
    Stale,
    Throttled,
    Unauthenticated,
)
from core.web import problems
from core.web.access import Anyone
from core.web.routing import Route

SECURITY = {ActorKind.RESIDENT: "resident", ActorKind.STAFF: "staff", ActorKind.TERMINAL: "terminal", ActorKind.PARTNER: "partner"}
DESCRIPTION = (
    "The API of the city card platform. Amounts are whole fen, times RFC 3339 in UTC, ids carry a prefix. Every write that could hurt "
    "twice takes an Idempotency-Key; every refusal is a problem document (RFC 9457) with a stable code, in Chinese and English."
)
PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "code", "messages"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string"},
        "messages": {
            "type": "object",
            "required": ["zh-CN", "en"],
            "properties": {"zh-CN": {"type": "string"}, "en": {"type": "string"}},
        },
        "facts": {"type": "object"},
        "errors": {"type": "object"},
        "request_id": {"type": "string"},
    },
}


def document(routes: Iterable[Route], *, issuer: str, version: str) -> dict[str, Any]:
    """The OpenAPI document of these routes."""
    plugin = MarshmallowPlugin(schema_name_resolver=_Names())
    spec = APISpec(
        title="City Card Platform API",
        version=version,
        openapi_version="3.1.0",
        info={"description": DESCRIPTION, "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"}},
        servers=[{"url": issuer}],
        plugins=[plugin],
    )
    assert plugin.converter is not None
    plugin.converter.add_attribute_function(_attributes)  # type: ignore[no-untyped-call]  # apispec leaves it untyped
    spec.components.schema("Problem", PROBLEM)
    for scheme, words in _schemes().items():
        spec.components.security_scheme(scheme, words)
    with warnings.catch_warnings():
        # One schema used plainly and with modifiers gets two names from our resolver; apispec warns of that by itself.
        warnings.simplefilter("ignore", UserWarning)
        for route in sorted(routes, key=lambda r: (r.path, r.method)):
            spec.path(path=path_of(route), operations={route.method.lower(): _operation(route, plugin)})
    body: dict[str, Any] = spec.to_dict()
    return body


def path_of(route: Route) -> str:
    """A path as OpenAPI writes it: ``/api/cards/{card}``."""
    return re.sub(r"<(?:[^:<>]+:)?([a-z_]+)>", r"{\1}", route.path)


def _operation(route: Route, plugin: MarshmallowPlugin) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": route.operation,
        "summary": route.summary,
        "description": f"Access: {route.access.stated()}.",
        "tags": [route.tag],
        "parameters": _parameters(route, plugin),
        "responses": _responses(route),
        "security": _security(route),
    }
    if route.takes is not None:
        media = "application/x-www-form-urlencoded" if route.form else "application/json"
        operation["requestBody"] = {"required": True, "content": {media: {"schema": route.takes}}}
    elif "call" in route.wants and route.method == "POST":
        operation["requestBody"] = {"required": True, "content": {"*/*": {"schema": {}}}}
    return operation


def _parameters(route: Route, plugin: MarshmallowPlugin) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for name in re.findall(r"\{([a-z_]+)\}", path_of(route)):
        prefix = next((p for p, variable in _ids(route) if variable == name), None)
        schema: dict[str, Any] = {"type": "string", "maxLength": 200}
        if prefix:
            schema = {"type": "string", "pattern": f"^{prefix}_[0-7][0-9a-hjkmnp-tv-z]{{25}}$"}
        found.append({"name": name, "in": "path", "required": True, "schema": schema})
    if route.query is not None:
        assert plugin.converter is not None
        found += plugin.converter.schema2parameters(route.query(), location="query")
    if route.idempotent:
        form = {"minLength": 8, "maxLength": 128, "pattern": "^[!-~]+$"}
        found.append(_header("Idempotency-Key", "One id per operation; repeat it when trying again", form))
    if route.if_match:
        found.append(_header("If-Match", "The ETag of what was read", {}))
    return found


def _security(route: Route) -> list[dict[str, list[str]]]:
    if isinstance(route.access, Anyone):
        return []
    return [{SECURITY[kind]: []} for kind in sorted(route.access.kinds) if kind in SECURITY]


def _ids(route: Route) -> list[tuple[str, str]]:
    return re.findall(r'<id\("([a-z_]+)"\):([a-z_]+)>', route.path)


def _header(name: str, description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "header", "required": True, "description": description, "schema": {"type": "string", **schema}}


def _responses(route: Route) -> dict[str, Any]:
    done: dict[str, Any] = {"description": "Done"}
    if route.gives is not None:
        done["content"] = {"application/json": {"schema": route.gives}}
    elif route.status != 204:
        kind = "object" if route.media == "application/json" else "string"
        done["content"] = {media: {"schema": {"type": kind}} for media in route.media.split(", ")}
    responses: dict[str, Any] = {str(route.status): done}
    if route.etag:
        responses["304"] = {"description": "Not changed"}
    if route.refuse is not None:
        responses["default"] = {
            "description": "A refusal, in the shape that the standard of this address prescribes",
            "content": {route.media: {}},
        }
        if "<" in route.path:
            # An address that is none is refused before it is known whose it would be.
            responses["404"] = {"description": "not_found, path_unknown", "content": {route.media: {}, problems.MEDIA: {}}}
        return responses
    codes: dict[int, list[str]] = {}
    for refusal in _refusals(route):
        codes.setdefault(refusal.status, []).append(refusal.code)
    for status, names in sorted(codes.items()):
        responses[str(status)] = {
            "description": ", ".join(sorted(set(names))),
            "content": {problems.MEDIA: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
    return responses


def _refusals(route: Route) -> list[type[CityError]]:
    found: list[type[CityError]] = [*route.errors, Throttled]
    found += [] if isinstance(route.access, Anyone) else [Denied]
    # A token that is not valid is refused on open routes too.
    found.append(Unauthenticated)
    if "<" in route.path:
        found.append(NotFound)
    if route.takes is not None or "call" in route.wants:
        found += [Malformed, Invalid, problems.TooLarge, problems.MediaUnknown]
    if route.query is not None:
        found += [Malformed, Invalid]
    if route.idempotent:
        found.append(KeyMissing)
    if route.if_match:
        found += [PreconditionNeeded, Stale]
    return found


def _schemes() -> dict[str, dict[str, Any]]:
    bearer = {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
    words = {
        "resident": "A resident's access token from POST /api/sessions",
        "staff": "A staff member's access token from POST /api/staff-sessions",
        "terminal": "A terminal's access token, and each request signed (RFC 9421) with its session key",
        "partner": "A partner system's access token",
    }
    return {name: {**bearer, "description": text} for name, text in words.items()}


class _Names:
    """Names of schemas in the document: the class's own, with its room before it where two rooms use one name."""

    def __init__(self) -> None:
        self._owners: dict[str, type] = {}

    def __call__(self, schema: Any) -> str:
        kind = schema if isinstance(schema, type) else type(schema)
        name: str = kind.__name__.removesuffix("Schema")
        if isinstance(schema, ma.Schema) and schema.partial:
            name += "Patch"
        if self._owners.setdefault(name, kind) is not kind:
            name = kind.__module__.split(".")[-2].title().replace("_", "") + name
        return name


def _attributes(self: Any, field: ma.fields.Field[Any], **_: Any) -> dict[str, Any]:
    """What apispec cannot know of our own fields."""
    if isinstance(field, (fields.Id, fields.Moment)):
        kind: str | list[str] = ["string", "null"] if field.allow_none else "string"
        found: dict[str, Any] = {"type": kind}
        if isinstance(field, fields.Id):
            found["pattern"] = f"^{field.prefix}_[0-7][0-9a-hjkmnp-tv-z]{{25}}$"
        else:
            found["format"] = "date-time"
        return found
    return {}
