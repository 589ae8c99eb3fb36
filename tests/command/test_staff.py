"""`citycard staff` on a production installation: as the database's owner, loud, and with a line for every refusal."""

from __future__ import annotations

import base64
import dataclasses
import os
import re
from collections.abc import Callable, Iterator
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest
from click.testing import CliRunner, Result
from flask import Flask

from app import create_app
from auth.staff import totp
from command import db as db_command
from command import staff as staff_command
from config.settings import Settings
from core import clock, crypto, db, pulse

BOTH = ("first", "--administrator", "zhangwei", "张伟", "--administrator", "lina", "李娜")
CODE = re.compile(r"[0-9A-Z]{4}(?:-[0-9A-Z]{4}){3}")
Say = Callable[..., Result]


@pytest.fixture
def production(settings: Settings) -> Settings:
    return dataclasses.replace(settings, environment="production", public_url="https://card.example")


@pytest.fixture
def say(production: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Say]:
    """The command, on that installation."""

    def told(*words: str, **changed: str | None) -> Result:
        given = dataclasses.replace(production, **changed)  # type: ignore[arg-type]  # text settings alone are changed here
        for module in (db_command, staff_command):
            monkeypatch.setattr(module, "current_settings", lambda: given)
        return CliRunner().invoke(staff_command.staff, list(words), catch_exceptions=False)

    yield told
    db.drop_connection()
    pulse.allow_offset(True)
    pulse.forget()


def audited(settings: Settings) -> list[tuple[str, str, str]]:
    with psycopg.connect(settings.database_url) as connection:
        return connection.execute("SELECT event, outcome, detail ->> 'uid' FROM audit ORDER BY id").fetchall()


def enrol(app: Flask, code: str) -> int:
    """What an enrolment by this code is answered in the end."""
    begun = app.test_client().post("/api/staff-enrolments", json={"code": code}).get_json()
    secret = base64.b32decode(parse_qs(urlsplit(begun["totp_address"]).query)["secret"][0])
    now = totp.code(secret, int(clock.timestamp()) // 30)
    body = {"code": code, "password": "a-long-staff-word-7", "one_time_code": now}
    return app.test_client().post("/api/staff-enrolments/completion", json=body).status_code


def test_a_city_gets_its_first_two_administrators_once(settings: Settings, say: Say) -> None:
    told = say(*BOTH)
    assert told.exit_code == 0, told.output
    codes = CODE.findall(told.output)
    assert len(set(codes)) == 2
    assert "https://card.example/desk/#/join" in told.output
    assert audited(settings) == [("auth:staff:admit_at_console", "done", str(os.getuid()))] * 2
    crypto.signing.forget()
    app = create_app(settings)
    with app.app_context():
        assert [enrol(app, code) for code in codes] == [200, 200]
        db.db.engine.dispose()
    db.drop_connection()
    again = say(*BOTH)
    assert (again.exit_code, CODE.findall(again.output)) == (1, [])
    assert "administrators_enrolled" in again.output
    assert "两位管理员" in again.output
    assert "gives out no more codes" in again.output
    assert audited(settings)[-1] == ("edge:request:refuse", "administrators_enrolled", str(os.getuid()))
    crypto.signing.forget()


def test_a_refusal_admits_nobody_and_leaves_a_line(settings: Settings, say: Say) -> None:
    assert "two_administrators_wanted" in say("first", "--administrator", "zhangwei", "张伟").output
    told = say("replace", "--administrator", "chenjing", "陈静", "--reason", "调离")
    assert (told.exit_code, "first_administrators_missing" in told.output) == (1, True)
    assert [outcome for _, outcome, _ in audited(settings)] == ["two_administrators_wanted", "first_administrators_missing"]


def test_a_badly_formed_login_is_named(say: Say) -> None:
    told = say("first", "--administrator", "Zh", "张伟", "--administrator", "lina", "李娜")
    assert (told.exit_code, "login" in told.output) == (1, True)


def test_only_the_owner_of_the_database_and_only_for_a_city_served(say: Say) -> None:
    assert "CITYCARD_OWNER_DATABASE_URL" in say(*BOTH, owner_database_url=None).output
    assert "yunchuan, linhu" in say(*BOTH, "--city", "atlantis").output
