"""Starting servers as processes, seeing which of them live, and letting them die with us."""

from __future__ import annotations

import ctypes
import fcntl
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from command.embedded.account import Account, clean_environment

PR_SET_PDEATHSIG = 1


def dies_with_us(number: signal.Signals) -> Callable[[], None]:
    """What a child does before it becomes the program: ask the kernel for `number` when its parent dies (Linux)."""
    parent = os.getpid()
    prctl = ctypes.CDLL(None, use_errno=True).prctl  # loaded before the fork: nothing may be loaded after it

    def ask() -> None:
        prctl(PR_SET_PDEATHSIG, int(number), 0, 0, 0)
        if os.getppid() != parent:  # the parent died between fork and prctl
            os._exit(1)

    return ask


def launch(command: Sequence[str | Path], account: Account, *, log: Path, last_signal: signal.Signals | None) -> subprocess.Popen[bytes]:
    """Start a server in a session of its own, writing to `log`; `last_signal` is what it gets when we die."""
    with log.open("ab") as out:
        account.give(log)
        return subprocess.Popen(  # type: ignore[call-overload,no-any-return]  # keyword arguments by account
            [str(word) for word in command],
            cwd="/",
            env=clean_environment(),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
            preexec_fn=dies_with_us(last_signal) if last_signal else None,
            **account.switch(),
        )


def living_in(folder: Path) -> list[int]:
    """The processes working in `folder`; a zombie does not count, though its number still answers."""
    here = str(folder.resolve())
    return [pid for pid in _process_numbers() if _working_folder(pid) == here and not _is_zombie(pid)]


def _process_numbers() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def _working_folder(pid: int) -> str | None:
    try:
        return os.readlink(f"/proc/{pid}/cwd")
    except OSError:
        return None


def _is_zombie(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (OSError, IndexError):
        return True


def wait_until_empty(folder: Path, seconds: float) -> bool:
    """Wait until no process works in `folder`; whether that came true in time."""
    deadline = time.monotonic() + seconds
    while living_in(folder):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


@contextmanager
def alone(lock: Path) -> Iterator[None]:
    """Hold the lock file, so that two starts of one server take turns."""
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def last_lines(log: Path, count: int = 12) -> str:
    """The end of a server's log, for a message."""
    try:
        return "\n".join(log.read_text(errors="replace").splitlines()[-count:])
    except OSError:
        return ""


def end_with_parent() -> None:
    """Ask the kernel to end this process when its parent dies (Linux)."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)
