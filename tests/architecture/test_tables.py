"""The database as it is installed: whose data each table holds, which city it belongs to, and that models, files and migrations agree."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine

import app
import migrations
from command.embedded import postgres
from config.settings import Settings
from core.db import Base
from migrations.tables import ours

pytestmark = pytest.mark.subset

HOUSE = Path(__file__).parents[2]
SQL_FILES = sorted(path for floor in ("core", "auth", "cards", "payments", "services") for path in (HOUSE / floor).rglob("sql/*.sql"))
COLUMNS = """
SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND a.attnum > 0 AND NOT a.attisdropped
"""
NOT_OURS = ("procrastinate_", "alembic_")
# Tables that belong to no city, each with its reason.
WITHOUT_CITY = {
    "clock_offset": "one clock for all cities of an installation",
    "revocation": "a subject names its own city; read whole by every process",
    "limit_counter": "the counter's key names the city where it matters",
    "idempotency": "a principal belongs to one city",
    "outbox_cursor": "how far a listener of the program has heard",
    "outbox_parked": "a note beside a fact that has its city",
    "seal": "one chain over the tables of all cities",
    "used_proof": "a digest of a proof, kept for minutes",
    "card_range": "numbers of an issuer, who may serve several cities",
    "code_used": "a handle belongs to one city; the row is written 1,000 times a second",
    "presented": "as code_used",
    "reversed_transfer": "the id of a transfer, which has its city, so that it is reversed once",
}
RESIDENTS = "resident_id"


@pytest.fixture(scope="module")
def columns(ground: tuple[postgres.Server, Any], template: str) -> dict[str, set[str]]:
    """Every table of ours with its columns."""
    found: dict[str, set[str]] = {}
    with psycopg.connect(ground[0].url(postgres.OWNER, template)) as connection:
        for table, column in connection.execute(COLUMNS).fetchall():
            if not table.startswith(NOT_OURS):
                found.setdefault(table, set()).add(column)
    return found


def test_every_table_of_residents_has_one_source_that_exports_and_forgets(columns: dict[str, set[str]]) -> None:
    """D20: who holds something of a resident must be able to hand it over and to forget it (PIPL articles 45 and 47)."""
    named = Counter(table for source in app.DATA_SOURCES for table in source.tables)
    holding = {table for table, names in columns.items() if RESIDENTS in names} | {"resident"}
    assert {table: count for table, count in named.items() if count > 1} == {}
    assert holding - set(named) == set(), "tables of residents that nobody exports"
    assert set(named) - set(columns) == set(), "sources name tables that do not exist"


def test_every_table_belongs_to_a_city_or_says_why_not(columns: dict[str, set[str]]) -> None:
    without = {table for table, names in columns.items() if "city_id" not in names}
    assert without == set(WITHOUT_CITY)


def test_every_table_of_residents_is_indexed_by_them(
    ground: tuple[postgres.Server, Any], template: str, columns: dict[str, set[str]]
) -> None:
    query = """
    SELECT DISTINCT t.relname FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid
    JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = ANY(i.indkey) WHERE a.attname = 'resident_id'
    """
    with psycopg.connect(ground[0].url(postgres.OWNER, template)) as connection:
        indexed = {row[0] for row in connection.execute(query).fetchall()}
    assert {table for table, names in columns.items() if RESIDENTS in names} - indexed == set()


def test_the_models_are_what_the_migrations_make(ground: tuple[postgres.Server, Any], template: str) -> None:
    engine = create_engine(ground[0].url(postgres.OWNER, template).replace("postgresql://", "postgresql+psycopg://", 1))
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "include_object": ours, "target_metadata": Base.metadata}
        )
        differences = compare_metadata(context, Base.metadata)
    engine.dispose()
    assert differences == []


def test_the_whole_history_goes_down_and_up_again(settings: Settings) -> None:
    assert settings.owner_database_url is not None
    before = shape(settings.owner_database_url)
    migrations.downgrade(settings.owner_database_url, "base")
    with psycopg.connect(settings.owner_database_url) as connection:
        left = {row[0] for row in connection.execute(COLUMNS).fetchall()} - {"alembic_version"}
        functions = connection.execute("SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace").fetchall()
    assert left == set()
    assert functions == []
    migrations.upgrade(settings.owner_database_url)
    assert shape(settings.owner_database_url) == before


def shape(url: str) -> list[Any]:
    """Everything a database is made of, as text: columns, constraints, indexes, functions, triggers and grants."""
    queries = (
        "SELECT table_name, column_name, data_type, is_nullable, column_default FROM information_schema.columns"
        " WHERE table_schema = 'public' ORDER BY 1, 2",
        "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE connamespace = 'public'::regnamespace ORDER BY 1, 2",
        "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1, 2",
        "SELECT proname, prosrc, prosecdef, proacl::text FROM pg_proc WHERE pronamespace = 'public'::regnamespace ORDER BY 1, 2",
        "SELECT tgrelid::regclass::text, tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1, 2",
        "SELECT relname, relacl::text FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'S') ORDER BY 1",
    )
    with psycopg.connect(url) as connection:
        return [connection.execute(query).fetchall() for query in queries]  # type: ignore[call-overload]


@pytest.mark.parametrize("path", SQL_FILES, ids=lambda path: path.stem)
def test_an_sql_file_its_frozen_copy_and_what_is_installed_agree(path: Path, ground: tuple[postgres.Server, Any], template: str) -> None:
    """D32: the file is what a reader sees, the copy what the migration ran, and the body what PostgreSQL executes."""
    text = path.read_text()
    assert (HOUSE / "migrations" / "sql" / path.name).read_text() == text
    names = re.findall(r"CREATE (?:OR REPLACE )?FUNCTION (\w+)\s*\(", text)
    assert names
    with psycopg.connect(ground[0].url(postgres.OWNER, template)) as connection:
        for name in names:
            row = connection.execute("SELECT prosrc FROM pg_proc WHERE proname = %s", (name,)).fetchone()
            assert row is not None, name
            assert row[0] in text, name


def test_every_frozen_copy_has_its_file() -> None:
    """An older version stays with the migration that installed it; a reader of the floor finds the one that runs."""
    frozen = {path.name for path in (HOUSE / "migrations" / "sql").glob("*.sql")} - {"procrastinate_v3_10.sql"}
    assert {name for name in frozen if later(name) not in frozen} == {path.name for path in SQL_FILES}


def later(name: str) -> str:
    """The name of the next version of a frozen copy."""
    return re.sub(r"_v(\d+)\.sql$", lambda found: f"_v{int(found[1]) + 1}.sql", name)


def test_the_application_may_change_nothing_that_only_grows(ground: tuple[postgres.Server, Any], template: str) -> None:
    """The role of the running program: what it may do with the books and the logs, whatever the code asks."""
    grows = ("transfer", "audit", "data_use", "seal", "identity_evidence", "card_event")
    with psycopg.connect(ground[0].url(postgres.OWNER, template)) as connection:
        for table in grows:
            for right in ("UPDATE", "DELETE", "TRUNCATE"):
                row = connection.execute("SELECT has_table_privilege('citycard_app', %s, %s)", (table, right)).fetchone()
                assert row == (False,), (table, right)
        # Facts that every listener has heard are cleared away; none is ever changed.
        assert connection.execute("SELECT has_table_privilege('citycard_app', 'outbox', 'UPDATE')").fetchone() == (False,)
