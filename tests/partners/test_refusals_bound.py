"""Every MUST NOT of tokens and codes that are bound to a key, each named after its clause."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.test import TestResponse

from auth import jwk
from tests.auth.conftest import House, Phone
from tests.partners.conftest import Desk, System, claims, landed
from tests.partners.refusals import refused

Partners = Callable[..., System]


def bound(phone: Phone, method: str, path: str, **changed: Any) -> dict[str, str]:
    return {"DPoP": phone.proof(method, path, **changed)}


def test_rfc9449_7_1_a_bound_token_needs_its_key_at_the_api(partner: Partners, house: House) -> None:
    from auth.proofs import token_hash

    library, key = partner(), Phone()
    answer = library.ask("client_credentials", headers=bound(key, "POST", "/oauth2/token"))
    assert answer.json["token_type"] == "DPoP"
    token, path = answer.json["access_token"], "/api/partner/residents/x"

    def read(scheme: str, proof: dict[str, str]) -> int:
        headers = {"Authorization": f"{scheme} {token}", **proof}
        return house.app.test_client().get(path + "?purpose=lending", headers=headers).status_code

    assert read("Bearer", {}) == 401
    assert read("DPoP", {}) == 401
    assert read("DPoP", bound(key, "GET", path)) == 401, "without the token's hash"
    assert read("DPoP", bound(Phone(), "GET", path, ath=token_hash(token))) == 401, "another key"
    assert read("DPoP", bound(key, "GET", path, ath=token_hash(token))) == 404, "nobody of that name"


def test_rfc9449_5_a_partner_registered_for_bound_tokens_gets_no_others(partner: Partners) -> None:
    library = partner(dpop_required=True)
    refused(library.ask("client_credentials"), "invalid_dpop_proof")


def test_rfc9449_5_a_public_clients_refresh_token_is_bound_to_its_key(desk: Desk, partner: Partners) -> None:
    desk.library, key = partner("app", public=True), Phone()
    code = desk.all_the_way(scope="openid offline_access")["code"]
    tokens = desk.library.redeem(code, headers=bound(key, "POST", "/oauth2/token")).json
    stolen = desk.library.ask("refresh_token", headers=bound(Phone(), "POST", "/oauth2/token"), refresh_token=tokens["refresh_token"])
    refused(stolen, "invalid_grant")


def test_rfc9449_10_a_code_that_names_a_key_is_redeemed_by_that_key_alone(desk: Desk) -> None:
    def code() -> str:
        return desk.all_the_way(dpop_jkt=jwk.thumbprint(mine.jwk))["code"]

    mine = Phone()
    refused(desk.library.redeem(code()), "invalid_grant")
    refused(desk.library.redeem(code(), headers=bound(Phone(), "POST", "/oauth2/token")), "invalid_grant")
    answer = desk.library.redeem(code(), headers=bound(mine, "POST", "/oauth2/token"))
    assert (answer.status_code, answer.json["token_type"]) == (200, "DPoP")
    assert claims(answer.json["access_token"])["cnf"] == {"jkt": jwk.thumbprint(mine.jwk)}


def test_rfc9449_10_a_code_that_names_no_key_takes_any(desk: Desk) -> None:
    answer = desk.library.redeem(desk.all_the_way()["code"], headers=bound(Phone(), "POST", "/oauth2/token"))
    assert answer.json["token_type"] == "DPoP"


def pushed(desk: Desk, headers: dict[str, str], **changed: str | None) -> TestResponse:
    """A request that is pushed, with a proof beside it."""
    return desk.library.post("/oauth2/par", {**desk.library.proof(), **desk.library.request(**changed)}, **headers)


@pytest.mark.parametrize("named", [True, False], ids=["with_dpop_jkt", "by_the_proof_alone"])
def test_rfc9449_10_1_a_proof_with_a_pushed_request_binds_the_code(desk: Desk, named: bool) -> None:
    mine = Phone()

    def code() -> str:
        changed = {"dpop_jkt": jwk.thumbprint(mine.jwk)} if named else {}
        answer = pushed(desk, bound(mine, "POST", "/oauth2/par"), **changed)
        assert answer.status_code == 201, answer.text
        came = desk.web.authorize({"client_id": desk.library.client_id, "request_uri": answer.json["request_uri"]})
        if "phone" in desk.web.steps():
            desk.sign_in()
            came = desk.web.send("consent")
        return landed(came)["code"]

    refused(desk.library.redeem(code()), "invalid_grant")
    refused(desk.library.redeem(code(), headers=bound(Phone(), "POST", "/oauth2/token")), "invalid_grant")
    assert desk.library.redeem(code(), headers=bound(mine, "POST", "/oauth2/token")).status_code == 200


def test_rfc9449_10_1_a_proof_and_a_name_of_two_keys_are_refused(desk: Desk) -> None:
    refused(pushed(desk, bound(Phone(), "POST", "/oauth2/par"), dpop_jkt=jwk.thumbprint(Phone().jwk)), "invalid_request")


def test_rfc9449_10_1_a_pushed_request_with_a_proof_that_is_none_is_refused(desk: Desk) -> None:
    refused(pushed(desk, {"DPoP": "nonsense"}), "invalid_dpop_proof")
    refused(pushed(desk, bound(Phone(), "POST", "/oauth2/token")), "invalid_dpop_proof")


def test_rfc9449_10_what_names_no_key_is_refused(desk: Desk) -> None:
    refused(pushed(desk, {}, dpop_jkt="short"), "invalid_request")
    assert landed(desk.web.authorize(desk.library.request(dpop_jkt="=" * 43)))["error"] == "invalid_request"


def test_rfc9700_4_14_a_lost_answer_is_forgiven_to_the_same_key(desk: Desk, partner: Partners) -> None:
    desk.library, key = partner("app", public=True), Phone()
    code = desk.all_the_way(scope="openid offline_access")["code"]
    first = desk.library.redeem(code, headers=bound(key, "POST", "/oauth2/token")).json["refresh_token"]
    for _ in range(2):
        answer = desk.library.ask("refresh_token", headers=bound(key, "POST", "/oauth2/token"), refresh_token=first)
        assert answer.status_code == 200, answer.text
