"""The operating-system account a private server runs under: one's own, or `nobody` for root."""

from __future__ import annotations

import hashlib
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from command.embedded.errors import CannotStart

SERVER_ACCOUNT = "nobody"
# A unix socket's path holds at most 107 bytes; PostgreSQL adds "/.s.PGSQL.5432.lock".
LONGEST_SOCKET_FOLDER = 80


@dataclass(frozen=True, slots=True)
class Account:
    """Who runs the server (`uid`, `gid`) and whether we must change to that account first."""

    uid: int
    gid: int
    other: bool

    def switch(self) -> dict[str, object]:
        """The arguments of `subprocess` that start a program under this account."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []} if self.other else {}

    def own_folder(self, folder: Path) -> None:
        """Make `folder` if needed and let nobody but this account (and root) look into it."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
        if self.other:
            os.chown(folder, self.uid, self.gid)

    def give(self, path: Path) -> None:
        """Hand one file over to this account."""
        if self.other:
            os.chown(path, self.uid, self.gid)

    def can_run(self, program: Path) -> bool:
        """Whether this account can execute `program` where it lies."""
        try:
            asked = subprocess.run(
                [program, "--version"],
                cwd="/",
                env=clean_environment(),
                capture_output=True,
                timeout=20,
                check=False,
                **self.switch(),  # type: ignore[call-overload]  # keyword arguments by account
            )
        except OSError:
            return False
        return bool(asked.returncode == 0)


def account_for(data: Path) -> Account:
    """The account for a server whose files lie in `data`: our own, or, for root, the files' owner or `nobody`."""
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid(), other=False)
    if data.exists() and data.stat().st_uid != 0:
        return Account(data.stat().st_uid, data.stat().st_gid, other=True)
    entry = pwd.getpwnam(SERVER_ACCOUNT)
    return Account(entry.pw_uid, entry.pw_gid, other=True)


def our_name() -> str:
    """The name of the account this program runs under, as PostgreSQL's peer check sees it."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        raise CannotStart(
            zh=f"账号 {os.geteuid()} 没有名字（/etc/passwd），PostgreSQL 无法以它运行；请换一个有名字的账号。",
            en=f"Account {os.geteuid()} has no name in /etc/passwd, so PostgreSQL cannot run under it; use a named account.",
        ) from None


def reachable_home(folder: Path) -> Path:
    """`folder`, or, for root when `nobody` cannot get there (a root-only home), a folder of its own elsewhere."""
    folder = folder.resolve()
    if os.geteuid() != 0 or _open_to_others(folder):
        return folder
    passing = folder.is_relative_to(tempfile.gettempdir())  # what is temporary stays so
    elsewhere = Path(tempfile.gettempdir()) / "citycard-data" if passing else Path("/var/lib/citycard")
    return elsewhere / hashlib.sha256(str(folder).encode()).hexdigest()[:12]


def forget_passing(home: Path, folder: Path) -> None:
    """Remove the files of a server that had to leave a temporary `folder` for a place its account can reach."""
    if home != folder.resolve() and home.is_relative_to(tempfile.gettempdir()):
        shutil.rmtree(home, ignore_errors=True)


def _open_to_others(folder: Path) -> bool:
    above = [parent for parent in folder.parents if parent.exists()]
    return all(parent.stat().st_mode & 0o001 for parent in above)


def socket_folder(home: Path, account: Account) -> Path:
    """The folder of the server's socket: inside `home`, or a short private one when that path is too long."""
    inside = home / "s"
    if len(os.fsencode(inside)) <= LONGEST_SOCKET_FOLDER:
        account.own_folder(inside)
        return inside
    short = Path(tempfile.gettempdir()) / f"citycard-{hashlib.sha256(str(home).encode()).hexdigest()[:12]}"
    account.own_folder(short)
    # The temporary folder is everybody's: a folder put there by somebody else is not ours to trust.
    if short.is_symlink() or short.stat().st_uid != account.uid:
        raise CannotStart(
            zh=f"{short} 属于别人，不能用作套接字目录；请设置 TMPDIR。",
            en=f"{short} belongs to somebody else and cannot hold our socket; set TMPDIR.",
        )
    return short


def clean_environment() -> Mapping[str, str]:
    """Our environment without the variables that would steer a database client or server."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")}


def copied(parts: Sequence[Path], target: Path) -> None:
    """Copy program folders to `target`, readable by every account; a half-made copy is never seen as whole."""
    if target.exists():
        return
    half = target.with_name(target.name + ".half")
    shutil.rmtree(half, ignore_errors=True)
    half.mkdir(parents=True)
    for part in parts:
        shutil.copytree(part, half / part.name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__", "include"))
    for path in (half, *half.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
    half.rename(target)
