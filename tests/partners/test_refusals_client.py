"""Every MUST NOT of clients that prove themselves by an assertion, each named after its clause."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from werkzeug.test import TestResponse

from core import clock
from tests.auth.conftest import ISSUER
from tests.partners.conftest import ASSERTION, System
from tests.partners.refusals import refused

Partners = Callable[..., System]


def own(partner: System, assertion: str, **form: str) -> TestResponse:
    given = {"grant_type": "client_credentials", "client_assertion_type": ASSERTION, "client_assertion": assertion, **form}
    return partner.post("/oauth2/token", given)


@pytest.mark.parametrize(
    "changed",
    [
        {"aud": "https://elsewhere.example"},
        {"aud": [ISSUER, "https://elsewhere.example"]},
        {"iss": "partner_00000000000000000000000000"},
        {"exp": None},
        {"exp": 1_000_000_000},
        {"exp": True},
        {"jti": None},
        {"nbf": 4_000_000_000},
    ],
    ids=["aud", "aud_list", "iss", "no_exp", "expired", "exp_no_number", "no_jti", "nbf"],
)
def test_rfc7523_3_an_assertion_with_a_wrong_claim_is_refused(partner: Partners, changed: dict[str, Any]) -> None:
    library = partner()
    refused(own(library, library.assertion(**changed)), "invalid_client", 401)


def test_rfc7523_3_an_assertion_far_in_the_future_is_refused(partner: Partners) -> None:
    library = partner()
    refused(own(library, library.assertion(exp=int(clock.timestamp()) + 7200)), "invalid_client", 401)


def test_rfc7523_3_an_assertion_is_accepted_once(partner: Partners) -> None:
    library = partner()
    assertion = library.assertion()
    assert own(library, assertion).status_code == 200
    refused(own(library, assertion), "invalid_client", 401)


def test_rfc7523_3_an_assertion_of_another_key_is_refused(partner: Partners) -> None:
    library = partner()
    refused(own(library, library.assertion(key=ec.generate_private_key(ec.SECP256R1()))), "invalid_client", 401)


def test_rfc7523_3_an_assertion_by_an_unknown_kid_is_refused(partner: Partners) -> None:
    library = partner()
    refused(own(library, library.assertion(headers={"kid": "two"})), "invalid_client", 401)


def test_rfc7523_3_the_client_id_beside_an_assertion_is_the_same(partner: Partners) -> None:
    library, other = partner(), partner("other")
    refused(own(library, library.assertion(), client_id=other.client_id), "invalid_client", 401)


@pytest.mark.parametrize(
    "headers",
    [{"jku": "https://evil.example/keys"}, {"x5u": "https://evil.example/c"}, {"jwk": {"kty": "EC"}}, {"crit": ["exp"]}, {"typ": "at+jwt"}],
    ids=["jku", "x5u", "jwk", "crit", "typ"],
)
def test_rfc8725_3_an_assertion_chooses_nothing_by_its_header(partner: Partners, headers: dict[str, Any]) -> None:
    library = partner()
    refused(own(library, library.assertion(headers=headers)), "invalid_client", 401)


def test_rfc8725_3_1_another_algorithm_is_refused(partner: Partners) -> None:
    library = partner()
    refused(own(library, library.assertion(key="x" * 40, algorithm="HS256")), "invalid_client", 401)
    refused(own(library, "eyJhbGciOiJub25lIn0.e30."), "invalid_client", 401)
