"""How alembic meets the database: one connection of the owner's role, handed in by ``citycard db`` or by a test."""

from __future__ import annotations

from alembic import context
from sqlalchemy import create_engine

from core.db import Base
from migrations.tables import ours

config = context.config


def run() -> None:
    """Migrate over the given connection, or over one made from ``sqlalchemy.url``."""
    connection = config.attributes.get("connection")
    if connection is None:
        with create_engine(config.get_main_option("sqlalchemy.url") or "").connect() as own:
            migrate(own)
    else:
        migrate(connection)


def migrate(connection) -> None:  # type: ignore[no-untyped-def]  # alembic's own type of connection
    """Run the wanted migrations in one transaction each."""
    context.configure(
        connection=connection, target_metadata=Base.metadata, compare_type=True, include_object=ours, transaction_per_migration=True
    )
    with context.begin_transaction():
        context.run_migrations()


run()
