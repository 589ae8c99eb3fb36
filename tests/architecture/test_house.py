"""The house keeps its shape: floors, rooms, words and the places where a thing may stand."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[2]
FLOORS = ("core", "auth", "cards", "payments", "services")
PRODUCT = ("app.py", "config", *FLOORS, "command", "outside")
SOURCES = sorted(
    path
    for part in PRODUCT
    for path in ([HOUSE / part] if part.endswith(".py") else (HOUSE / part).rglob("*.py"))
    if path.exists() and "__pycache__" not in path.parts
)
NAMES = [str(path.relative_to(HOUSE)) for path in SOURCES]
# Modules that stand for a thing without saying which.
EMPTY_WORDS = {
    *("utils", "util", "helpers", "helper", "common", "misc", "manager", "managers", "handler", "handlers"),
    *("dao", "repository", "base"),
}
# Longer than the house allows, each with its reason.
LONG_FILES: dict[str, str] = {}
LONG_FUNCTIONS: dict[str, str] = {}


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), filename=str(path))


def imports(path: Path) -> Iterator[tuple[str, int]]:
    """Every module a file imports at any depth, with its line."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from ((f"{node.module}.{alias.name}", node.lineno) for alias in node.names)


def calls(path: Path) -> Iterator[tuple[str, int]]:
    """Every dotted name a file calls, with its line."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node.lineno


def test_the_floors_hold() -> None:
    lint = subprocess.run([sys.executable, "-m", "importlinter.cli", "lint"], cwd=HOUSE, capture_output=True, text=True, check=False)
    if "No module named" in lint.stderr:
        lint = subprocess.run([Path(sys.executable).with_name("lint-imports")], cwd=HOUSE, capture_output=True, text=True, check=False)
    assert lint.returncode == 0, lint.stdout + lint.stderr


@pytest.mark.parametrize("name", NAMES)
def test_another_floor_is_used_through_its_front_door(name: str) -> None:
    floor = name.split("/")[0]
    wrong = []
    for module, line in imports(HOUSE / name):
        first, _, rest = module.partition(".")
        if first in FLOORS and first not in (floor, "core") and rest.count(".") >= 1 and floor in (*FLOORS, "app.py"):
            wrong.append(f"{name}:{line} imports {module}")
    assert not wrong, wrong


@pytest.mark.parametrize("name", NAMES)
def test_a_file_is_short_and_so_is_each_function(name: str) -> None:
    path = HOUSE / name
    lines = len(path.read_text().splitlines())
    assert lines <= 300 or name in LONG_FILES, f"{name} has {lines} lines"
    for node in ast.walk(tree(path)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            assert length <= 50 or f"{name}:{node.name}" in LONG_FUNCTIONS, f"{name}:{node.name} has {length} lines"


def test_app_stays_a_page() -> None:
    assert len((HOUSE / "app.py").read_text().splitlines()) <= 80


@pytest.mark.parametrize("name", NAMES)
def test_no_file_is_named_for_nothing(name: str) -> None:
    assert not EMPTY_WORDS & set(Path(name).with_suffix("").parts)


def test_commit_stands_in_one_place() -> None:
    found = {name for name in NAMES if name.startswith(FLOORS) for called, _ in calls(HOUSE / name) if called.endswith(".commit")}
    assert found == {"core/db.py"}


def test_time_comes_from_the_clock() -> None:
    """Deadlines are tested by setting the clock; ``time.monotonic`` is for measuring, and quotas count real minutes."""
    wrong = [
        f"{name}:{line} {called}"
        for name in NAMES
        if name.startswith((*FLOORS, "app")) and name not in ("core/clock.py", "core/limits.py")
        for called, line in calls(HOUSE / name)
        if re.search(r"(?:^|\.)(?:datetime\.now|datetime\.utcnow|date\.today|time\.time)$", called)
    ]
    assert not wrong, wrong


def test_the_request_is_read_at_the_edge_alone() -> None:
    wrong = [
        f"{name}:{line} {module}"
        for name in NAMES
        if name.startswith(FLOORS) and not name.startswith("core/web/")
        for module, line in imports(HOUSE / name)
        if module in ("flask.g", "flask.request", "flask.current_app", "flask.session")
    ]
    assert not wrong, wrong


def test_cryptography_has_one_place() -> None:
    """Primitives stand in ``core/crypto`` and in the two wire formats that are made of them; tokens are PyJWT's."""
    allowed = ("core/crypto/", "core/http_signatures.py", "auth/jwk.py", "auth/jws.py", "auth/tokens.py")
    wrong = [
        f"{name}:{line} {module}"
        for name in NAMES
        if name.startswith(FLOORS) and not name.startswith(allowed)
        for module, line in imports(HOUSE / name)
        if module.split(".")[0] == "cryptography" and "asymmetric.ec" not in module
    ]
    assert not wrong, wrong


@pytest.mark.parametrize("word", ["pickle", "marshal", "shelve"])
def test_nothing_is_unpickled(word: str) -> None:
    assert not [name for name in NAMES for module, _ in imports(HOUSE / name) if module.split(".")[0] == word]


def test_the_product_never_asks_whether_it_is_under_test() -> None:
    wrong = [name for name in NAMES if re.search(r"PYTEST|\bTESTING\b|app\.testing|sys\.modules", (HOUSE / name).read_text())]
    assert not wrong, wrong


def test_an_exemption_carries_its_reason() -> None:
    """``noqa`` and ``type: ignore`` are followed by a second comment that says why."""
    wrong = []
    for name in NAMES:
        for number, line in enumerate((HOUSE / name).read_text().splitlines(), start=1):
            if re.search(r"#\s*(?:noqa|type:\s*ignore)", line) and not re.search(r"#\s*(?:noqa|type:\s*ignore)[^#]*(?:#|--)\s*\S", line):
                wrong.append(f"{name}:{number}")
    assert not wrong, wrong


def test_nothing_names_a_machine_or_an_index() -> None:
    tracked = subprocess.run(["git", "ls-files"], cwd=HOUSE, capture_output=True, text=True, check=True).stdout.split()
    wrong = []
    for name in tracked:
        path = HOUSE / name
        if path.suffix in (".py", ".md", ".toml", ".txt", ".sh", ".sql", ".json", ".yml", "") and path.is_file():
            text = path.read_text(errors="ignore")
            if re.search(r"pypi\.org/simple|files\.pythonhosted|registry\.npmjs", text) and name != "tests/architecture/test_house.py":
                wrong.append(name)
    assert not wrong, wrong
