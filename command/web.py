"""What the web server loads: the application over the settings of its process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from command.embedded.processes import end_with_parent
from config import logging, settings

if TYPE_CHECKING:
    from flask import Flask


def application() -> Flask:
    """The application of one web process."""
    from app import create_app

    end_with_parent()
    read = settings.read()
    logging.configure(read.log_level, process="web")
    return create_app(read)
