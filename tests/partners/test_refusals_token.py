"""Every MUST NOT of the token endpoint: its requests, codes, grants and refresh tokens, each named after its clause."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from urllib.parse import urlencode

from tests.auth.conftest import House
from tests.partners.conftest import Desk, System
from tests.partners.refusals import refused

Partners = Callable[..., System]


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
