"""Statements of the hot paths: prepared once per connection, run with parameters that are bytes already.

psycopg's cursors ask every parameter for its type and build a row factory for every answer; on a path that runs thousands of times a
second that costs more than the statement's own way to the server. This is libpq's ``PQexecPrepared`` and nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from weakref import WeakKeyDictionary

import psycopg
from psycopg.pq import ExecStatus, Format, TransactionStatus

Row = tuple[bytes | None, ...]


class Prepared:
    """One statement under one name; ``binary`` says that its parameters come in PostgreSQL's binary format. Answers are text."""

    def __init__(self, name: str, sql: str, *, binary: bool = False) -> None:
        self.name, self.sql = name.encode(), sql.encode()
        self.format = Format.BINARY if binary else Format.TEXT
        self._known: WeakKeyDictionary[psycopg.Connection[Any], bool] = WeakKeyDictionary()

    def run(self, connection: psycopg.Connection[Any], parameters: Sequence[bytes]) -> list[Row]:
        """The rows of the answer; raises what psycopg would raise."""
        pgconn = connection.pgconn
        if not connection.autocommit and connection.info.transaction_status == TransactionStatus.IDLE:
            # psycopg begins a transaction with the first statement of its own: without one, ours would be committed alone.
            connection.execute("SELECT 1")
        formats = [self.format] * len(parameters)
        if connection.autocommit:
            if connection not in self._known:
                self._check(pgconn.prepare(self.name, self.sql))
                self._known[connection] = True
            result = pgconn.exec_prepared(self.name, parameters, formats, Format.TEXT)
        else:
            # After a rollback psycopg sends DEALLOCATE ALL, so a name does not outlive a transaction that failed.
            result = pgconn.exec_params(self.sql, parameters, None, formats, Format.TEXT)
        if result.status != ExecStatus.TUPLES_OK:
            self._check(result)
        columns = range(result.nfields)
        return [tuple([result.get_value(row, column) for column in columns]) for row in range(result.ntuples)]

    def _check(self, result: Any) -> None:
        if result.status not in (ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK):
            fault = psycopg.errors.error_from_result(result)
            if fault.sqlstate is None:
                # Not the server's word: the connection broke, and psycopg's own cursors call that operational.
                raise psycopg.OperationalError(str(fault))
            raise fault
