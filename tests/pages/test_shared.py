"""What the pages share, and the counter, keep their own tests: pay codes against published vectors, sessions, contrast, scanning."""

from __future__ import annotations

from pathlib import Path

import pytest

from command.node import find_node
from command.pages import install
from tests.pages.app_in_browser import node

pytestmark = pytest.mark.full
WEB = Path(__file__).parents[2] / "web"


def test_the_shared_sources_pass_their_tests() -> None:
    install(WEB / "shared", find_node())
    assert " passed" in node("node_modules/vitest/vitest.mjs", "run", cwd=WEB / "shared")
    node("node_modules/typescript/bin/tsc", "--noEmit", cwd=WEB / "shared")


def test_the_resident_s_app_has_the_types_it_says() -> None:
    install(WEB / "resident", find_node())
    node("node_modules/vue-tsc/bin/vue-tsc.js", "--noEmit", cwd=WEB / "resident")


def test_the_counter_passes_its_tests_and_has_the_types_it_says() -> None:
    install(WEB / "desk", find_node())
    assert " passed" in node("node_modules/vitest/vitest.mjs", "run", cwd=WEB / "desk")
    node("node_modules/vue-tsc/bin/vue-tsc.js", "--noEmit", cwd=WEB / "desk")
