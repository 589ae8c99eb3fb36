"""The edge: token → actor → limit → load → one transaction → dump, once for the whole system."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import marshmallow as ma
import psycopg
import structlog
from flask import Flask, Response, request
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException
from werkzeug.http import parse_options_header
from werkzeug.routing import BaseConverter, ValidationError

from core import audit, db, ids, pulse
from core.actors import ANONYMOUS, Actor, ActorKind
from core.errors import Busy, CityError, Denied, NotFound, Unavailable
from core.limits import Quotas
from core.ports import Authenticator, Call
from core.web import current, hot, problems
from core.web.answering import Given, respond
from core.web.application import Application
from core.web.modes import MODES, Ready, state_of
from core.web.routing import Route, Routes
from core.web.wire import read_call

log = structlog.get_logger("edge")
# Requests a minute by kind of caller; a route may state its own.
PER_MINUTE = {
    ActorKind.ANONYMOUS: 120,
    ActorKind.RESIDENT: 600,
    ActorKind.STAFF: 1_200,
    ActorKind.TERMINAL: 60_000,
    ActorKind.PARTNER: 6_000,
    ActorKind.SYSTEM: 60_000,
}
FORM = "application/x-www-form-urlencoded"
# Whatever depends on the time; that a process is alive does not, and is told without the database.
TIMED = ("/api/", "/oauth2", "/healthz/ready")


class IdConverter(BaseConverter):
    """A shown id in a path; nonsense is simply not found."""

    def __init__(self, url_map: Any, prefix: str) -> None:
        super().__init__(url_map)
        self.prefix = prefix
        # Told by form already, so that nonsense is the same 404 for every method; a refusal in to_python could end as a 405.
        self.regex = f"{prefix}_[0-7][0-9a-hjkmnp-tv-zA-HJKMNP-TV-Z]{{25}}"

    def to_python(self, value: str) -> Any:
        try:
            return ids.parse(self.prefix, value)
        except NotFound as fault:
            raise ValidationError() from fault

    def to_url(self, value: Any) -> str:
        return ids.show(self.prefix, value)


class Edge:
    """Serves declared routes over Flask."""

    def __init__(self, app: Flask, *, authenticator: Authenticator, quotas: Quotas) -> None:
        self.authenticator, self.quotas = authenticator, quotas
        self.routes: list[Route] = []
        self.reads: dict[str, Route] = {}
        app.url_map.converters["id"] = IdConverter
        app.url_map.strict_slashes = True
        app.url_map.merge_slashes = False
        app.register_error_handler(HTTPException, _framework_refusal)
        app.register_error_handler(Exception, _own_fault)
        self.app = app

    def serve(self, rooms: Iterable[Routes]) -> None:
        """Add the routes of these rooms."""
        for room in rooms:
            for route in room.all:
                self.routes.append(route)
                if route.method == "GET":
                    self.reads[route.path] = route
                handler = _Handler(self, route)
                if route.in_lane and isinstance(self.app, Application):
                    self.app.lanes["POST", route.path] = handler.alone
                self.app.add_url_rule(
                    route.path,
                    endpoint=route.operation,
                    view_func=handler,
                    methods=[route.method],
                    provide_automatic_options=False,
                )


class _Handler:
    """One route, prepared once: readers, dumper and mode are chosen here, not per request."""

    def __init__(self, edge: Edge, route: Route) -> None:
        self.edge, self.route = edge, route
        self.read = None if route.takes is None else reader(route, route.takes())
        self.query = route.query() if route.query else None
        schema = route.gives() if route.gives else None
        fast = hot.dumper(schema) if schema is not None and route.mode == "posts" else None
        self.ready = Ready(route, schema, lambda: edge.reads[route.path], fast)
        self.mode = MODES[route.mode]
        self.__name__ = route.operation

    def __call__(self, **path: Any) -> Given:
        return self.serve(request.environ, path)

    def serve(self, environ: dict[str, Any], path: dict[str, Any]) -> Given:
        """Answer the request in this environment."""
        here, named = current.environ.set(environ), audit.request_id.set(ids.new_id())
        try:
            return self._answer(path)
        finally:
            audit.request_id.reset(named)
            current.environ.reset(here)

    def alone(self, environ: dict[str, Any]) -> Given:
        """Answer a request that came by the lane: nothing of the framework is around to catch a fault of ours."""
        try:
            return self.serve(environ, {})
        except Exception as fault:  # noqa: BLE001  # whatever it is, the caller gets the answer that Flask's handler would give
            return _own_fault(fault)

    def _answer(self, path: dict[str, Any]) -> Given:
        actor = ANONYMOUS
        try:
            call = read_call(current.environ.get(), self.route.most_bytes)
            if "Authorization" in call.headers and not self.route.own_bearer:
                actor = self.edge.authenticator.authenticate(call)
            elif self.route.path.startswith(TIMED):
                # Who is nobody yet begins or renews a session, which is written with this process's time; a token was checked with it.
                pulse.beat()
            self.route.access.check(actor)
            self._take_quota(actor, call)
            return self.mode(self.ready, actor, call, self._arguments(call, path))
        except CityError as refusal:
            self._note(actor, refusal)
            return self._refusal(refusal)
        except (psycopg.Error, DBAPIError, PoolTimeout) as fault:
            given = _of_database(fault)
            log.warning("database", operation=self.route.operation, fault=type(fault).__name__, code=given.code)
            return self._refusal(given)

    def _refusal(self, refusal: CityError) -> Given:
        """A refusal on the wire: a problem document, or the shape that the route's standard prescribes (RFC 6749 section 5.2, a page)."""
        if self.route.refuse is None:
            return problems.answer(refusal, audit.request_id.get())
        given = self.route.refuse(refusal)
        return respond(self.route, given.body, given)

    def _take_quota(self, actor: Actor, call: Call) -> None:
        who = call.address if actor.kind is ActorKind.ANONYMOUS else actor.id
        per_minute = self.route.per_minute or PER_MINUTE[actor.kind]
        self.edge.quotas.take((who, self.route.operation), per_minute=per_minute, shared=self.route.mode != "posts")

    def _arguments(self, call: Call, path: dict[str, Any]) -> dict[str, Any]:
        if self.read is not None:
            wanted = FORM if self.route.form else "application/json"
            sent = current.environ.get().get("CONTENT_TYPE") or ""
            if sent != wanted and parse_options_header(sent)[0].lower() != wanted:
                raise problems.MediaUnknown()
            path["body"] = self.read(call.body)
        if self.query is not None:
            path["query"] = hot.load(self.query, _query(self.query))
        if "call" in self.route.wants:
            path["call"] = call
        return path

    def _note(self, actor: Actor, refusal: CityError) -> None:
        """Write the audit line of a refusal where somebody known was refused something."""
        route = self.route
        worth = isinstance(refusal, Denied) or (route.method != "GET" and refusal.status in (402, 404, 409, 412))
        if actor.kind is ActorKind.ANONYMOUS or not worth or route.mode == "posts" or refusal.replayed:
            return
        try:
            audit.refused(actor, operation=route.operation, code=refusal.code)
        except psycopg.OperationalError:
            db.drop_connection()
            log.error("audit_lost", operation=route.operation, code=refusal.code)


