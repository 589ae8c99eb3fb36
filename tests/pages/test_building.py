"""When pages are built, and what is said when they cannot be."""

from __future__ import annotations

import gzip
import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from command import node, page_sources, pages


@pytest.fixture
def web(tmp_path: Path) -> Path:
    """A room of sources, and what it shares."""
    (tmp_path / "resident" / "src").mkdir(parents=True)
    (tmp_path / "shared").mkdir()
    (tmp_path / "resident" / "src" / "main.ts").write_text("1")
    (tmp_path / "shared" / "tokens.css").write_text("a")
    return tmp_path


@pytest.mark.parametrize(("place", "counts"), [("resident/src/main.ts", True), ("shared/tokens.css", True), ("resident/dist/x.js", False)])
def test_pages_are_stale_when_a_source_has_changed(web: Path, place: str, counts: bool) -> None:
    before = page_sources.sum_of_sources(web / "resident")
    (web / place).parent.mkdir(exist_ok=True)
    (web / place).write_text("changed")
    assert (page_sources.sum_of_sources(web / "resident") != before) is counts


def test_built_pages_remember_what_they_were_made_from(tmp_path: Path) -> None:
    assert page_sources.made_from(tmp_path) is None
    page_sources.write_mark(tmp_path, "abc")
    assert page_sources.made_from(tmp_path) == "abc"


def test_a_compressed_copy_is_the_same_every_time(tmp_path: Path) -> None:
    (tmp_path / "a.js").write_text("let x = 1;" * 200)
    (tmp_path / "b.png").write_bytes(b"0" * 2000)
    pages.pack(tmp_path)
    first = (tmp_path / "a.js.gz").read_bytes()
    pages.pack(tmp_path)
    assert (tmp_path / "a.js.gz").read_bytes() == first
    assert gzip.decompress(first) == (tmp_path / "a.js").read_bytes()
    assert not (tmp_path / "b.png.gz").exists()


def test_without_node_the_program_says_so_and_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere() -> node.Node:
        raise node.NoNode()

    monkeypatch.setenv("CITYCARD_DATA_DIR", str(tmp_path))
    monkeypatch.setattr(pages, "find_node", nowhere)
    told = CliRunner().invoke(pages.pages, ["--all"])
    assert told.exit_code == 1
    assert "Node" in told.output
    note = json.loads((tmp_path / "pages.json").read_text(encoding="utf-8"))
    assert note["failed"]
    assert "Node" in note["en"]


def test_an_old_node_of_the_machine_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("node", "npm"):
        (tmp_path / name).write_text("#!/bin/sh\necho v16.20.0\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setattr(shutil, "which", lambda name: str(tmp_path / name))
    monkeypatch.setattr(node, "_of_package", lambda: node.Node(tmp_path, ("packaged",)))
    assert node.find_node().npm == ("packaged",)
