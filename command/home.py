"""Where an installation on this machine keeps its things, and how other commands find the one that runs."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from command.embedded.account import reachable_home
from config import settings
from config.reading import ROOT_KEY_BYTES

ROOT = Path(__file__).resolve().parent.parent
CHILD_MARK = "CITYCARD_RUN_HOME"


@dataclass(frozen=True, slots=True)
class Home:
    """The data folder of a demo: key, private servers, logs, and a note of who runs."""

    folder: Path

    @property
    def root_key(self) -> Path:
        """The file of the root key."""
        return self.folder / "root.key"

    @property
    def note(self) -> Path:
        """What a running `citycard run` says about itself."""
        return self.folder / "running.json"

    @property
    def lock(self) -> Path:
        """The file held as long as `citycard run` lives."""
        return self.folder / "run.lock"

    @property
    def postgres(self) -> Path:
        """The folder of the private PostgreSQL."""
        return self.folder / "postgres"

    @property
    def valkey(self) -> Path:
        """The folder of the private Valkey."""
        return self.folder / "valkey"

    @property
    def logs(self) -> Path:
        """The folder of the processes' logs."""
        return self.folder / "logs"

    def make_folder(self) -> None:
        """Make the data folder: for us alone, but for root one that the server's account may pass through."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.folder.chmod(0o711 if os.geteuid() == 0 else 0o700)

    def places(self) -> list[str]:
        """Where the data lie: the folder, and where its servers had to go when their account cannot reach it."""
        elsewhere = {reachable_home(folder) for folder in (self.postgres, self.valkey)} - {self.postgres, self.valkey}
        return [str(self.folder), *sorted(str(place) for place in elsewhere)]

    def prepare(self) -> None:
        """Make the folders and, at the very first run, the root key."""
        self.make_folder()
        self.logs.mkdir(mode=0o700, exist_ok=True)
        if self.root_key.exists():
            return
        if (reachable_home(self.postgres) / "data").exists():
            raise click.ClickException(
                f"{self.root_key} 不见了，已有数据无法解密；请放回它，或移走 {self.folder} 重新开始。\n"
                f"{self.root_key} is gone and the data there cannot be read; put it back, or move {self.folder} away to begin anew."
            )
        write_private(self.root_key, secrets.token_hex(ROOT_KEY_BYTES) + "\n")

    def running(self) -> dict[str, Any] | None:
        """The note of the run that lives, or None."""
        if not is_held(self.lock):
            return None
        try:
            note: dict[str, Any] = json.loads(self.note.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return note


def home() -> Home:
    """The data folder of this checkout, or the one CITYCARD_DATA_DIR names."""
    return Home(Path(os.environ.get("CITYCARD_DATA_DIR") or ROOT / "var").absolute())


def write_private(path: Path, text: str) -> None:
    """Write a file that only we can read, whole or not at all."""
    half = path.with_name(path.name + ".half")
    half.unlink(missing_ok=True)
    handle = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    half.replace(path)


def is_held(lock: Path) -> bool:
    """Whether some process holds the lock file."""
    try:
        with lock.open("r") as probe:
            fcntl.flock(probe, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


@contextmanager
def hold(lock: Path) -> Iterator[Callable[[], bool] | None]:
    """Hold the lock file for the block: yields how to ask whether it is still in its place, or None when another holds it."""
    with lock.open("a") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
        else:
            yield lambda: _same_file(held.fileno(), lock)


def _same_file(handle: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except OSError:
        return False


def surroundings() -> Mapping[str, str]:
    """The CITYCARD_* variables a command works with: those given, else those of the demo that runs here."""
    if "CITYCARD_ENVIRONMENT" in os.environ:
        return os.environ
    note = home().running()
    if note is None:
        raise click.ClickException("这里没有正在运行的平台；请先 make run。\nNothing runs here; start it with: make run")
    return {**note["environment"], **{name: value for name, value in os.environ.items() if not name.startswith("CITYCARD_")}}


def current_settings() -> settings.Settings:
    """The settings of the installation a command speaks to; faults end the command with all of them named."""
    try:
        return settings.read(surroundings())
    except settings.SettingsRefused as refused:
        raise click.ClickException(str(refused)) from None