def reader(route: Route, schema: ma.Schema) -> hot.Reader:
    """How the bodies of a route are read."""
    if route.form:
        return hot.by_form(schema)
    return hot.derived(schema) if route.mode == "posts" else hot.by_schema(schema)


def _query(schema: ma.Schema) -> dict[str, Any]:
    """Query parameters as plain data: whole numbers where the schema wants them; a repeated parameter is refused."""
    plain: dict[str, Any] = {}
    for name, values in request.args.lists():
        wanted = schema.fields.get(name)
        value = values[0]
        if isinstance(wanted, ma.fields.List) or len(values) > 1:
            plain[name] = values
        elif isinstance(wanted, ma.fields.Integer) and value.lstrip("-").isdecimal() and value.isascii() and len(value) < 16:
            plain[name] = int(value)
        elif isinstance(wanted, ma.fields.Boolean) and value in ("true", "false"):
            plain[name] = value == "true"
        else:
            plain[name] = value
    return plain


def _of_database(fault: BaseException) -> CityError:
    """A refusal for a database that failed: busy for a lock or a limit of time, unavailable for a lost connection."""
    state = state_of(fault)
    if isinstance(fault, PoolTimeout) or state in ("55P03", "57014", "40P01", "40001", "53300"):
        return Busy()
    if state.startswith(("08", "57", "53")) or not state:
        db.drop_connection()
        return Unavailable()
    log.error("database_refused", state=state, fault=type(fault).__name__, exc_info=fault)
    return CityError()


def _framework_refusal(fault: HTTPException) -> Response:
    refusal, headers = problems.of_http(fault)
    response = problems.answer(refusal, None)
    for name, value in headers.items():
        response.headers.setdefault(name, value)
    return response


def _own_fault(fault: Exception) -> Response:
    log.error("own_fault", fault=type(fault).__name__, exc_info=fault)
    return problems.answer(CityError(), audit.request_id.get())
