"""The documents hold against the code: every setting, event, error, permission, table and command that there is, and none besides."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import psycopg
import pytest

import auth
from auth.scopes import PartnerScope
from command.embedded import postgres
from config import settings
from core.vocabulary import AuditEvent, Event
from tests.architecture.test_tables import COLUMNS, NOT_OURS
from tests.docs import writing

DOCS = Path(__file__).parents[2] / "docs"
WORD = re.compile(r"^\| `([^`]+)` \|", re.MULTILINE)


def words(page: str, section: str = "") -> list[str]:
    """The first cells of the tables of a page, or of one section of it."""
    text = (DOCS / page).read_text()
    if section:
        text = text.partition(f"\n## {section}")[2].partition("\n## ")[0]
    return WORD.findall(text)


@pytest.mark.parametrize(("section", "vocabulary"), [("审计", AuditEvent), ("发件箱", Event)])
def test_every_event_is_documented_and_no_other(section: str, vocabulary: Any) -> None:
    assert sorted(words("events.md", section)) == sorted(str(word) for word in vocabulary)


def test_a_word_follows_the_grammar() -> None:
    for word in (*AuditEvent, *Event, *auth.Permission):
        assert re.fullmatch(r"[a-z_]+:[a-z_]+:[a-z_]+", word), word


def test_every_permission_is_documented_with_the_roles_that_hold_it() -> None:
    text = (DOCS / "access.md").read_text()
    assert sorted(words("access.md", "工作人员")) == sorted(str(permission) for permission in auth.Permission)
    for permission in auth.Permission:
        row = re.search(rf"^\| `{permission}` \|.*\| ([a-z_, ]*) \|$", text, re.MULTILINE)
        assert row is not None, permission
        held = {str(role) for role, held in auth.PERMISSIONS.items() if permission in held}
        assert {name for name in row[1].split(", ") if name} == held, permission


def test_every_terminal_function_is_documented() -> None:
    assert sorted(words("access.md", "终端")) == sorted(str(function) for function in auth.TerminalFunction)


def test_every_scope_of_partners_is_documented() -> None:
    assert sorted(words("access.md", "合作方")) == sorted(str(scope) for scope in PartnerScope)


def test_every_permission_and_function_opens_something(shared_app: Any) -> None:
    """A right that no route asks for is a word that misleads whoever grants it."""
    asked = " ".join(route.access.stated() for route in shared_app.extensions["edge"].routes)
    in_code = {"cards:card:cancel", "concession:read"}  # asked for within an operation
    missing = [right for right in (*auth.Permission, *auth.TerminalFunction) if right not in asked and right not in in_code]
    assert missing == []


def test_the_page_of_errors_is_the_tree_of_errors() -> None:
    """Written by ``python -m tests.docs.writing``."""
    assert (DOCS / "errors.md").read_text() == writing.errors_page()


def test_an_error_has_a_code_of_its_own_and_speaks_both_languages() -> None:
    found = writing.errors()
    codes = [kind.code for kind in found]
    assert [code for code in codes if codes.count(code) > 1] == []
    for kind in found:
        assert re.fullmatch(r"[a-z][a-z0-9_]*", kind.code), kind
        assert re.search(r"[\u4e00-\u9fff]", kind.zh), kind
        assert re.search(r"[A-Za-z]{3}", kind.en), kind
        assert set(re.findall(r"\{(\w+)\}", kind.zh)) == set(re.findall(r"\{(\w+)\}", kind.en)), kind
        assert 400 <= kind.status < 600, kind


def test_every_setting_is_documented_and_no_other() -> None:
    text = (DOCS / "settings.md").read_text()
    documented = set(re.findall(r"^\| `(CITYCARD_[A-Z_]+)`", text, re.MULTILINE))
    read = set(re.findall(r"CITYCARD_[A-Z_]+", Path(settings.__file__).read_text()))
    assert documented, "the page lists settings"
    assert {name for name in read if name not in text} == set()


def test_every_column_that_names_a_person_is_in_the_inventory(ground: tuple[postgres.Server, Any], template: str) -> None:
    """PIPL article 6: what is held of a person has a purpose, and one without is not held."""
    with psycopg.connect(ground[0].url(postgres.OWNER, template)) as connection:
        held: dict[str, set[str]] = {}
        for table, column in connection.execute(COLUMNS).fetchall():
            if not table.startswith(NOT_OURS):
                held.setdefault(table, set()).add(column)
    rows = re.findall(r"^\| `(\w+)` \| ([^|]*) \| ([^|]*) \|", (DOCS / "privacy.md").read_text(), re.MULTILINE)
    listed = {table: set(re.findall(r"`(\w+)`", columns)) for table, columns, _ in rows}
    assert all(purpose.strip() for _, _, purpose in rows)
    people = {table for table, columns in held.items() if "resident_id" in columns} | {"resident", "staff"}
    assert people - set(listed) == set(), "tables about people without a purpose"
    for table, columns in listed.items():
        assert columns <= held[table], (table, columns - held[table])
        # Nothing of a table of people is held that the inventory does not name, but for what only orders and dates the row.
        if table in people:
            assert held[table] - columns - PLAIN == set(), table


# What says nothing of a person by itself: keys, times and counters of the row.
PLAIN = {"id", "city_id", "version", "txid", "row_hash", "created_at", "updated_at"}
