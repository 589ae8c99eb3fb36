"""Schemathesis over the whole document: what the document says is what the program does, whatever is sent to it.

The callers of an operation are those the document names; two residents take turns. Ids in paths are often those that the callers have
been shown, so that the requests reach what lies behind; the others stay as generated.
"""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from command.story import proving
from core import clock
from tests.access.whole import ISSUER
from tests.fuzz.conftest import Fuzzed

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
    unsupported_method,
]
PATIENT = settings(deadline=None, suppress_health_check=list(HealthCheck))
PREFIX = re.compile(r"\^([a-z_]+)_\[0-7\]")

short = schemathesis.pytest.from_fixture("api")
long = schemathesis.pytest.from_fixture("api_at_length")


def call(fuzzed: Fuzzed, case: Any) -> None:
    """Send a case in the name of somebody whom the document names, and hold the answer against the document."""
    operation = case.operation.definition.raw
    kinds = {kind for wanted in operation.get("security", []) for kind in wanted} & {"resident", "staff", "terminal"}
    headers: dict[str, str] = {}
    person = None
    if kinds:
        token, person = fuzzed.bearer(kinds, operation["operationId"])
        headers["Authorization"] = f"Bearer {token}"
        fill(fuzzed, case, operation)
    elif fuzzed.chance.random() < 0.7:
        # A phone of its own proves its key; it is known to nobody.
        key = proving.new_key()
        headers["DPoP"] = proving.proof(key, case.method.upper(), ISSUER + case.formatted_path, now=clock.timestamp())
    response = case.call(headers=headers)
    case.validate_response(response, checks=CHECKS)
    if person is not None and response.status_code < 400:
        fuzzed.see(person, response.content.decode(errors="replace"))


def fill(fuzzed: Fuzzed, case: Any, operation: dict[str, Any]) -> None:
    """Put things that exist into the path, and a code that a phone made into the body, most of the time."""
    if fuzzed.chance.random() < 0.3:
        return
    for parameter in operation.get("parameters", []):
        wanted = PREFIX.match(parameter.get("schema", {}).get("pattern", ""))
        known = sorted(found for person in fuzzed.pair for found in fuzzed.things[person.id].get(wanted[1], ())) if wanted else []
        if parameter.get("in") == "path" and known:
            case.path_parameters = {**(case.path_parameters or {}), parameter["name"]: fuzzed.chance.choice(known)}
    if isinstance(case.body, dict) and "code" in case.body and operation["operationId"] in ("createCharge", "present", "presentAtCounter"):
        case.body = {**case.body, "code": fuzzed.chance.choice(fuzzed.pair).code()}


@short.parametrize()
@PATIENT
def test_the_document_tells_the_truth(fuzzed: Fuzzed, case: Any) -> None:
    call(fuzzed, case)


@pytest.mark.full
@long.parametrize()
@PATIENT
def test_the_document_tells_the_truth_at_length(fuzzed: Fuzzed, case: Any) -> None:
    call(fuzzed, case)


def test_nobody_reads_or_touches_a_thing_of_the_other_resident(fuzzed: Fuzzed) -> None:
    """Every id that one resident was shown, in every operation that takes its kind, in the other's name."""
    described = fuzzed.whole.app.test_client().get("/openapi.json").json
    fuzzed.move_in()
    first, second = fuzzed.pair
    for path in ("/api/cards", "/api/receipts", "/api/me/devices", "/api/sessions", "/api/notices"):
        answer = fuzzed.whole.send("GET", path, headers={"Authorization": f"Bearer {fuzzed.token(first, 'get')}"})
        fuzzed.see(first, answer.text)
    tried = 0
    for path, operations in described["paths"].items():
        for method, operation in operations.items():
            allowed = {kind for wanted in operation["security"] for kind in wanted}
            if "resident" not in allowed:
                continue
            for filled in filled_paths(path, operation, fuzzed.things[first.id]):
                headers = {
                    "Authorization": f"Bearer {fuzzed.token(second, operation['operationId'])}",
                    "Idempotency-Key": f"other-{tried:08d}",
                    "Content-Type": "application/json",
                }
                answer = fuzzed.whole.send(method.upper(), filled, headers=headers, body=json.dumps(body_of(described, operation)).encode())
                if answer.status_code == 422 and "errors" in answer.json:
                    continue  # the document does not say enough to make a body; the access matrix has one
                assert answer.status_code in (403, 404), (operation["operationId"], filled, answer.status_code, answer.text)
                tried += 1
    assert tried >= 15


def filled_paths(path: str, operation: dict[str, Any], things: dict[str, set[str]]) -> list[str]:
    """The path with each thing of its kind in it."""
    named = [each for each in operation.get("parameters", []) if each["in"] == "path" and PREFIX.match(each["schema"].get("pattern", ""))]
    if len(named) != 1:
        return []
    prefix = PREFIX.match(named[0]["schema"]["pattern"])
    assert prefix is not None
    return [path.replace("{" + named[0]["name"] + "}", found) for found in sorted(things.get(prefix[1], ()))]


def body_of(described: dict[str, Any], operation: dict[str, Any]) -> Any:
    """The smallest body that the document allows: what stands in the way of reaching the thing must not be its form."""
    schema = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {"type": "object"})
    return value_of(described, schema)


def value_of(described: dict[str, Any], form: dict[str, Any]) -> Any:
    """A value of this form."""
    if "$ref" in form:
        return value_of(described, described["components"]["schemas"][form["$ref"].rpartition("/")[2]])
    if "enum" in form:
        return form["enum"][0]
    kind = form.get("type", "string")
    if kind == "object":
        return {name: value_of(described, form["properties"][name]) for name in form.get("required", [])}
    if kind == "array":
        return [value_of(described, form["items"]) for _ in range(form.get("minItems", 0))]
    plain = {"integer": form.get("minimum", 1), "boolean": True}
    return plain.get(kind, "x" * max(4, form.get("minLength", 4)))
