"""The four ways in which an operation meets the database, one declared on each route (D8 and docs/decisions/0002).

``transaction`` wraps the operation in one SQLAlchemy transaction; ``reads`` in a read-only one; ``posts`` opens none, because the
operation hands a command to the group poster, which commits many requests together; ``calls`` opens none either, because the
operation commits what it reserved, calls outside, and commits what came of it.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import marshmallow as ma
from flask import request
from sqlalchemy.exc import DBAPIError

from core import audit, db, idempotency
from core.actors import Actor
from core.errors import Busy, CityError, PreconditionNeeded, Stale
from core.idempotency import Kept, Once
from core.ports import Call
from core.web import hot, problems, sealing
from core.web.answering import Answer, Given, dump, etag, replay, respond
from core.web.routing import Route

TRIES = 3
# Refusals of the attempt, not of the request: the same key may be tried again.
NO_DECISION = ("request_in_progress", "idempotency_key_reused", "step_up_needed")


@dataclass(frozen=True, slots=True)
class Ready:
    """A route as it is served: its dumper made once, and the read of the thing that an If-Match change changes."""

    route: Route
    schema: ma.Schema | None
    twin: Callable[[], Route]

    fast: hot.Dumper | None = None

    def run(self, actor: Actor, arguments: dict[str, Any]) -> tuple[Any, Answer]:
        """The dumped body and the answer it came in."""
        given = self.route.view(actor, **arguments)
        if self.fast is None:
            return dump(self.schema, given)
        answer = given if isinstance(given, Answer) else Answer(given)
        return self.fast(answer.body), answer


Mode = Callable[[Ready, Actor, Call, dict[str, Any]], Given]


def _reads(ready: Ready, actor: Actor, call: Call, arguments: dict[str, Any]) -> Given:
    session = db.session()
    session.connection(execution_options={"postgresql_readonly": True})
    try:
        body, answer = ready.run(actor, arguments)
    finally:
        session.rollback()
        db.db.session.remove()
    return respond(ready.route, body, answer)


def _transaction(ready: Ready, actor: Actor, call: Call, arguments: dict[str, Any]) -> Given:
    once = sealing.veiled(ready.route, key_of(actor, call)) if ready.route.idempotent else None
    for attempt in range(1, TRIES + 1):
        try:
            return _one_transaction(ready, actor, once, dict(arguments))
        except DBAPIError as fault:
            # A deadlock or a serialisation failure did nothing: the whole transaction may simply run again.
            if state_of(fault) not in ("40P01", "40001"):
                raise
            if ready.route.if_match:
                raise Stale() from fault
            if attempt == TRIES:
                raise
    raise Busy()


def _one_transaction(ready: Ready, actor: Actor, once: Once | None, arguments: dict[str, Any]) -> Given:
    route = ready.route
    refusal: CityError | None = None
    with db.transaction() as session:
        if route.if_match:
            # A change between our reading and our writing is a serialisation failure here, and Stale to the caller.
            session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
            _check_match(ready, actor, arguments)
        if once is not None and (kept := idempotency.claim(once)) is not None:
            return replay(route, sealing.opened(route, once, kept))
        if "once" in route.wants:
            arguments["once"] = once
        try:
            with session.begin_nested() if once is not None else nullcontext():
                body, answer = ready.run(actor, arguments)
        except CityError as given:
            if once is None or not is_decision(given):
                raise
            # The refusal is the answer to this key: kept in the transaction that holds nothing else.
            refusal = given
            idempotency.keep(once, Kept(given.status, problems.document(given, audit.request_id.get(), "zh-CN")))
        else:
            if once is not None:
                idempotency.keep(once, sealing.closed(route, once, Kept(answer.status or route.status, body)))
    if refusal is not None:
        raise refusal
    return respond(route, body, answer)


def _posts(ready: Ready, actor: Actor, call: Call, arguments: dict[str, Any]) -> Given:
    if ready.route.idempotent:
        arguments["once"] = key_of(actor, call)
    return respond(ready.route, *ready.run(actor, arguments))


def _calls(ready: Ready, actor: Actor, call: Call, arguments: dict[str, Any]) -> Given:
    route = ready.route
    if not route.idempotent:
        return respond(route, *ready.run(actor, arguments))
    once = key_of(actor, call)
    work_id, kept = idempotency.claim_long(once)
    if kept is not None:
        return replay(route, kept)
    if "work_id" in route.wants:
        arguments["work_id"] = work_id
    try:
        body, answer = ready.run(actor, arguments)
    except CityError as refusal:
        if is_decision(refusal):
            with db.transaction():
                idempotency.keep(once, Kept(refusal.status, problems.document(refusal, audit.request_id.get(), "zh-CN")))
        else:
            idempotency.release(once)
        raise
    with db.transaction():
        idempotency.keep(once, Kept(answer.status or route.status, body))
    return respond(route, body, answer)


MODES: dict[str, Mode] = {"reads": _reads, "transaction": _transaction, "posts": _posts, "calls": _calls}


def key_of(actor: Actor, call: Call) -> Once:
    """The idempotency key of a request."""
    return idempotency.once(actor.id, call.headers.get("Idempotency-Key"), method=call.method, path=call.path, body=call.body)


def is_decision(refusal: CityError) -> bool:
    """Whether a refusal is the answer to the request, rather than a reason to send it again."""
    return refusal.status in (402, 403, 404, 409, 422) and refusal.code not in NO_DECISION


def state_of(fault: BaseException) -> str:
    """The SQLSTATE of a database's fault; empty where the connection itself failed."""
    return getattr(getattr(fault, "orig", fault), "sqlstate", None) or ""


def _check_match(ready: Ready, actor: Actor, arguments: dict[str, Any]) -> None:
    if not request.headers.get("If-Match"):
        raise PreconditionNeeded()
    twin = ready.twin()
    known = {name: value for name, value in arguments.items() if name not in ("body", "query", "call")}
    body, _ = dump(twin.gives() if twin.gives else None, twin.view(actor, **known))
    if not request.if_match.contains(etag(body)):
        raise Stale()
