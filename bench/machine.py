"""What processes cost: CPU seconds of a process tree, and what the rest of the machine took meanwhile (Linux)."""

import os
import time
from dataclasses import dataclass, field
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
CORES = os.cpu_count() or 1
QUIET = 0.12  # share of the machine below which a moment counts as quiet


def busy_seconds() -> float:
    """CPU seconds the whole machine has worked since it started, without idle and input/output wait."""
    user, nice, kernel, _idle, _wait, irq, soft, steal = (
        int(word) for word in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]
    )
    return (user + nice + kernel + irq + soft + steal) / _TICKS


def _stat(pid: int) -> tuple[int, float]:
    """Parent of a process and its CPU seconds, those of its waited-for children included."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[1]), sum(map(int, fields[11:15])) / _TICKS


def _processes() -> dict[int, tuple[int, float]]:
    found = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                found[int(name)] = _stat(int(name))
            except OSError:
                continue  # ended between the listing and the reading
    return found


def tree(root: int, every: dict[int, tuple[int, float]] | None = None) -> list[int]:
    """The process and all its living descendants."""
    every = _processes() if every is None else every
    members = [root] if root in every else []
    for member in members:
        members += [pid for pid, (parent, _) in every.items() if parent == member]
    return members


def tree_seconds(root: int | None) -> float:
    """CPU seconds of a process tree, ended and waited-for members included."""
    if root is None:
        return 0.0
    every = _processes()
    return sum(every[pid][1] for pid in tree(root, every))


def wait_for_quiet(at_most: float) -> None:
    """Waits until the machine is nearly idle, or until `at_most` seconds have gone."""
    until = time.monotonic() + at_most
    while time.monotonic() < until:
        before = busy_seconds()
        time.sleep(0.5)
        if (busy_seconds() - before) / (0.5 * CORES) < QUIET:
            return


@dataclass(slots=True)
class Meter:
    """CPU seconds of client, server and database between `start` and `stop`, and the foreign share."""

    server: int | None
    database: int | None
    client_s: float = 0.0
    server_s: float = 0.0
    database_s: float = 0.0
    seconds: float = 0.0
    foreign: float = 0.0
    _before: tuple[float, ...] = field(default=(), init=False)

    def start(self) -> None:
        """Takes the first reading."""
        self._before = self._reading()

    def stop(self) -> None:
        """Takes the second reading and keeps the differences."""
        after = self._reading()
        wall, busy, self.client_s, self.server_s, self.database_s = (late - early for early, late in zip(self._before, after, strict=True))
        self.seconds = wall
        others = busy - self.client_s - self.server_s - self.database_s
        self.foreign = max(0.0, others) / (wall * CORES)

    def _reading(self) -> tuple[float, ...]:
        own = os.times()
        client = own.user + own.system + own.children_user + own.children_system
        return (time.perf_counter(), busy_seconds(), client, tree_seconds(self.server), tree_seconds(self.database))
