"""The program for the length of one command."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from config.settings import Settings
from core import db


@contextmanager
def program(settings: Settings) -> Iterator[None]:
    """An application context over these settings; every connection it opened is closed at the end."""
    from app import create_app  # loading every floor takes half a second, which a command that has nothing to do saves

    with create_app(settings).app_context():
        try:
            yield
        finally:
            db.db.session.remove()
            db.db.engine.dispose()
            db.drop_connection()
