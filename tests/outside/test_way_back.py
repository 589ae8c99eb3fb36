"""The played pages lead back to the app that opened them, and to nobody else."""

from __future__ import annotations

import pytest

from outside import returning
from tests.outside.conftest import Outside


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        ("{home}/app/#/pages/prove", "{home}/app/#/pages/prove?face_token=t"),
        ("{home}/app/#/pages/prove?x=1", "{home}/app/#/pages/prove?x=1&face_token=t"),
        ("https://elsewhere.example/", ""),
        ("javascript:alert(1)", ""),
        ("", ""),
    ],
)
def test_only_the_platform_is_a_way_back(outside: Outside, asked: str, given: str) -> None:
    home = outside.platform_url
    with outside.app.test_request_context("/faces/x", query_string={"back": asked.format(home=home)}):
        assert returning.way_back(face_token="t") == given.format(home=home)
