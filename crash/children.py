"""The processes of a running platform as things that can be killed, and that end when the harness ends."""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from bench.machine import tree
from command.embedded.processes import dies_with_us


@dataclass(slots=True)
class Child:
    """One program of the platform: how it is started, and its process while it runs."""

    name: str
    command: Sequence[str]
    tree: Path
    environment: Mapping[str, str]
    log: Path
    process: subprocess.Popen[bytes] | None = field(default=None)

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self.process is not None and self.process.poll() is None

    def start(self) -> None:
        """Starts it, unless it runs."""
        if self.alive:
            return
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(
                list(self.command), cwd=self.tree, env={**os.environ, **self.environment}, stdin=subprocess.DEVNULL,
                stdout=out, stderr=out, start_new_session=True, preexec_fn=dies_with_us(signal.SIGTERM),
            )  # fmt: skip

    def members(self) -> list[int]:
        """The process and its descendants, itself first."""
        return tree(self.process.pid) if self.process is not None else []

    def kill(self) -> None:
        """Ends it and its descendants as a power cut would."""
        for pid in self.members():
            kill(pid)
        if self.process is not None:
            self.process.wait(10)

    def stop(self) -> None:
        """Asks it to end, and kills what does not."""
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(10)
        self.kill()


def kill(pid: int) -> bool:
    """Ends one process at once; False when it had ended by itself."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True
