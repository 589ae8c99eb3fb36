"""Declaring routes: path, who may call, what comes in, what goes out, in four lines."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import marshmallow as ma

from core.errors import CityError
from core.fields import Count, Schema, Text
from core.web.access import Access

Mode = Literal["transaction", "reads", "posts", "calls"]
Idempotent = bool | Literal["sealed"]
View = Callable[..., Any]
TAKEN = ("actor", "body", "query", "call", "once", "work_id")


@dataclass(frozen=True, slots=True)
class Route:
    """One operation of the API.

    ``form`` takes a form body instead of JSON, ``own_bearer`` leaves the Authorization header to the operation, and ``refuse`` words
    a refusal as an Answer where a standard prescribes another shape than a problem document. An ``idempotent`` route keeps its answer
    for the key, and keeps it ``"sealed"`` for the resident who asked where a copy of the database must not tell it.
    """

    method: str
    path: str
    operation: str
    access: Access
    view: View
    takes: type[Schema] | None
    query: type[Schema] | None
    gives: type[ma.Schema] | None
    mode: Mode
    idempotent: Idempotent
    status: int
    errors: tuple[type[CityError], ...]
    etag: bool
    if_match: bool
    summary: str
    tag: str
    per_minute: int
    most_bytes: int
    media: str
    form: bool
    own_bearer: bool
    refuse: Callable[[CityError], Any] | None
    wants: frozenset[str]

    def __post_init__(self) -> None:
        if self.sealed and self.mode != "transaction":
            raise TypeError(f"{self.operation}: an answer is sealed in the transaction of its work")
        if self.in_lane and (self.etag or self.query or self.media != "application/json"):
            raise TypeError(f"{self.operation}: a lane answers with whole JSON, without entity tag and pages")

    @property
    def sealed(self) -> bool:
        """Whether the kept answer is sealed."""
        return self.idempotent == "sealed"

    @property
    def in_lane(self) -> bool:
        """Whether it runs thousands of times a second and is served without the framework (``Application.lanes``)."""
        return self.mode == "posts" and self.method == "POST" and "<" not in self.path


@dataclass
class Routes:
    """The routes of one room."""

    tag: str
    all: list[Route] = field(default_factory=list)

    def get(self, path: str, **options: Any) -> Callable[[View], View]:
        """Declare a read; its default mode is ``reads``."""
        return self._declare("GET", path, {"mode": "reads", **options})

    def post(self, path: str, **options: Any) -> Callable[[View], View]:
        """Declare a write that makes something."""
        return self._declare("POST", path, options)

    def put(self, path: str, **options: Any) -> Callable[[View], View]:
        """Declare a write that sets something."""
        return self._declare("PUT", path, options)

    def patch(self, path: str, **options: Any) -> Callable[[View], View]:
        """Declare a write that changes part of something."""
        return self._declare("PATCH", path, options)

    def delete(self, path: str, **options: Any) -> Callable[[View], View]:
        """Declare a write that ends something."""
        return self._declare("DELETE", path, options)

    def _declare(
        self,
        method: str,
        path: str,
        options: dict[str, Any],
    ) -> Callable[[View], View]:
        def declare(view: View) -> View:
            self.all.append(_route(self.tag, method, path, view, **options))
            return view

        return declare


def _route(  # noqa: PLR0913  # a route has that many properties; each is named at the declaration
    tag: str,
    method: str,
    path: str,
    view: View,
    *,
    operation: str,
    access: Access,
    takes: type[Schema] | None = None,
    query: type[Schema] | None = None,
    gives: type[ma.Schema] | None = None,
    mode: Mode = "transaction",
    idempotent: Idempotent = False,
    status: int | None = None,
    errors: tuple[type[CityError], ...] = (),
    etag: bool = False,
    if_match: bool = False,
    summary: str | None = None,
    per_minute: int | None = None,
    most_bytes: int = 64 * 1024,
    media: str = "application/json",
    form: bool = False,
    own_bearer: bool = False,
    refuse: Callable[[CityError], Any] | None = None,
) -> Route:
    return Route(
        method=method,
        path=re.sub(r"<id:([a-z_]+)>", r'<id("\1"):\1>', path),
        operation=operation,
        access=access,
        view=view,
        takes=takes,
        query=query,
        gives=gives,
        mode=mode,
        idempotent=idempotent,
        status=status or (204 if gives is None and media == "application/json" else 200),
        errors=errors,
        etag=etag,
        if_match=if_match,
        summary=summary or (inspect.getdoc(view) or operation).splitlines()[0],
        tag=tag,
        per_minute=per_minute or 0,
        most_bytes=most_bytes,
        media=media,
        form=form,
        own_bearer=own_bearer,
        refuse=refuse,
        wants=_wanted(operation, view, path, takes, query),
    )


def _wanted(operation: str, view: View, path: str, takes: type[Schema] | None, query: type[Schema] | None) -> frozenset[str]:
    """What the view asks of the edge by naming it; a view that does not fit its declaration is a fault at start."""
    names = set(inspect.signature(view).parameters)
    variables = set(re.findall(r"<(?:[^:<>]+:)?([a-z_]+)>", path))
    wanted = names - variables - {"actor"}
    if unknown := wanted - set(TAKEN):
        raise TypeError(f"{operation}: no such argument of a route: {sorted(unknown)}")
    if variables - names or ("body" in names) != (takes is not None) or ("query" in names) != (query is not None):
        raise TypeError(f"{operation}: the view's arguments do not fit its declaration")
    return frozenset(wanted)


class PageQuery(Schema):
    """Where a page begins and how long it is."""

    cursor = Text(most=400, load_default=None)
    limit = Count(least=1, most=100, load_default=20)


_pages: dict[type[ma.Schema], type[ma.Schema]] = {}


def page_of(item: type[ma.Schema]) -> type[ma.Schema]:
    """The schema of a page of these: ``items`` and ``next_cursor`` (null on the last page)."""
    if item not in _pages:
        name = item.__name__.removesuffix("Out").removesuffix("Schema") + "Page"
        items = ma.fields.List(ma.fields.Nested(item), required=True)
        cursor = ma.fields.String(required=True, allow_none=True)
        _pages[item] = type(name, (Schema,), {"items": items, "next_cursor": cursor, "__doc__": f"A page of {item.__name__}."})
    return _pages[item]
