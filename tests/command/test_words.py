"""The words of the command, the targets of the Makefile and the locked requirements say what they are."""

import datetime as dt
import re
from pathlib import Path

import click
import pytest

from command.clock import duration
from command.main import GROUPS, main

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("word", GROUPS)
def test_each_word_of_the_command_explains_itself_in_both_languages(word: str) -> None:
    found = main.get_command(click.Context(main), word)
    assert found is not None
    assert re.search(r"[\u4e00-\u9fff]", found.help or "")
    assert re.search(r"[a-z]{3}", found.help or "")


def test_each_target_of_the_makefile_explains_itself() -> None:
    lines = (ROOT / "Makefile").read_text().splitlines()
    targets = [line for line in lines if re.match(r"[a-z][a-z-]*:", line) and not line.startswith("ready-")]
    assert [line for line in targets if " ## " not in line] == []


@pytest.mark.parametrize("name", ["run", "dev"])
def test_a_lock_has_hashes_and_no_address(name: str) -> None:
    text = (ROOT / f"requirements/{name}.txt").read_text()
    packages = re.split(r"\n(?=[a-z])", text)[1:]
    assert len(packages) > 30
    assert all("--hash=sha256:" in package for package in packages)
    assert "://" not in text


def test_tests_run_on_the_very_versions_that_run() -> None:
    run, dev = ({line for line in (ROOT / f"requirements/{name}.txt").read_text().splitlines() if "==" in line} for name in ("run", "dev"))
    assert run <= dev


def test_a_step_of_the_clock_is_a_number_and_a_unit() -> None:
    assert (duration("90s"), duration("2d")) == (dt.timedelta(seconds=90), dt.timedelta(days=2))
    for nonsense in ("1", "h", "-1h", "1w", "1.5h"):
        with pytest.raises(click.BadParameter):
            duration(nonsense)
