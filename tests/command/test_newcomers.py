"""What somebody who tries the demo is given: a person to be, and the code of a counter."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import click
import psycopg
import pytest
from click.testing import CliRunner

from command import people as people_command
from command import terminal as terminal_command
from config.settings import Settings
from core import db

Ask = Callable[..., str]


@pytest.fixture
def ask(demo_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ask]:
    """What a command says over the demo's database."""
    for module in (people_command, terminal_command):
        monkeypatch.setattr(module, "current_settings", lambda: demo_settings)

    def say(command: click.Command, *words: str) -> str:
        answer = CliRunner().invoke(command, list(words))
        db.drop_connection()
        return f"{answer.exit_code}\n{answer.output}"

    yield say
    db.drop_connection()


def test_a_newcomer_is_somebody_known_to_the_register_and_new_to_the_city(ask: Ask, demo_settings: Settings) -> None:
    said = ask(people_command.people, "--newcomer")
    assert said.startswith("0\n")
    assert re.search(r"phone +1[3-9][0-9]{9}$", said, re.MULTILINE)
    assert re.search(r"citizen number +9901[0-9]{13}[0-9X]$", said, re.MULTILINE)
    assert re.search(r"account water +1[0-9]{9}$", said, re.MULTILINE)
    assert f"{demo_settings.public_url}/app/" in said


@pytest.mark.parametrize(
    ("like", "functions"),
    [("T1", ["charge:create", "charge:refund", "charge:reverse", "presentation:create"]), ("T2", ["presentation:create"])],
)
def test_a_counter_is_registered_like_another_and_waits_for_its_key(
    ask: Ask, demo_settings: Settings, like: str, functions: list[str]
) -> None:
    said = ask(terminal_command.terminal, "enrol", "--like", like, "--name", f"柜台 {like}")
    assert said.startswith("0\n"), said
    assert re.search(r"code +(?:[0-9A-HJKMNP-TV-Z]{4}-){3}[0-9A-HJKMNP-TV-Z]{4}$", said, re.MULTILINE)
    assert f"{demo_settings.public_url}/desk/" in said
    with psycopg.connect(demo_settings.database_url) as connection:
        query = (
            "SELECT state, functions, (merchant_id IS NULL) <> (agency_id IS NULL), account_id IS NOT NULL FROM terminal WHERE name = %s"
        )
        (row,) = connection.execute(query, (f"柜台 {like}",)).fetchall()
    assert row == ("registered", functions, True, like == "T1")


def test_an_unknown_terminal_is_said_to_be_unknown(ask: Ask) -> None:
    assert ask(terminal_command.terminal, "enrol", "--like", "T99").startswith("1\n")
