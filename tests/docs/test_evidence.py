"""What the security documents call proved is proved by a test that exists (D39); whatever has no running evidence is called open."""

from __future__ import annotations

import ast
import csv
import re
from functools import cache
from pathlib import Path

HOUSE = Path(__file__).parents[2]
SECURITY = HOUSE / "docs" / "security"
STATUSES = {"done", "partly", "open", "not_applicable"}
ROWS = list(csv.DictReader((SECURITY / "asvs.csv").read_text().splitlines()))
THREATS = re.compile(r"^\| (\d+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)
TEST = re.compile(r"tests/[\w/]+\.py::test_\w+")


@cache
def defined(path: str) -> set[str]:
    """The tests that a file defines."""
    tree = ast.parse((HOUSE / path).read_text())
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")}


def missing(text: str) -> list[str]:
    """Named tests that do not exist."""
    named = (node.split("::") for node in TEST.findall(text))
    return [f"{path}::{name}" for path, name in named if not (HOUSE / path).exists() or name not in defined(path)]


def test_every_row_of_asvs_is_well_formed() -> None:
    seen = [row["id"] for row in ROWS]
    assert len(seen) == len(set(seen))
    for row in ROWS:
        assert re.fullmatch(r"\d{1,2}\.\d{1,2}\.\d{1,2}", row["id"]), row
        assert row["level"] in {"1", "2", "3"}, row
        assert row["status"] in STATUSES, row
        assert row["status"] == "done" or row["reason"], row


def test_what_is_called_done_has_evidence_that_exists() -> None:
    for row in ROWS:
        evidence = row["evidence"].split()
        assert all(TEST.fullmatch(node) for node in evidence), row
        assert missing(row["evidence"]) == [], row
        assert bool(evidence) == (row["status"] in {"done", "partly"}), row


def test_every_threat_has_its_control_and_its_proof_or_says_that_it_is_not_built() -> None:
    text = (SECURITY / "threats.md").read_text()
    rows = THREATS.findall(text)
    assert [int(row[0]) for row in rows] == list(range(1, 42))
    for number, _, control, proof in rows:
        named = TEST.findall(proof)
        assert named or "not built yet" in proof, number
        assert "not built yet" in control or control.strip(), number
    assert missing(text) == []


def test_every_place_a_threat_names_exists() -> None:
    named = re.findall(r"`([a-z_]+/[\w/]+\.\w+)`", (SECURITY / "threats.md").read_text())
    assert len(named) > 20
    assert [path for path in named if not (HOUSE / path).exists()] == []
