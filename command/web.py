"""The web server: granian over the application, loaded once and then forked into workers."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

from granian import Granian
from granian.constants import Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels

from command.embedded.processes import end_with_parent
from config import logging, settings

if TYPE_CHECKING:
    from flask import Flask

KILL_SECONDS = 8
HEADER_MILLISECONDS = 10_000  # who sends a header that slowly holds a connection that others need


def application() -> Flask:
    """The application of one worker."""
    from app import create_app

    end_with_parent()
    read = settings.read()
    logging.configure(read.log_level, process="web")
    return create_app(read)


def main() -> None:
    """Serve until told to end."""
    read = settings.read()
    # Loaded before the workers are forked: each would load the same for a second. Nothing is connected by loading.
    import app  # noqa: F401  # loaded for its effect alone

    gc.freeze()  # what is loaded stays in pages that the workers share
    Granian(
        "command.web:application",
        factory=True,
        interface=Interfaces.WSGI,
        address=read.host,
        port=read.port,
        workers=read.web_workers,
        blocking_threads=read.web_threads,
        http1_settings=HTTP1Settings(header_read_timeout=HEADER_MILLISECONDS),
        respawn_failed_workers=True,
        workers_kill_timeout=KILL_SECONDS,
        websockets=False,
        log_access=False,
        log_level=LogLevels.error,
    ).serve()


if __name__ == "__main__":
    main()
