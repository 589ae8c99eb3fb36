"""The schema's one linear history; applied by the owner's role."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine

HERE = Path(__file__).parent


def upgrade(url: str, to: str = "head") -> None:
    """Bring the database behind this owner's URL up to a revision."""
    _run(url, command.upgrade, to)


def downgrade(url: str, to: str) -> None:
    """Take the database back to a revision (``base`` for empty)."""
    _run(url, command.downgrade, to)


def head() -> str:
    """The newest revision this program knows."""
    found = ScriptDirectory.from_config(config()).get_current_head()
    assert found is not None
    return found


def current(connection: Connection) -> str | None:
    """The revision a database is at; None for an empty one."""
    return MigrationContext.configure(connection).get_current_revision()


def config(connection: Connection | None = None) -> Config:
    """Alembic's configuration, without a file."""
    made = Config(attributes={"connection": connection} if connection is not None else {})
    made.set_main_option("script_location", str(HERE))
    made.set_main_option("path_separator", "os")
    return made


def _run(url: str, step: Any, to: str) -> None:
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://", 1))
    try:
        with engine.connect() as connection:
            # Two starts at once migrate one after the other.
            connection.exec_driver_sql("SELECT pg_advisory_lock(hashtext('citycard:migrations'))")
            connection.commit()
            step(config(connection), to)
            connection.commit()
    finally:
        engine.dispose()
