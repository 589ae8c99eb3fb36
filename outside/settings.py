"""What the process is told by its environment; whatever is missing is a refusal to start, never a default."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_ORIGIN = re.compile(r"https?://([A-Za-z0-9.-]+|\[[0-9a-f:]+\])(:[0-9]{1,5})?/?")


class CannotStart(Exception):
    """The settings do not let this process start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """`platform_url` is the only place that notices are ever sent to."""

    database_url: str
    data: Path
    port: int
    platform_url: str
    url: str


def read(environ: Mapping[str, str]) -> Settings:
    """Read CITYCARD_OUTSIDE_* and CITYCARD_PLATFORM_URL; raises CannotStart naming every fault at once."""
    if environ.get("CITYCARD_ENVIRONMENT") == "production":
        raise CannotStart("`outside` is a sandbox and refuses to start in production (CITYCARD_ENVIRONMENT=production)")
    wanted = {
        name: environ.get(name, "")
        for name in ("CITYCARD_OUTSIDE_DATABASE_URL", "CITYCARD_OUTSIDE_PORT", "CITYCARD_OUTSIDE_DATA", "CITYCARD_PLATFORM_URL")
    }
    faults = [f"{name} is missing" for name, value in wanted.items() if not value]
    port = wanted["CITYCARD_OUTSIDE_PORT"]
    if port and not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        faults.append("CITYCARD_OUTSIDE_PORT must be a port")
    platform = wanted["CITYCARD_PLATFORM_URL"]
    if platform and not _ORIGIN.fullmatch(platform):
        faults.append("CITYCARD_PLATFORM_URL must be http(s)://host[:port] and nothing more")
    if faults:
        raise CannotStart("; ".join(faults))
    return Settings(
        database_url=wanted["CITYCARD_OUTSIDE_DATABASE_URL"],
        data=Path(wanted["CITYCARD_OUTSIDE_DATA"]),
        port=int(port),
        platform_url=platform.rstrip("/"),
        url=environ.get("CITYCARD_OUTSIDE_URL", "").rstrip("/") or f"http://localhost:{port}",
    )
