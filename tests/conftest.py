"""The ground every test stands on: one private PostgreSQL and Valkey, one migrated template, and two ways into it."""

from __future__ import annotations

import os
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import create_engine

import migrations
from command.embedded import postgres, valkey
from config.settings import Settings, read
from core import clock, crypto, db, pulse, revocation

TEMPLATE = "citycard_template"


@pytest.fixture(scope="session")
def ground() -> Iterator[tuple[postgres.Server, valkey.Server]]:
    """Private servers for this test process, gone afterwards; or those a developer keeps running (CITYCARD_TEST_GROUND)."""
    kept = os.environ.get("CITYCARD_TEST_GROUND")
    with tempfile.TemporaryDirectory(prefix="citycard-test-") as folder:
        home = Path(kept or folder)
        settings = None if kept else {"fsync": "off"}
        with postgres.running(home / "pg", settings=settings) as database, valkey.running(home / "vk") as cache:
            yield database, cache


@pytest.fixture(scope="session")
def playwright() -> Iterator[Any]:
    """Playwright, once for all tests of pages in this process: it refuses to be started twice."""
    found = pytest.importorskip("playwright.sync_api", reason="the pages are tested with playwright and Chromium")
    with found.sync_playwright() as started:
        yield started


@pytest.fixture(scope="session")
def template(ground: tuple[postgres.Server, valkey.Server]) -> str:
    """A database with every migration applied, to be copied."""
    database, _ = ground
    database.drop_database(TEMPLATE)
    database.create_database(TEMPLATE)
    migrations.upgrade(database.url(postgres.OWNER, TEMPLATE))
    return TEMPLATE


def settings_for(database: postgres.Server, cache: valkey.Server, name: str, folder: Path, **given: str) -> Settings:
    """Settings of a test installation over this database."""
    return read(
        {
            "CITYCARD_ENVIRONMENT": "test",
            "CITYCARD_PUBLIC_URL": "http://localhost:8080",
            "CITYCARD_DATABASE_URL": database.url(postgres.APP, name),
            "CITYCARD_OWNER_DATABASE_URL": database.url(postgres.OWNER, name),
            "CITYCARD_REDIS_URL": cache.url,
            "CITYCARD_ROOT_KEY": bytes(range(32)).hex(),
            "CITYCARD_DATA_DIR": str(folder),
            "CITYCARD_CITIES": "yunchuan,linhu",
            "CITYCARD_OUTSIDE_URL": "http://127.0.0.1:9",
            **{f"CITYCARD_{name}": "sandbox" for name in ("SMS", "POLICE", "FACE", "PAYMENT")},
            **given,
        }
    )


@pytest.fixture
def settings(ground: tuple[postgres.Server, valkey.Server], template: str, tmp_path: Path) -> Iterator[Settings]:
    """Settings over a database of this test alone, copied from the template: for HTTP and race tests."""
    database, cache = ground
    name = f"test_{uuid.uuid4().hex[:12]}"
    database.create_database(name, template=template)
    yield settings_for(database, cache, name, tmp_path)
    database.drop_database(name)


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    """The program over that database, with a clock that starts right."""
    from app import create_app

    _forget()
    made = create_app(settings)
    yield made
    with made.app_context():
        db.db.engine.dispose()
    db.drop_connection()
    _forget()


@pytest.fixture(scope="session")
def shared_app(ground: tuple[postgres.Server, valkey.Server], template: str, tmp_path_factory: Any) -> Iterator[Flask]:
    """The program over one database that tests with rollback share."""
    from app import create_app

    database, cache = ground
    database.drop_database("test_shared")
    database.create_database("test_shared", template=template)
    made = create_app(settings_for(database, cache, "test_shared", tmp_path_factory.mktemp("shared")))
    yield made
    with made.app_context():
        db.db.engine.dispose()


@pytest.fixture(scope="session")
def demo_settings(ground: tuple[postgres.Server, valkey.Server], template: str, tmp_path_factory: Any) -> Iterator[Settings]:
    """Settings over a database in which the people of both demo cities live; whoever changes it tells the others."""
    from command.seeding import seed

    database, cache = ground
    database.create_database("test_demo", template=template)
    settings = settings_for(database, cache, "test_demo", tmp_path_factory.mktemp("demo"))
    seed(settings)
    yield settings
    db.drop_connection()


@pytest.fixture
def rollback(shared_app: Flask) -> Iterator[Flask]:
    """An application context in which everything, hot paths included, is rolled back at the end."""
    _forget()
    with shared_app.app_context():
        engine = create_engine(shared_app.config["SQLALCHEMY_DATABASE_URI"])
        with engine.connect() as connection, connection.begin() as outer:
            with db.pinned(connection):
                yield shared_app
            outer.rollback()
        engine.dispose()
    _forget()


def _forget() -> None:
    clock.learn(clock.offset() * 0)
    revocation.forget()
    pulse.forget()
    crypto.signing.forget()  # another database has other keys
