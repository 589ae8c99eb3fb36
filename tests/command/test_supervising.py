"""The processes of a run are started again when they end, and all end with it."""

import os
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path

import click
import pytest

from command import ports
from command.home import CHILD_MARK, Home
from command.supervisor import Child, Supervisor, kill_left_behind

SLEEPER = "import subprocess, sys, time; print(subprocess.Popen(['sleep', '1000']).pid, flush=True); time.sleep(1000)"


def child(folder: Path, code: str) -> Child:
    environment = {"PATH": os.environ["PATH"], CHILD_MARK: str(folder)}
    return Child("sleeper", [sys.executable, "-c", code], environment, folder / "log")


def eventually(true: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 10
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_ending_ends_what_a_child_has_started_too(tmp_path: Path) -> None:
    supervisor = Supervisor()
    supervisor.start(child(tmp_path, SLEEPER))
    assert eventually(lambda: bool((tmp_path / "log").read_text().strip()))
    grandchild = int((tmp_path / "log").read_text())
    supervisor.end()
    assert eventually(lambda: not lives(grandchild))


def test_a_child_that_ends_is_started_again_after_a_growing_pause(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    supervisor = Supervisor()
    supervisor.start(child(tmp_path, "raise SystemExit(3)"))
    held = supervisor.children[0]

    def ended(times: int) -> bool:
        supervisor.look()
        return held.endings == times

    assert eventually(lambda: ended(1))
    first = held.pause
    assert eventually(lambda: ended(2))
    assert held.pause > first
    assert "ended (3)" in capsys.readouterr().out
    supervisor.end()


def test_a_child_that_never_comes_up_is_named_hopeless(tmp_path: Path) -> None:
    held = child(tmp_path, "")
    supervisor = Supervisor([held])
    assert supervisor.hopeless() is None
    held.endings = 3
    assert supervisor.hopeless() is held


def test_what_a_killed_run_left_behind_is_found_by_its_mark_alone(tmp_path: Path) -> None:
    left, other = child(tmp_path, SLEEPER), child(tmp_path, SLEEPER)
    other.environment = {**other.environment, CHILD_MARK: f"{tmp_path}-other"}
    supervisor = Supervisor()
    for held in (left, other):
        supervisor.start(held)
    assert eventually(lambda: (tmp_path / "log").read_text().count("\n") == 2)
    assert kill_left_behind(tmp_path) == 2  # the child and its own child
    assert left.process is not None
    assert other.process is not None
    assert left.process.wait(5) == -9
    assert other.process.poll() is None
    supervisor.end()


def test_a_taken_port_is_passed_over_unless_it_was_asked_for() -> None:
    first, release = ports.reserve("127.0.0.1", 21500, fixed=False)
    release()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", first))
        taken.listen()
        other, release = ports.reserve("127.0.0.1", first, fixed=False)
        release()
        assert other > first
        with pytest.raises(click.ClickException, match="taken"):
            ports.reserve("127.0.0.1", first, fixed=True)


def test_two_runs_that_start_at_once_choose_different_ports() -> None:
    first, release_first = ports.reserve("127.0.0.1", 21600, fixed=False)
    second, release_second = ports.reserve("127.0.0.1", 21600, fixed=False)
    assert first != second
    release_first()
    again, release_again = ports.reserve("127.0.0.1", 21600, fixed=False)
    assert again == first
    release_second()
    release_again()


def test_the_first_run_makes_a_root_key_that_nobody_else_can_read(tmp_path: Path) -> None:
    home = Home(tmp_path / "var")
    home.prepare()
    made = home.root_key.read_text()
    assert (len(bytes.fromhex(made)), home.root_key.stat().st_mode & 0o777) == (32, 0o600)
    home.prepare()
    assert home.root_key.read_text() == made


def test_data_without_their_root_key_are_a_refusal(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    home = Home(tmp_path / "var")
    home.prepare()
    from command.embedded.account import reachable_home

    data = reachable_home(home.postgres) / "data"
    data.mkdir(parents=True)
    home.root_key.unlink()
    try:
        with pytest.raises(click.ClickException, match=r"root\.key"):
            home.prepare()
    finally:
        data.rmdir()
