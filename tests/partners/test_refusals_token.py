"""Every MUST NOT of the token endpoint and of clients that prove themselves, each named after its clause."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from werkzeug.test import TestResponse

from auth import jwk
from auth.partners import registering
from core import clock, db
from core.actors import system
from tests.auth.conftest import ISSUER, LINHU, YUNCHUAN, House, Phone
from tests.partners.conftest import ASSERTION, Desk, System, claims, landed

Partners = Callable[..., System]


def refused(answer: TestResponse, error: str, status: int = 400) -> None:
    """In the shape of RFC 6749 section 5.2, and kept by nobody."""
    assert (answer.status_code, answer.json["error"]) == (status, error), answer.text
    assert answer.mimetype == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"


def own(partner: System, assertion: str, **form: str) -> TestResponse:
    given = {"grant_type": "client_credentials", "client_assertion_type": ASSERTION, "client_assertion": assertion, **form}
    return partner.post("/oauth2/token", given)


def test_rfc6749_3_1_a_parameter_twice_is_refused(partner: Partners) -> None:
    library = partner()
    form = urlencode({"grant_type": "client_credentials", **library.proof()})
    refused(library.post("/oauth2/token", form + "&grant_type=client_credentials"), "invalid_request")


def test_rfc6749_3_1_unknown_parameters_are_passed_over(partner: Partners) -> None:
    assert partner().ask("client_credentials", colour="red").status_code == 200


def test_rfc6749_3_2_the_token_endpoint_takes_post_alone(house: House) -> None:
    answer = house.call("GET", "/oauth2/token")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")


def test_rfc6749_3_2_the_token_endpoint_takes_forms_alone(house: House) -> None:
    refused(house.post("/oauth2/token", {"grant_type": "client_credentials"}), "invalid_request")


def test_rfc6749_3_3_a_scope_that_is_not_registered_is_refused(partner: Partners) -> None:
    refused(partner(scopes=("presentation:verify",)).ask("client_credentials", scope="resident:read"), "invalid_scope")


def test_rfc6749_3_3_a_scope_of_residents_is_no_scope_of_the_partner_itself(partner: Partners) -> None:
    refused(partner().ask("client_credentials", scope="profile"), "invalid_scope")


def test_rfc6749_4_1_3_a_code_is_bound_to_its_redirect_uri(desk: Desk) -> None:
    code = desk.all_the_way()["code"]
    refused(desk.library.redeem(code, redirect_uri="https://library.example/other"), "invalid_grant")


def test_rfc6749_4_1_3_a_code_is_bound_to_its_client(desk: Desk, partner: Partners) -> None:
    thief, code = partner("thief"), desk.all_the_way()["code"]
    thief.verifier = desk.library.verifier
    refused(thief.redeem(code), "invalid_grant")
    assert desk.library.redeem(code).status_code == 200, "another client's try does not use the code up"


def test_rfc6749_4_1_2_a_code_is_used_once_and_a_second_use_revokes_what_came_of_it(desk: Desk) -> None:
    code = desk.all_the_way(scope="openid offline_access")["code"]
    first = desk.library.redeem(code).json
    refused(desk.library.redeem(code), "invalid_grant")
    assert desk.library.userinfo(first["access_token"]).status_code == 401
    refused(desk.library.ask("refresh_token", refresh_token=first["refresh_token"]), "invalid_grant")


def test_rfc9700_2_1_1_a_code_lives_a_minute(desk: Desk) -> None:
    code = desk.all_the_way()["code"]
    desk.house.later(seconds=61)
    refused(desk.library.redeem(code), "invalid_grant")


def test_rfc6749_4_3_there_is_no_password_grant(partner: Partners) -> None:
    refused(partner().ask("password", username="u", password="p"), "unsupported_grant_type")


def test_rfc6749_4_4_a_public_client_has_no_client_credentials(partner: Partners) -> None:
    refused(partner("app", public=True).ask("client_credentials"), "invalid_client", 401)


def test_rfc6749_5_2_an_unknown_grant_type_is_refused(partner: Partners) -> None:
    refused(partner().ask('urn:x:"odd"'), "unsupported_grant_type")


def test_rfc6749_5_2_a_client_that_sends_a_secret_in_a_header_is_told_with_401(partner: Partners) -> None:
    basic = "Basic " + base64.b64encode(b"me:secret").decode()
    answer = partner().ask("client_credentials", headers={"Authorization": basic})
    refused(answer, "invalid_client", 401)
    assert "WWW-Authenticate" in answer.headers


def test_rfc6749_6_a_refresh_token_is_bound_to_its_client(desk: Desk, partner: Partners) -> None:
    tokens = desk.tokens(scope="openid offline_access")
    refused(partner("thief").ask("refresh_token", refresh_token=tokens["refresh_token"]), "invalid_grant")


def test_rfc6749_6_a_refresh_gives_no_wider_scope(desk: Desk) -> None:
    tokens = desk.tokens(scope="openid offline_access")
    refused(desk.library.ask("refresh_token", refresh_token=tokens["refresh_token"], scope="openid profile"), "invalid_scope")


def test_rfc6749_6_a_token_for_fewer_scopes_opens_no_more_than_these(desk: Desk) -> None:
    desk.named()
    tokens = desk.tokens(scope="openid profile phone offline_access")

    def opened(scope: str) -> set[str]:
        answer = desk.library.ask("refresh_token", refresh_token=tokens["refresh_token"], scope=scope)
        assert answer.json["scope"] == scope
        return set(desk.library.userinfo(answer.json["access_token"]).json) - {"sub"}

    assert opened("openid") == set()
    assert opened("openid phone") == {"phone_number", "phone_number_verified"}
    assert opened("openid profile") == {"name", "birthdate"}
    assert opened("openid profile phone") == {"name", "birthdate", "phone_number", "phone_number_verified"}
    uses = desk.house.call("GET", "/api/me/data-uses", token=desk.token).json["items"]
    assert [use["fields"] for use in uses] == [["birth_date", "name", "phone"], ["birth_date", "name"], ["phone"]]


def test_oidc_core_5_5_a_claim_that_was_asked_by_itself_belongs_to_no_scope(desk: Desk) -> None:
    desk.named()
    asked = json.dumps({"userinfo": {"age_band": None}})
    tokens = desk.tokens(scope="openid phone offline_access", claims=asked)
    narrow = desk.library.ask("refresh_token", refresh_token=tokens["refresh_token"], scope="openid").json["access_token"]
    assert set(desk.library.userinfo(narrow).json) == {"sub", "age_band"}


def test_rfc9700_4_14_a_turned_refresh_token_ends_the_family(desk: Desk, partner: Partners) -> None:
    desk.library = partner("app", public=True)
    first = desk.tokens(scope="openid offline_access")["refresh_token"]
    second = desk.library.ask("refresh_token", refresh_token=first).json["refresh_token"]
    refused(desk.library.ask("refresh_token", refresh_token=first), "invalid_grant")
    refused(desk.library.ask("refresh_token", refresh_token=second), "invalid_grant")


def test_rfc7636_4_6_a_wrong_verifier_is_refused(desk: Desk) -> None:
    code = desk.all_the_way()["code"]
    refused(desk.library.redeem(code, code_verifier="x" * 43), "invalid_grant")


def test_rfc7636_4_6_a_missing_verifier_is_refused(desk: Desk) -> None:
    code = desk.all_the_way()["code"]
    form = {"code": code, "redirect_uri": desk.library.redirect_uri}
    refused(desk.library.ask("authorization_code", **form), "invalid_request")


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


def test_rfc8725_3_11_an_id_token_is_no_access_token(desk: Desk) -> None:
    tokens = desk.tokens()
    assert desk.library.userinfo(tokens["id_token"]).status_code == 401


def test_rfc9068_4_a_token_for_userinfo_opens_nothing_else(desk: Desk) -> None:
    token = desk.tokens()["access_token"]
    assert desk.house.call("GET", "/api/me", token=token).status_code == 401
    assert desk.house.call("GET", "/api/partner/residents/x?purpose=lending", token=token).status_code == 401


def test_rfc9068_4_a_partners_own_token_opens_no_userinfo(partner: Partners) -> None:
    library = partner()
    answer = library.userinfo(library.own_token())
    assert answer.status_code == 401
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]


def test_rfc8707_2_a_resource_that_is_not_here_is_refused(partner: Partners) -> None:
    refused(partner().ask("client_credentials", resource="https://elsewhere.example"), "invalid_target")


def test_rfc7662_2_1_introspection_asks_who_asks(partner: Partners) -> None:
    library = partner()
    refused(library.post("/oauth2/introspect", {"token": "x"}), "invalid_client", 401)
    app = partner("app", public=True)
    refused(app.post("/oauth2/introspect", {"token": "x", **app.proof()}), "invalid_client", 401)


def test_rfc7662_4_a_partner_learns_nothing_of_anothers_token(desk: Desk, partner: Partners) -> None:
    tokens, other = desk.tokens(scope="openid offline_access"), partner("other")
    for token in (tokens["access_token"], tokens["refresh_token"], desk.library.own_token(), "nonsense"):
        mine = desk.library.post("/oauth2/introspect", {"token": token, **desk.library.proof()})
        theirs = other.post("/oauth2/introspect", {"token": token, **other.proof()})
        assert mine.json["active"] is (token != "nonsense")
        assert theirs.json == {"active": False}


def test_rfc7009_2_1_a_partner_cannot_revoke_anothers_token(desk: Desk, partner: Partners) -> None:
    tokens, other = desk.tokens(scope="openid offline_access"), partner("other")
    assert other.post("/oauth2/revoke", {"token": tokens["refresh_token"], **other.proof()}).status_code == 200
    assert desk.library.userinfo(tokens["access_token"]).status_code == 200


def test_rfc7009_2_1_a_revoked_refresh_token_takes_its_access_tokens_along(desk: Desk) -> None:
    tokens = desk.tokens(scope="openid offline_access")
    assert desk.library.post("/oauth2/revoke", {"token": tokens["refresh_token"], **desk.library.proof()}).status_code == 200
    assert desk.library.userinfo(tokens["access_token"]).status_code == 401
    refused(desk.library.ask("refresh_token", refresh_token=tokens["refresh_token"]), "invalid_grant")


def test_rfc7009_2_2_an_unknown_token_is_as_good_as_revoked(partner: Partners) -> None:
    library = partner()
    assert library.post("/oauth2/revoke", {"token": "nonsense", **library.proof()}).status_code == 200


def test_a_partner_that_is_switched_off_is_refused_everywhere(desk: Desk) -> None:
    tokens, own_token = desk.tokens(scope="openid offline_access"), desk.library.own_token()
    with db.transaction():
        registering.switch(system("test", YUNCHUAN), desk.library.id, on=False)
    desk.house.later(seconds=1)
    assert desk.library.userinfo(tokens["access_token"]).status_code == 401
    assert desk.house.call("GET", "/api/partner/residents/x?purpose=lending", token=own_token).status_code == 401
    refused(desk.library.ask("refresh_token", refresh_token=tokens["refresh_token"]), "invalid_client", 401)
    assert desk.web.authorize(desk.library.request()).status_code == 400


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


def test_an_access_token_says_for_whom_it_is(desk: Desk) -> None:
    said = claims(desk.tokens()["access_token"])
    assert said["aud"] == ISSUER + "/oauth2/userinfo"
    assert said["client_id"] == desk.library.client_id
    mine = claims(desk.library.own_token("resident:read"))
    assert (mine["aud"], mine["sub"], mine["client_id"]) == (ISSUER, desk.library.client_id, desk.library.client_id)
    assert mine["scope"] == "resident:read"
    assert mine["city"] != LINHU
    assert landed(desk.web.authorize(desk.library.request()))["iss"] == ISSUER
