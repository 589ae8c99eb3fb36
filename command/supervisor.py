"""Keeps the processes of a run alive, and ends every one of them when the run ends."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from command.embedded.processes import dies_with_us
from command.home import CHILD_MARK, ROOT
from command.progress import say

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 15.0
STEADY_SECONDS = 30.0  # who has lived that long starts again without a long pause
GRACE_SECONDS = 12.0
HOPELESS_ENDINGS = 3
LARGEST_LOG = 20_000_000


@dataclass(slots=True)
class Child:
    """One process: how it is called, started and what came of it."""

    name: str
    command: list[str]
    environment: Mapping[str, str]
    log: Path
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    pause: float = FIRST_PAUSE
    resume_at: float | None = None
    endings: int = 0
    once: bool = False  # ends by itself, well or badly, and is not started again

    def start(self) -> None:
        """Start it in a session of its own, so that it and all it starts can be ended together."""
        if self.log.exists() and self.log.stat().st_size > LARGEST_LOG:
            self.log.replace(self.log.with_suffix(".log.1"))
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(
                self.command,
                cwd=ROOT,
                env=dict(self.environment),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
                preexec_fn=dies_with_us(signal.SIGTERM),
            )
        self.started, self.resume_at = time.monotonic(), None

    def signal_all(self, number: signal.Signals) -> None:
        """Send a signal to the process and all it has started."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, number)


@dataclass(slots=True)
class Supervisor:
    """The children, and the servers that must be looked after as well."""

    children: list[Child] = field(default_factory=list)
    servers: list[Callable[[], None]] = field(default_factory=list)

    def start(self, child: Child) -> None:
        """Start a child and look after it from now on."""
        child.start()
        self.children.append(child)

    def look(self) -> None:
        """One look: start again what has ended, after a pause that grows while it keeps ending."""
        for server in self.servers:
            server()
        for child in [*self.children]:
            self._look_at(child)

    def _look_at(self, child: Child) -> None:
        now = time.monotonic()
        if child.resume_at is not None:
            if now >= child.resume_at:
                child.start()
                say(f"{child.name} 已重新启动", f"{child.name} started again")
            return
        if child.process is None or child.process.poll() is None:
            return
        if child.once:
            self.children.remove(child)
            return
        child.endings += 1
        child.signal_all(signal.SIGKILL)  # what it had started would hold its port and its place
        child.pause = FIRST_PAUSE if now - child.started > STEADY_SECONDS else min(child.pause * 2, LONGEST_PAUSE)
        child.resume_at = now + child.pause
        code = child.process.returncode
        say(
            f"{child.name} 意外结束（{code}），{child.pause:.0f} 秒后重启；日志 {child.log}",
            f"{child.name} ended ({code}), starting again in {child.pause:.0f} s",
            mark="!",
        )

    def hopeless(self) -> Child | None:
        """A child that ended again and again before the run was ready: starting it anew would not help."""
        return next((child for child in self.children if child.endings >= HOPELESS_ENDINGS), None)

    def end(self) -> None:
        """End every child: politely, and after a while for good."""
        for child in self.children:
            child.signal_all(signal.SIGTERM)
        deadline = time.monotonic() + GRACE_SECONDS
        for child in self.children:
            if child.process is not None:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    child.process.wait(max(0.05, deadline - time.monotonic()))
        self.kill()

    def kill(self) -> None:
        """End every child and what it started at once."""
        for child in self.children:
            child.signal_all(signal.SIGKILL)
            if child.process is not None:
                child.process.wait()


def kill_left_behind(home: Path) -> int:
    """End what an earlier run of the same folder left when it was killed itself; returns how many there were."""
    mark = f"{CHILD_MARK}={home}\0".encode()
    left = 0
    for pid in [int(name) for name in os.listdir("/proc") if name.isdigit()]:
        with contextlib.suppress(OSError):
            if pid != os.getpid() and mark in Path(f"/proc/{pid}/environ").read_bytes() + b"\0":
                os.kill(pid, signal.SIGKILL)
                left += 1
    return left
