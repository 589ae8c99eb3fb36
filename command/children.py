"""The three processes of a run: web, worker, and `outside`, each with only the variables it needs."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

from command.home import CHILD_MARK, Home
from command.supervisor import Child
from config.settings import Settings

# Only migrations and the demo's clock act as the owner of the tables; the outside world's database is its own.
NOT_FOR_THE_APPLICATION = ("CITYCARD_OWNER_DATABASE_URL", "CITYCARD_OUTSIDE_DATABASE_URL")


def web(home: Home, environment: Mapping[str, str]) -> Child:
    """granian with its workers and threads."""
    return Child("web", [sys.executable, "-m", "command.web"], _for_the_application(home, environment), home.logs / "web.log")


def worker(home: Home, environment: Mapping[str, str]) -> Child:
    """The process of timed jobs, outbox and sealer."""
    command = [sys.executable, "-m", "command", "worker"]
    return Child("worker", command, _for_the_application(home, environment), home.logs / "worker.log")


def outside(home: Home, read: Settings, port: int, trust: Mapping[str, str] | None = None) -> Child:
    """The process that plays agencies, SMS, police and payment provider; it knows nothing of the platform's secrets;
    `trust` is what makes it believe the platform's certificate in LAN mode."""
    environment = {
        **bare(home),
        **(trust or {}),
        "CITYCARD_OUTSIDE_DATABASE_URL": read.outside_database_url or "",
        "CITYCARD_OUTSIDE_DATA": str(home.folder / "outside"),
        "CITYCARD_OUTSIDE_PORT": str(port),
        "CITYCARD_OUTSIDE_URL": read.outside_public_url or read.outside_url or "",
        "CITYCARD_PLATFORM_URL": read.public_url,
    }
    return Child("outside", [sys.executable, "-m", "outside"], environment, home.logs / "outside.log")


def pages(home: Home) -> Child:
    """The build of the pages, which ends by itself; it needs to know nothing but where to say how far it is."""
    command = ["nice", "-n", "5", sys.executable, "-m", "command", "pages"]
    return Child("pages", command, {**bare(home), "CITYCARD_DATA_DIR": str(home.folder)}, home.logs / "pages.log", once=True)


def _for_the_application(home: Home, environment: Mapping[str, str]) -> dict[str, str]:
    ours = {name: value for name, value in environment.items() if name.startswith("CITYCARD_") and name not in NOT_FOR_THE_APPLICATION}
    return {**bare(home), **ours}


def bare(home: Home) -> dict[str, str]:
    """The variables of this process without any that say where data are."""
    rest = {name: value for name, value in os.environ.items() if not name.startswith(("CITYCARD_", "PG", "GRANIAN_"))}
    return {**rest, CHILD_MARK: str(home.folder), "PYTHONUNBUFFERED": "1"}
