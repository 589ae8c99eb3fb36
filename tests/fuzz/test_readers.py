"""The decoder derived from a schema takes exactly the bodies that the schema takes, and gives the same of them (D35)."""

from __future__ import annotations

import json
from typing import Any

import marshmallow as ma
import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core import fields, ids
from core.errors import Invalid
from core.web import hot

LITERALS = st.sampled_from(
    [
        "null",
        "true",
        "false",
        "0",
        "-0",
        "1",
        "1.0",
        "1e2",
        "1E400",
        "-1",
        "01",
        "123456789012345678901234567890",
        "NaN",
        '"\\ud800"',
        "[]",
        "{}",
    ]
)
TEXTS = st.one_of(
    st.text(max_size=70),
    st.text("0123456789", min_size=17, max_size=19),
    st.text("٠١٢٣０１２３", min_size=18, max_size=18),
    st.sampled_from(["a\n", "813456789012345678\n", "\x00", "\x85", "é", "e\u0301", "￿", "𠮷" * 18]),
)


def well_formed(member: ma.fields.Field[Any]) -> st.SearchStrategy[str]:
    """JSON texts of values that a field should take, its bounds included."""
    if isinstance(member, (fields.Fen, fields.Count)):
        edges = st.sampled_from([member.least, member.most, member.least - 1, member.most + 1])
        return st.one_of(edges, st.integers(member.least, member.most)).map(json.dumps)
    if isinstance(member, fields.Id):
        shown = st.uuids().map(lambda identity: ids.show(member.prefix, identity))
        return st.one_of(shown, shown.map(str.upper), shown.map(lambda text: text + "0"), shown.map(lambda text: "x" + text)).map(
            json.dumps
        )
    if isinstance(member, fields.OneOf):
        return st.sampled_from(member.words).map(json.dumps)
    if isinstance(member, fields.Text) and member.pattern == r"^[0-9]{18}$":
        return st.text("0123456789", min_size=18, max_size=18).map(json.dumps)
    return TEXTS.map(lambda text: json.dumps(text, ensure_ascii=False))


@st.composite
def bodies(draw: st.DrawFn, schema: ma.Schema) -> bytes:
    """Objects of the schema's members and others: right, nearly right and wrong values, left out, twice, in any order."""
    members = []
    for name, member in schema.fields.items():
        for _ in range(draw(st.sampled_from([1, 1, 1, 1, 0, 2]))):
            value = draw(st.one_of(well_formed(member), well_formed(member), LITERALS, TEXTS.map(json.dumps)))
            members.append(f"{json.dumps(name)}: {value}")
    if draw(st.integers(0, 5)) == 0:
        members.append(f"{json.dumps(draw(TEXTS))}: {draw(LITERALS)}")
    text = "{" + ", ".join(draw(st.permutations(members))) + "}"
    return text.encode("utf-8", "surrogatepass")


def outcome(read: hot.Reader, body: bytes) -> Any:
    """What a reader gives, or how it refuses."""
    try:
        return {name: (type(value).__name__, value) for name, value in read(body).items()}
    except Invalid as refusal:
        return refusal.code, refusal.errors


def hot_routes(app: Flask) -> list[Any]:
    return [route for route in app.extensions["edge"].routes if route.mode == "posts" and route.takes is not None]


def test_both_readers_of_every_hot_route_agree(shared_app: Flask) -> None:
    routes = hot_routes(shared_app)
    assert {route.operation for route in routes} >= {"createCharge", "present"}
    for route in routes:
        agree(route.takes())


def agree(schema: ma.Schema) -> None:
    """Try both readers with the same bodies."""
    fast, slow = hot.derived(schema), hot.by_schema(schema)
    taken: list[bytes] = []

    @settings(max_examples=600, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
    @given(body=st.one_of(bodies(schema), st.binary(max_size=60)))
    def tried(body: bytes) -> None:
        found = outcome(fast, body)
        assert found == outcome(slow, body)
        taken.extend([body] if isinstance(found, dict) else [])

    tried()
    assert len(taken) > 30, "bodies that nobody takes prove nothing"


@pytest.mark.parametrize("number", ["1.0", "1e2", "true", '"1"', "1E400"])
def test_an_amount_is_a_whole_number_and_nothing_that_looks_like_one(shared_app: Flask, number: str) -> None:
    """Threat 16: what a float or a text would round to is never an amount."""
    schema = next(route for route in hot_routes(shared_app) if route.operation == "createCharge").takes()
    body = f'{{"amount_fen": {number}, "code": "813456789012345678"}}'.encode()
    for read in (hot.derived(schema), hot.by_schema(schema)):
        with pytest.raises(Invalid):
            read(body)
