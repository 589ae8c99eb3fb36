"""The card floor's part of the database: what is installed is what the files say, and a migration goes both ways."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

import migrations
from command.embedded import postgres
from config.settings import Settings

pytestmark = pytest.mark.subset

HOUSE = Path(__file__).parents[2]
FUNCTIONS = sorted(path.stem for path in (HOUSE / "cards" / "sql").glob("*.sql"))
INSTALLED = "SELECT proname, prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_file_frozen_copy_and_installed_function_are_the_same(settings: Settings, name: str) -> None:
    text = (HOUSE / "cards" / "sql" / f"{name}.sql").read_text()
    assert (HOUSE / "migrations" / "sql" / f"{name}.sql").read_text() == text
    with psycopg.connect(settings.database_url) as connection:
        installed = dict(connection.execute(INSTALLED).fetchall())
    created = [line.split("CREATE FUNCTION ")[1].split("(")[0] for line in text.splitlines() if line.startswith("CREATE FUNCTION ")]
    assert created
    for function in created:
        assert installed[function] in text


def test_the_migration_goes_down_and_up_with_cards_in_it(settings: Settings, ground: tuple[postgres.Server, object]) -> None:
    assert settings.owner_database_url is not None
    with psycopg.connect(settings.owner_database_url, autocommit=True) as connection:
        connection.execute("SELECT open_card_range_v1('99010001', '9901', 11, 1, 9)")
        migrations.downgrade(settings.owner_database_url, "0004")
        left = connection.execute("SELECT relname FROM pg_class WHERE relname ~ '^(card|pay_handle|presented|code_used)'").fetchall()
        assert left == []
        migrations.upgrade(settings.owner_database_url)
        assert connection.execute("SELECT handle FROM presented").fetchall() == [(-1,)]
