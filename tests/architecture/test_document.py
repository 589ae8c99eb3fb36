"""The API document holds every route and nothing else."""

from __future__ import annotations

import re

from flask import Flask
from openapi_spec_validator import validate

from core.web import openapi
from core.web.access import Anyone


def test_the_document_is_valid_and_complete(shared_app: Flask) -> None:
    document = shared_app.test_client().get("/openapi.json").json
    validate(document)
    written = {(method.upper(), path) for path, operations in document["paths"].items() for method in operations}
    served = {
        (method, re.sub(r"<(?:[^:<>]+:)?([a-z_]+)>", r"{\1}", rule.rule))
        for rule in shared_app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD"}
    }
    assert written == served


def test_every_operation_has_one_name_and_states_who_may_call(shared_app: Flask) -> None:
    routes = shared_app.extensions["edge"].routes
    names = [route.operation for route in routes]
    assert len(names) == len(set(names))
    for route in routes:
        assert re.fullmatch(r"[a-z][A-Za-z]+", route.operation)
        assert route.access.stated()
        assert not isinstance(route.access, Anyone) or len(route.access.reason) >= 8, route.operation
        assert openapi.path_of(route).startswith(("/api/", "/oauth2/", "/.well-known/", "/healthz/", "/openapi.json"))


def test_every_list_is_paged_or_bounded(shared_app: Flask) -> None:
    """A list without a cursor must be one of those whose length another rule bounds."""
    bounded = {
        *("listCardsAtCounter", "listSessions", "listDevices", "listSignInRequests", "listProducts", "listCards"),
        *("listTerminals", "listPartners", "listPasskeys", "listConsentOffers", "listAgreementTexts", "listWebhookEndpoints"),
    }
    for route in shared_app.extensions["edge"].routes:
        if route.gives is not None and "items" in route.gives().fields and "next_cursor" not in route.gives().fields:
            assert route.operation in bounded, route.operation
