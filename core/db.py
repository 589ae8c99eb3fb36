"""The one door to PostgreSQL: sessions for ordinary work, plain connections for the hot paths, and the only commit.

Three ways in, all as the application's role:

* ``session()``: the SQLAlchemy session of the current request or job.
* ``transaction()``: one transaction of its own, for jobs, commands and routes that call outside in between.
* ``connection()``: this thread's autocommitting psycopg connection with prepared, binary statements. One statement is one
  transaction, so no commit is written there either.
"""

from __future__ import annotations

import datetime as dt
import os
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

import psycopg
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from flask_sqlalchemy.session import Session as FlaskSession
from sqlalchemy import BigInteger, Connection, LargeBinary, MetaData, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TEXT, TIMESTAMP, UUID
from sqlalchemy.orm import DeclarativeBase, Session

NAMING = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}

# A statement, a lock or an idle transaction that outlives these holds up a queue of residents: better one refusal than all.
SERVER_OPTIONS = (
    "-c statement_timeout=8000 -c lock_timeout=3000 -c idle_in_transaction_session_timeout=15000 -c timezone=UTC -c plan_cache_mode=auto"
)


class Base(DeclarativeBase):
    """Parent of every table; columns and constraints only."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        dict[str, Any]: JSONB,
        dict[str, object]: JSONB,
        list[str]: ARRAY(TEXT),
        str: TEXT,
        int: BigInteger,
        bytes: LargeBinary,
        uuid.UUID: UUID(as_uuid=True),
        dt.datetime: TIMESTAMP(timezone=True),
    }


class _Session(FlaskSession):
    """The session of Flask-SQLAlchemy, bound to one given connection where a test that rolls back pinned it."""

    def get_bind(self, mapper: Any = None, clause: Any = None, bind: Any = None, **options: Any) -> Any:
        if _pin.connection is not None:
            return _pin.connection
        return db.engine


class _Pin:
    connection: Connection | None = None


_pin = _Pin()
db = SQLAlchemy(metadata=Base.metadata, session_options={"class_": _Session})
_url = ""
_local = threading.local()


def init(app: Flask, url: str, *, pool_size: int = 10) -> None:
    """Give the program its database; ``url`` is a libpq URL of the application's role."""
    global _url
    _url = url
    app.config["SQLALCHEMY_DATABASE_URI"] = url.replace("postgresql://", "postgresql+psycopg://", 1)
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = {
        "pool_size": pool_size,
        "max_overflow": 0,  # a request holds one of them at most
        "pool_pre_ping": True,
        "pool_timeout": 5,
        # No value of a statement in an exception's text: it could be somebody's name in a log.
        "hide_parameters": True,
        "connect_args": {"options": SERVER_OPTIONS, "prepare_threshold": 3, "connect_timeout": 5},
    }
    db.init_app(app)


def session() -> Session:
    """The session of the current request or job; raises RuntimeError outside an application context."""
    return db.session()


def in_transaction() -> bool:
    """Whether the current session holds an open transaction: nobody calls outside while this is true."""
    return db.session.registry.has() and db.session().in_transaction()


@contextmanager
def unhurried(*, at_most: dt.timedelta | None = None) -> Iterator[Session]:
    """A transaction whose statements may run as long as given, or without any limit: for what reads whole books and changes nothing.

    Planned for the values at hand, because a plan for any value would read every month where a few are asked for.
    """
    with transaction() as current:
        let_run(at_most)
        yield current


def let_run(at_most: dt.timedelta | None = None) -> None:
    """Lift the time limit of statements for the rest of the current transaction: to the time given, or altogether."""
    milliseconds = int(at_most.total_seconds() * 1000) if at_most is not None else 0
    wanted = text("SELECT set_config('statement_timeout', :limit, true), set_config('plan_cache_mode', 'force_custom_plan', true)")
    session().execute(wanted, {"limit": str(milliseconds)})


@contextmanager
def transaction() -> Iterator[Session]:
    """One transaction from here to the end of the block: committed if the block ends, rolled back if it raises."""
    current = db.session()
    if current.in_transaction() and _pin.connection is None:
        raise RuntimeError("a transaction is open already: one request or job has one at a time")
    try:
        yield current
        current.flush()
        _before_commit(current)
        current.commit()
    except BaseException:
        current.rollback()
        raise
    finally:
        db.session.remove()


def _before_commit(current: Session) -> None:
    """A place for what must hold at every commit; the database holds its own constraints."""
    if current.new or current.dirty:
        raise RuntimeError("unflushed changes at commit")


def private_connection(**options: Any) -> psycopg.Connection[Any]:
    """A connection for one owner alone (the group poster, the worker's loops): autocommit, prepared at first use."""
    return psycopg.connect(_url, autocommit=True, prepare_threshold=0, options=SERVER_OPTIONS, connect_timeout=5, **options)


def connection() -> psycopg.Connection[Any]:
    """This thread's own autocommit connection; made anew when it broke. Pinned tests get the session's connection."""
    if _pin.connection is not None:
        return raw(_pin.connection)
    held: _Held | None = getattr(_local, "held", None)
    if held is None or held.connection.closed or held.connection.broken:
        held = _local.held = _Held(private_connection())
    return held.connection


class _Held:
    """A thread's connection, closed when the thread is gone and nobody can use it any more."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self.connection, self._process = connection, os.getpid()

    def __del__(self) -> None:
        # A forked child that lets go of its parent's connection must not end it on the server.
        if self._process == os.getpid():
            self.connection.close()


def drop_connection() -> None:
    """Forget this thread's connection after it failed; the next use makes a new one."""
    held: _Held | None = getattr(_local, "held", None)
    _local.held = None
    if held is not None:
        held.connection.close()


def raw(connection: Connection) -> psycopg.Connection[Any]:
    """The psycopg connection under a SQLAlchemy one: for functions called with arrays inside the same transaction."""
    driver: psycopg.Connection[Any] = connection.connection.driver_connection  # type: ignore[assignment]  # SQLAlchemy types it Any|None
    return driver


def pinned_connection() -> psycopg.Connection[Any] | None:
    """The connection that a test which rolls back pinned, for whoever would otherwise use one of its own."""
    return None if _pin.connection is None else raw(_pin.connection)


@contextmanager
def pinned(connection: Connection) -> Iterator[None]:
    """Let every session and hot path use this one connection, so that a test can roll all of it back."""
    _pin.connection = connection
    db.session.remove()
    db.session.configure(join_transaction_mode="create_savepoint")
    try:
        yield
    finally:
        db.session.remove()
        db.session.configure(join_transaction_mode="conditional_savepoint")
        _pin.connection = None
