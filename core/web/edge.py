"""The edge: token → actor → limit → load → one transaction → dump, once for the whole system.

Four declared modes (D8 and docs/decisions/0002): ``transaction`` wraps the operation in one SQLAlchemy transaction; ``reads`` in a
read-only one; ``posts`` opens none, because the operation hands a command to the group poster, which commits many requests together;
``calls`` opens none either, because the operation commits what it reserved, calls outside, and commits what came of it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import marshmallow as ma
import psycopg
import structlog
from flask import Flask, Response, request
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException
from werkzeug.routing import BaseConverter, ValidationError

from core import audit, db, idempotency, ids
from core.actors import ANONYMOUS, Actor, ActorKind
from core.errors import Busy, CityError, Denied, NotFound, PreconditionNeeded, Stale, Unavailable
from core.idempotency import Kept, Once
from core.limits import Quotas
from core.ports import Authenticator, Call
from core.web import hot, problems
from core.web.routing import Route, Routes

log = structlog.get_logger("edge")
TRIES = 3
# Refusals of the attempt, not of the request: the same key may be tried again.
NO_DECISION = ("request_in_progress", "idempotency_key_reused", "step_up_needed")
# Requests a minute by kind of caller; a route may state its own.
PER_MINUTE = {
    ActorKind.ANONYMOUS: 120,
    ActorKind.RESIDENT: 600,
    ActorKind.STAFF: 1_200,
    ActorKind.TERMINAL: 60_000,
    ActorKind.PARTNER: 6_000,
    ActorKind.SYSTEM: 60_000,
}
HEADERS = (
    ("Cache-Control", "no-store"),
    ("X-Content-Type-Options", "nosniff"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
    ("Referrer-Policy", "no-referrer"),
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What an operation gives when it decides more than the body: status, headers, or that it is a repetition."""

    body: Any = None
    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    replayed: bool = False


class IdConverter(BaseConverter):
    """A shown id in a path; nonsense is simply not found."""

    def __init__(self, url_map: Any, prefix: str) -> None:
        super().__init__(url_map)
        self.prefix = prefix

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
        self._reads: dict[str, Route] = {}
        app.url_map.converters["id"] = IdConverter
        app.url_map.strict_slashes = True
        app.register_error_handler(HTTPException, _framework_refusal)
        app.register_error_handler(Exception, _own_fault)
        self.app = app

    def serve(self, rooms: Iterable[Routes]) -> None:
        """Add the routes of these rooms."""
        for room in rooms:
            for route in room.all:
                self.routes.append(route)
                if route.method == "GET":
                    self._reads[route.path] = route
                self.app.add_url_rule(
                    route.path,
                    endpoint=route.operation,
                    view_func=_Handler(self, route),
                    methods=[route.method],
                    provide_automatic_options=False,
                )

    def twin(self, route: Route) -> Route:
        """The read of the thing that a write with If-Match changes."""
        return self._reads[route.path]


