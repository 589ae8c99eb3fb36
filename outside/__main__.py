"""`python -m outside`: the one process of the sandbox's outside world, on this machine's own address only."""

from __future__ import annotations

import os
import sys

from flask import Flask
from granian import Granian
from granian.constants import Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels

from config.cities import load_all
from config.cities.people import residents
from outside.app import create_app, start_messenger
from outside.settings import CannotStart, read
from outside.utility_books import companies_of, keep_books_at_last

THREADS = 8


def application() -> Flask:
    """What the server's worker builds: the app with the demo cities' people, and its messenger."""
    people = {person.citizen_number: person.name for city in load_all() for person in residents(city)}
    app = create_app(read(os.environ), people, companies=companies_of(load_all()))
    keep_books_at_last(app, load_all())
    start_messenger(app)
    return app


def main() -> int:
    """Serve until told to stop; 2 when the settings do not let it start."""
    try:
        settings = read(os.environ)
    except CannotStart as fault:
        print(f"outside: {fault}", file=sys.stderr)
        return 2
    Granian(
        "outside.__main__:application",
        factory=True,
        interface=Interfaces.WSGI,
        address="127.0.0.1",
        port=settings.port,
        workers=1,
        blocking_threads=THREADS,
        http1_settings=HTTP1Settings(header_read_timeout=10_000),
        log_access=False,
        log_level=LogLevels.warning,
        websockets=False,
    ).serve()
    return 0


if __name__ == "__main__":
    sys.exit(main())
