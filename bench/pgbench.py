"""Runs PostgreSQL's own load generator over the frozen limits."""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

LIMITS = Path(__file__).parent / "limits"


class PgbenchMissing(Exception):
    """No pgbench stands beside the server's programs or on the path."""


@dataclass(frozen=True, slots=True)
class PgbenchRun:
    """What pgbench reported: transactions, their rate per second, the mean wait in milliseconds."""

    operations: int
    rate: float
    mean_ms: float


def find(programs: Path | None) -> Path:
    """pgbench beside the server's programs, or the one on the path."""
    beside = programs / "pgbench" if programs else None
    if beside and beside.exists():
        return beside
    on_path = shutil.which("pgbench")
    if on_path:
        return Path(on_path)
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/pgbench"))
    if installed:
        return installed[-1]
    raise PgbenchMissing("pgbench is missing: pip install 'citycard[embedded]', or apt-get install postgresql-contrib")


def run(program: Path, script: str, dsn: dict[str, str], *, clients: int, seconds: float) -> PgbenchRun:
    """One run of a frozen script with prepared statements; `dsn` are libpq environment variables."""
    command = [
        str(program), "--no-vacuum", "--protocol=prepared", f"--file={LIMITS / script}",
        f"--client={clients}", "--jobs=2", f"--time={max(1, round(seconds))}",
    ]  # fmt: skip
    done = subprocess.run(command, env={**os.environ, **dsn}, capture_output=True, text=True, check=False)
    return read(done.stdout + done.stderr)


def read(output: str) -> PgbenchRun:
    """The figures in pgbench's report; raises with the report's end when it holds none."""
    rate = re.search(r"^tps = ([\d.]+)", output, re.MULTILINE)
    count = re.search(r"actually processed: (\d+)", output)
    mean = re.search(r"latency average = ([\d.]+)", output)
    if not (rate and count and mean):
        raise RuntimeError(f"pgbench gave no figures: {output[-400:]}")
    return PgbenchRun(int(count[1]), float(rate[1]), float(mean[1]))
