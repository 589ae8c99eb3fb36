"""The pages' types of the API are those of the API."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from command import api

TYPES = Path(api.TYPES)


def document(app: Flask) -> dict[str, Any]:
    told: dict[str, Any] = app.test_client().get("/openapi.json").json  # type: ignore[assignment]
    return told


def test_the_types_name_every_operation_and_no_other(shared_app: Flask) -> None:
    """Quick and without Node; whoever adds a route runs `make api`."""
    served = {each["operationId"] for path in document(shared_app)["paths"].values() for each in path.values()}
    operations = TYPES.read_text(encoding="utf-8").partition("export interface operations {")[2]
    typed = set(re.findall(r"^    (\w+): \{$", operations, re.M))
    assert typed == served, "the API has changed; run: make api"


@pytest.mark.full
def test_the_types_are_exactly_those_of_the_document(shared_app: Flask) -> None:
    assert api.types_of(document(shared_app)) == TYPES.read_text(encoding="utf-8"), "the API has changed; run: make api"