class _Handler:
    """One route, prepared once: readers, dumper and mode are chosen here, not per request."""

    def __init__(self, edge: Edge, route: Route) -> None:
        self.edge, self.route = edge, route
        self.read = None if route.takes is None else (hot.derived if route.mode == "posts" else hot.by_schema)(route.takes())
        self.query = route.query() if route.query else None
        self.schema = route.gives() if route.gives else None
        self.mode: Callable[[_Handler, Actor, Call, dict[str, Any]], Response] = _MODES[route.mode]
        self.__name__ = route.operation

    def __call__(self, **path: Any) -> Response:
        request_id = ids.new_id()
        token = audit.request_id.set(request_id)
        try:
            response = self._answer(path)
        finally:
            audit.request_id.reset(token)
        response.headers["X-Request-Id"] = ids.show("req", request_id)
        for name, value in HEADERS:
            if name not in response.headers:
                response.headers[name] = value
        return response

    def _answer(self, path: dict[str, Any]) -> Response:
        actor = ANONYMOUS
        try:
            call = read_call(self.route)
            if "Authorization" in call.headers:
                actor = self.edge.authenticator.authenticate(call)
            self.route.access.check(actor)
            self._take_quota(actor, call)
            return self.mode(self, actor, call, self._arguments(call, path))
        except CityError as refusal:
            self._note(actor, refusal)
            return problems.answer(refusal, audit.request_id.get())
        except (psycopg.Error, DBAPIError, PoolTimeout) as fault:
            given = _of_database(fault)
            log.warning("database", operation=self.route.operation, fault=type(fault).__name__, code=given.code)
            return problems.answer(given, audit.request_id.get())

    def _take_quota(self, actor: Actor, call: Call) -> None:
        who = call.address if actor.kind is ActorKind.ANONYMOUS else str(actor.id)
        per_minute = self.route.per_minute or PER_MINUTE[actor.kind]
        self.edge.quotas.take(f"{who}:{self.route.operation}", per_minute=per_minute, shared=self.route.mode != "posts")

    def _arguments(self, call: Call, path: dict[str, Any]) -> dict[str, Any]:
        if self.read is not None:
            if request.mimetype != "application/json":
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

    def once(self, actor: Actor, call: Call) -> Once:
        """The idempotency key of this request."""
        return idempotency.once(actor.id, call.headers.get("Idempotency-Key"), method=call.method, path=call.path, body=call.body)

    def dump(self, given: Any) -> tuple[Any, Answer]:
        """The JSON-ready body of what an operation gave."""
        answer = given if isinstance(given, Answer) else Answer(given)
        return (answer.body if self.schema is None else self.schema.dump(answer.body)), answer

    def respond(self, body: Any, answer: Answer) -> Response:
        """The response for a dumped body."""
        route, status = self.route, answer.status or self.route.status
        data = b"" if status == 204 else _bytes(body)
        response = Response(data, status=status, mimetype=None if status == 204 else route.media)
        for name, value in answer.headers.items():
            response.headers[name] = value
        if answer.replayed:
            response.headers["Idempotency-Replayed"] = "true"
        if isinstance(body, dict) and body.get("next_cursor"):
            response.headers["Link"] = f'<{_with_cursor(body["next_cursor"])}>; rel="next"'
        if route.etag:
            response.set_etag(_etag(body))
            response.make_conditional(request)
        return response


def _reads(handler: _Handler, actor: Actor, call: Call, arguments: dict[str, Any]) -> Response:
    session = db.session()
    session.connection(execution_options={"postgresql_readonly": True})
    try:
        body, answer = handler.dump(handler.route.view(actor, **arguments))
    finally:
        session.rollback()
        db.db.session.remove()
    return handler.respond(body, answer)


def _transaction(handler: _Handler, actor: Actor, call: Call, arguments: dict[str, Any]) -> Response:
    once = handler.once(actor, call) if handler.route.idempotent else None
    for attempt in range(1, TRIES + 1):
        try:
            return _one_transaction(handler, actor, once, arguments)
        except DBAPIError as fault:
            # A deadlock or a serialisation failure did nothing: the whole transaction may simply run again.
            if _state(fault) not in ("40P01", "40001") or attempt == TRIES:
                raise
            if handler.route.if_match and attempt == TRIES - 1:
                raise Stale() from fault
    raise Busy()


def _one_transaction(handler: _Handler, actor: Actor, once: Once | None, arguments: dict[str, Any]) -> Response:
    route = handler.route
    refusal: CityError | None = None
    with db.transaction() as session:
        if route.if_match:
            session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
            _check_match(handler.edge, route, actor, arguments)
        if once is not None and (kept := idempotency.claim(once)) is not None:
            return _replay(handler, kept)
        if "once" in route.wants:
            arguments["once"] = once
        try:
            with session.begin_nested() if once is not None else nullcontext():
                body, answer = handler.dump(route.view(actor, **arguments))
        except CityError as given:
            if once is None or not _is_decision(given):
                raise
            # The refusal is the answer to this key: kept in the transaction that holds nothing else.
            refusal = given
            idempotency.keep(once, Kept(given.status, problems.document(given, audit.request_id.get(), "zh-CN")))
        else:
            if once is not None:
                idempotency.keep(once, Kept(answer.status or route.status, body))
    if refusal is not None:
        raise refusal
    return handler.respond(body, answer)


