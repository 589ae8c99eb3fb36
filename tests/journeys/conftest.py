"""The program as `citycard run` starts it, once for all journeys: real servers, worker, web and the outside world."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bench.granian import LOWEST_PORT, free_port
from command.story.cast import Stage

ROOT = Path(__file__).parents[2]


class Running:
    """One installation in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        # Apart from those of a process started beside this one, because the program takes the next port too.
        port = str(free_port(LOWEST_PORT + 3 * (os.getpid() % 2000)))
        self.environment = {**os.environ, "CITYCARD_DATA_DIR": str(folder), "CITYCARD_PORT": port, "CITYCARD_RUN_PAGES": "off"}
        self.log = folder.parent / "run.log"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, seconds: float = 90) -> float:
        """Start and wait until it says that it is ready; returns the seconds it took."""
        begun = time.monotonic()
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "command", "run"], cwd=ROOT, env=self.environment, stdout=log, stderr=subprocess.STDOUT
            )
        while time.monotonic() - begun < seconds:
            if self.process.poll() is not None:
                break
            if "ready" in self.log.read_text(errors="replace"):
                return time.monotonic() - begun
            time.sleep(0.1)
        raise AssertionError(f"not ready: {self.log.read_text(errors='replace')[-3000:]}")

    def stop(self) -> None:
        """Ctrl-C."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(30)

    def citycard(self, *words: str) -> str:
        """What a command of the running installation prints."""
        done = subprocess.run(
            [sys.executable, "-m", "command", *words], cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def people(self) -> dict[str, Any]:
        """Who one can be."""
        told: dict[str, Any] = json.loads(self.citycard("people", "--all"))
        return told


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The program, running."""
    made = Running(tmp_path_factory.mktemp("run") / "data")
    made.start()
    yield made
    made.stop()


@pytest.fixture(scope="session")
def stage(running: Running) -> Stage:
    """The addresses and everybody who may appear."""
    return Stage.of(running.people(), clock=lambda *words: running.citycard("clock", *words))
