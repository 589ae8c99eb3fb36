"""A city of three wallets and two merchants over a database of its own, and doors into it as the application and as a superuser."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import psycopg
import pytest
from flask import Flask

from command.embedded import postgres
from core import clock, crypto, db, ids
from payments import ledger

CITY, OTHER_CITY = 990100, 990200


@dataclass
class City:
    """Where a test of the books happens; ``wallets`` hold nothing until ``give``."""

    url: str
    superuser_url: str
    flask: Flask
    bank: UUID = field(default_factory=ids.new_id)
    merchant: UUID = field(default_factory=ids.new_id)
    wallets: list[UUID] = field(default_factory=lambda: [ids.new_id() for _ in range(3)])
    elsewhere: UUID = field(default_factory=ids.new_id)

    def open(self) -> City:
        """Open the accounts, each with nothing in it."""
        with self.as_app() as app:
            rows = [(self.bank, CITY, "bank", 0), (self.merchant, CITY, "merchant", 500), (self.elsewhere, OTHER_CITY, "wallet", 0)]
            for account, city, kind, line in [*rows, *((wallet, CITY, "wallet", 0) for wallet in self.wallets)]:
                app.execute("SELECT ledger_open(%s, %s, %s, NULL, %s)", (account, city, kind, line))
        return self

    def as_app(self) -> psycopg.Connection[Any]:
        """A connection of the application's role."""
        return psycopg.connect(self.url, autocommit=True, prepare_threshold=0)

    def as_superuser(self) -> psycopg.Connection[Any]:
        """A connection of a superuser with every trigger switched off: the dishonest administrator."""
        return psycopg.connect(self.superuser_url, autocommit=True, options="-c session_replication_role=replica")

    def give(self, amount_fen: int, *wallets: UUID) -> None:
        """Put money into wallets, from the bank."""
        with self.as_app() as app:
            posted = ledger.post_on(app, [move(self.bank, wallet, amount_fen, kind="top_up") for wallet in wallets or self.wallets])
        assert all(isinstance(one, ledger.Posted) for one in posted)

    def balance(self, account: UUID) -> int:
        """What the account row says."""
        with self.as_app() as app:
            row = app.execute("SELECT balance FROM account WHERE id = %s", (account,)).fetchone()
        assert row is not None
        return int(row[0])


def move(debit: UUID, credit: UUID, amount_fen: int, *, kind: str = "charge", **given: Any) -> ledger.Transfer:
    """A transfer made now."""
    made: dict[str, Any] = {"id": ids.new_id(), "city_id": CITY, "occurred_at": clock.now(), **given}
    return ledger.Transfer(kind=kind, debit=debit, credit=credit, amount_fen=amount_fen, **made)


@pytest.fixture(scope="module")
def books(ground: tuple[postgres.Server, Any], template: str) -> Iterator[tuple[str, str, Flask]]:
    """A database for one module's tests."""
    server, _ = ground
    crypto.signing.forget()  # another database has other keys
    name = f"ledger_{uuid.uuid4().hex[:8]}"
    server.create_database(name, template=template)
    flask = Flask("ledger")
    db.init(flask, server.url(postgres.APP, name))
    yield server.url(postgres.APP, name), server.url(postgres.ADMIN, name), flask
    with flask.app_context():
        db.db.engine.dispose()
    db.drop_connection()
    server.drop_database(name)


@pytest.fixture
def city(books: tuple[str, str, Flask]) -> Iterator[City]:
    """Fresh accounts in that database."""
    clock.learn(dt.timedelta())
    made = City(*books).open()
    with made.flask.app_context():
        yield made
    db.drop_connection()