def _posts(handler: _Handler, actor: Actor, call: Call, arguments: dict[str, Any]) -> Response:
    if handler.route.idempotent:
        arguments["once"] = handler.once(actor, call)
    body, answer = handler.dump(handler.route.view(actor, **arguments))
    return handler.respond(body, answer)


def _calls(handler: _Handler, actor: Actor, call: Call, arguments: dict[str, Any]) -> Response:
    if not handler.route.idempotent:
        return handler.respond(*handler.dump(handler.route.view(actor, **arguments)))
    once = handler.once(actor, call)
    work_id, kept = idempotency.claim_long(once)
    if kept is not None:
        return _replay(handler, kept)
    if "work_id" in handler.route.wants:
        arguments["work_id"] = work_id
    try:
        body, answer = handler.dump(handler.route.view(actor, **arguments))
    except CityError as refusal:
        if _is_decision(refusal):
            with db.transaction():
                idempotency.keep(once, Kept(refusal.status, problems.document(refusal, audit.request_id.get(), "zh-CN")))
        else:
            idempotency.release(once)
        raise
    with db.transaction():
        idempotency.keep(once, Kept(answer.status or handler.route.status, body))
    return handler.respond(body, answer)


_MODES = {"reads": _reads, "transaction": _transaction, "posts": _posts, "calls": _calls}


def read_call(route: Route) -> Call:
    """The request as a value; raises TooLarge beyond the route's limit."""
    if (request.content_length or 0) > route.most_bytes:
        raise problems.TooLarge()
    request.max_content_length = route.most_bytes
    return Call(
        method=request.method,
        path=request.path,
        query=request.query_string.decode("latin-1"),
        headers=request.headers,  # type: ignore[arg-type]  # werkzeug's Headers reads like a mapping, without regard to case
        body=request.get_data(cache=True),
        address=request.remote_addr or "",
    )


def _replay(handler: _Handler, kept: Kept) -> Response:
    """The first answer again, refusals included."""
    if kept.status < 400:
        return handler.respond(kept.body, Answer(status=kept.status, replayed=True))
    body = dict(kept.body or {})
    body["title"] = body.get("messages", {}).get(problems.language(), body.get("title"))
    response = Response(problems.encode(body), status=kept.status, mimetype=problems.MEDIA)
    response.headers["Idempotency-Replayed"] = "true"
    return response


def _is_decision(refusal: CityError) -> bool:
    """Whether a refusal is the answer to the request, rather than a reason to send it again."""
    return refusal.status in (402, 403, 404, 409, 422) and refusal.code not in NO_DECISION


def _check_match(edge: Edge, route: Route, actor: Actor, arguments: dict[str, Any]) -> None:
    wanted = request.headers.get("If-Match")
    if not wanted:
        raise PreconditionNeeded()
    twin = edge.twin(route)
    schema = twin.gives() if twin.gives else ma.Schema()
    known = {name: value for name, value in arguments.items() if name not in ("body", "query", "call")}
    if not request.if_match.contains(_etag(schema.dump(twin.view(actor, **known)))):
        raise Stale()


def _etag(body: Any) -> str:
    return hashlib.sha256(_bytes(body)).hexdigest()[:32]


def _bytes(body: Any) -> bytes:
    if isinstance(body, str):
        return body.encode()
    return body if isinstance(body, bytes) else problems.encode(body)


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


def _with_cursor(cursor: str) -> str:
    kept = [(name, value) for name, values in request.args.lists() for value in values if name != "cursor"]
    return f"{request.path}?{urlencode([*kept, ('cursor', cursor)])}"


def _state(fault: BaseException) -> str:
    origin = getattr(fault, "orig", fault)
    return getattr(origin, "sqlstate", None) or ""


def _of_database(fault: BaseException) -> CityError:
    """A refusal for a database that failed: busy for a lock or a limit of time, unavailable for a lost connection."""
    state = _state(fault)
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
    for name, value in (*headers.items(), *HEADERS):
        response.headers.setdefault(name, value)
    return response


def _own_fault(fault: Exception) -> Response:
    log.error("own_fault", fault=type(fault).__name__, exc_info=fault)
    return problems.answer(CityError(), audit.request_id.get())
